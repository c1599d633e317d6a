//! The transparent, node-local image cache.
