//! The v2 API, sentence by sentence (v2-images, policy-and-auth, v2-import-and-tasks).

mod actions;
mod bad_input;
mod cache;
mod client;
mod discovery;
mod download;
mod exchanges;
mod healthcheck;
mod info;
mod inspection;
mod legacy_cache;
mod location_api;
mod locations;
mod meanwhile;
mod members;
mod notifications;
mod people;
mod protected;
mod ranges;
mod reserved;
mod schemas;
mod stage;
mod tags;
mod torture;
mod upload;
mod upload_crashes;
