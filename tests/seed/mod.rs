//! The founding requirement: Glance's own functional test of the caching middleware, transliterated assertion by
//! assertion. Each class of the original is a file, each of its tests a function `<class>_<test>`.

mod manage;
mod middleware;
mod test_image_cache_manage_sqlite;
mod test_image_cache_manage_xattr;
mod test_image_cache_sqlite;
mod test_image_cache_xattr;
