//! The v2 API (v2-images, v2-import-and-tasks).

mod cache;
mod client;
mod discovery;
mod download;
mod exchanges;
mod healthcheck;
mod info;
mod inspection;
mod legacy_cache;
mod ranges;
mod schemas;
mod stage;
mod upload;
mod upload_crashes;
