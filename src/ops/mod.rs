//! Seeing what the service does.

pub(crate) mod log;
