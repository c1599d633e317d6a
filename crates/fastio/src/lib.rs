//! Moving image bytes at the speed of the kernel. Knows files, sockets and bytes, no service.
//!
//! The only place with unsafe code: each use says why it holds.

pub mod hash;

pub use hash::{Algorithm, Hasher, Hashing};
