//! HTTP in, HTTP out: the pipelines and the APIs that they end in. Nothing here knows SQL, but for how long its pages may be.

mod base_url;
mod body_limit;
mod caller;
mod cors;
mod data;
mod error;
mod healthcheck;
mod json;
mod memberships;
mod range;
mod registry;
mod request_id;
mod service;
mod v1;
mod v2;
mod versions;

pub(crate) use base_url::Links;
pub(crate) use body_limit::BodyLimit;
pub(crate) use cors::Cors;
pub(crate) use healthcheck::{Check, Details, Health};
pub(crate) use service::{Front, ImageApi, Peer, RegistryApi, Service};
pub(crate) use v2::{CustomProperties, Settings as V2Settings};
