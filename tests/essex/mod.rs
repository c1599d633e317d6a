//! What the functional suites of 2012 assert (v1-essex-tests), test by test under the original names.
//!
//! Left out: what drives Python classes, and the suites of the user client and remote stores. The suites that
//! needed Keystone are asked through a proxy that says who is asking.

mod private_images;
mod shared_images;
mod test_api;
mod test_api_filters;
mod test_api_refusals;
mod test_bin_glance_cache_manage;
mod test_logging;
mod test_misc;
mod test_multiprocessing;
mod test_respawn;
mod test_scrubber;
mod test_ssl;
