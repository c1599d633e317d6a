//! The way of a request to its API: `[DEFAULT]`, `[oslo_middleware]` (operations §4, v2-images §1).

use osloconf::Opt;

use super::{Loaded, Result};
use crate::api::{Front, Links};

static ENABLE_V1_API: Opt = Opt::bool("DEFAULT", "enable_v1_api").default("true").help("Serve v1");
pub(super) static PUBLIC_ENDPOINT: Opt = Opt::str("DEFAULT", "public_endpoint")
    .empty_is_unset()
    .help("URL that links begin with; unset: the one by which the client called");
static ENABLE_PROXY_HEADERS_PARSING: Opt = Opt::bool("oslo_middleware", "enable_proxy_headers_parsing")
    .default("false")
    .help("Believe Forwarded and X-Forwarded-* about how the client called; only behind a proxy that sets them");

static MAX_REQUEST_ID_LENGTH: Opt = Opt::int("DEFAULT", "max_request_id_length")
    .default("64")
    .min(0)
    .help("Characters that the id which a client gives to its request may have; 0: any number");

pub(super) static OPTIONS: &[&Opt] =
    &[&ENABLE_V1_API, &PUBLIC_ENDPOINT, &ENABLE_PROXY_HEADERS_PARSING, &MAX_REQUEST_ID_LENGTH];

impl Loaded {
    /// All that stands before the image API's routes, of a server that listens on `port`.
    pub(crate) fn front(&self, port: u16) -> Result<Front> {
        Ok(Front {
            v1: self.conf.bool(&ENABLE_V1_API)?,
            v2: self.v2()?,
            links: Links {
                public_endpoint: self.conf.str(&PUBLIC_ENDPOINT)?,
                believe_proxy: self.conf.bool(&ENABLE_PROXY_HEADERS_PARSING)?,
            },
            cors: self.cors()?,
            health: self.health(port)?,
            longest_request_id: usize::try_from(self.natural(&MAX_REQUEST_ID_LENGTH)?).ok().filter(|most| *most > 0),
        })
    }
}
