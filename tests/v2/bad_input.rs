//! Requests that make no sense, on every route: the right code, a message that names what is wrong, and nothing changes.

mod bodies;
mod headers;
mod limits;
mod paths;
mod values;
mod world;
