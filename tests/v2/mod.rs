//! The v2 API (v2-images, v2-import-and-tasks).

mod cache;
mod discovery;
mod exchanges;
mod healthcheck;
mod info;
mod legacy_cache;
mod schemas;
