//! HTTP in, HTTP out: the pipelines and the APIs that they end in. Nothing here knows SQL.

mod error;
mod json;
mod memberships;
mod range;
mod registry;
mod service;
mod v1;
#[allow(dead_code, unused_imports, reason = "the handlers follow")]
mod v2;
mod versions;

pub(crate) use service::{ImageApi, RegistryApi, Service};
