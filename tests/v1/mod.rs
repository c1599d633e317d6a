//! The image API v1 and the registry, sentence by sentence (v1-api, v1-system §3). Where a suite of 2012 and later
//! releases differ, the suite wins; elsewhere the later behaviour.

mod bad_input;
mod bad_uploads;
mod copy_from;
mod digests;
mod errors;
mod images_create;
mod images_delete;
mod images_index;
mod images_show;
mod images_sort;
mod images_update;
mod late_v1;
mod locations;
mod members;
mod policy;
mod quotas;
mod registry_api;
mod registry_rights;
mod rights;
mod upload;
mod versions;
