//! The v2 image API.

mod query;
