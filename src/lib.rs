//! Gander: an image service that speaks Glance's API, with a transparent node-local cache.
//!
//! The rooms and the arrows between them are described in `docs/ARCHITECTURE.md`;
//! a test (`tests/architecture.rs`) keeps this list and the arrows honest.

mod cache;
mod db;
mod model;
mod store;

/// Runs the program that the command line names.
pub fn main() -> std::process::ExitCode {
    std::process::ExitCode::SUCCESS
}
