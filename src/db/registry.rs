//! Metadata behind a v1 registry server.
