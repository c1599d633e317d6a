//! Gander: an image service that speaks Glance's API, with a transparent node-local cache.
//!
//! The rooms and the arrows between them are described in `docs/ARCHITECTURE.md`;
//! a test (`tests/architecture.rs`) keeps this list and the arrows honest.

mod api;
mod auth;
mod cache;
mod cli;
mod config;
mod crypt;
mod db;
mod images;
mod model;
mod notify;
mod ops;
mod policy;
mod quota;
mod server;
mod store;
mod wire;

/// Runs the program that the command line names.
pub fn main() -> std::process::ExitCode {
    cli::main()
}
