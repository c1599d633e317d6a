//! Black-box tests: the programs are started as operators start them and asked over HTTP, as clients ask.
//!
//! `harness` starts and asks, `seed` is the founding requirement, `essex` what the suites of 2012 assert,
//! `v1`, `v2`, `auth`, `cache`, `databases` and `system` prove the sentences of the specification one by one, `rights` is who may
//! do what, `clients` are
//! programs of the field.
//! Nothing here knows the inside.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test that cannot go on must fail loudly")]

mod architecture;
mod auth;
mod cache;
mod clients;
mod databases;
mod essex;
mod harness;
mod rights;
mod seed;
mod system;
mod v1;
mod v2;
