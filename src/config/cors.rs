//! Other origins: `[cors]` (operations §5).

use osloconf::Opt;

use super::pipeline::Local;
use super::{Loaded, Result};
use crate::api::Cors;

static ALLOWED_ORIGIN: Opt =
    Opt::list("cors", "allowed_origin").help("Origins whose pages may talk to this service; *: all");
static ALLOW_CREDENTIALS: Opt =
    Opt::bool("cors", "allow_credentials").default("true").help("Let pages send credentials along");
static EXPOSE_HEADERS: Opt = Opt::list("cors", "expose_headers")
    .default("X-Image-Meta-Checksum,X-Auth-Token,X-Subject-Token,X-Service-Token,X-OpenStack-Request-ID")
    .help("Headers of answers that pages may read");
static MAX_AGE: Opt =
    Opt::int("cors", "max_age").default("3600").min(0).help("Seconds that browsers may remember what they may");
static ALLOW_METHODS: Opt =
    Opt::list("cors", "allow_methods").default("GET,PUT,POST,DELETE,PATCH").help("Methods that pages may use");
static ALLOW_HEADERS: Opt = Opt::list("cors", "allow_headers")
    .default(
        "Content-MD5,X-Image-Meta-Checksum,X-Storage-Token,Accept-Encoding,X-Auth-Token,X-Identity-Status,X-Roles,\
         X-Service-Catalog,X-User-Id,X-Tenant-Id,X-OpenStack-Request-ID",
    )
    .help("Headers that pages may send");

pub(super) static OPTIONS: &[&Opt] =
    &[&ALLOWED_ORIGIN, &ALLOW_CREDENTIALS, &EXPOSE_HEADERS, &MAX_AGE, &ALLOW_METHODS, &ALLOW_HEADERS];

impl Loaded {
    /// Who may talk to us from where, as the filter for it sees it.
    pub(super) fn cors(&self, filter: &Local) -> Result<Cors> {
        let conf = self.seen_by(filter, "cors");
        Ok(Cors {
            origins: conf.list(&ALLOWED_ORIGIN)?,
            credentials: conf.bool(&ALLOW_CREDENTIALS)?,
            exposed: conf.list(&EXPOSE_HEADERS)?,
            max_age: conf.int(&MAX_AGE)?.and_then(|seconds| u64::try_from(seconds).ok()).unwrap_or(0),
            methods: conf.list(&ALLOW_METHODS)?,
            headers: conf.list(&ALLOW_HEADERS)?,
        })
    }
}
