//! HTTP in, HTTP out: the pipelines and the APIs that they end in. Nothing here knows SQL.

mod base_url;
mod data;
mod error;
mod json;
mod memberships;
mod range;
mod registry;
mod service;
mod v1;
mod v2;
mod versions;

pub(crate) use service::{ImageApi, RegistryApi, Service};
pub(crate) use v2::Settings as V2Settings;
