//! The v2 API (v2-images, v2-import-and-tasks).

mod exchanges;
