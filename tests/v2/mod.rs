//! The v2 API (v2-images, v2-import-and-tasks).

mod client;
mod download;
mod exchanges;
mod inspection;
mod ranges;
mod stage;
mod upload;
mod upload_crashes;
