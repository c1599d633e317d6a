//! A client of Keystone, OpenStack's identity service, by its v3 API.
//!
//! A service proves who it is ([`Credentials`]) and gets a token of its own, which this crate renews by itself. With it the
//! service asks what other people's tokens are worth ([`Keystone::validate`]), and whatever else Keystone tells
//! ([`Keystone::get`]). Nothing is cached here but the own token, and nothing is known of the service that asks.
//!
//! Secrets (passwords, tokens) are in no `Debug`, error or log.

mod catalog;
mod client;
mod credentials;
mod error;
mod token;

pub use catalog::{Catalog, Wanted};
pub use client::{Keystone, Settings, Tls};
pub use credentials::{Credentials, Named, Scope, User};
pub use error::Error;
pub use token::{AccessRule, Domain, Project, Token};
