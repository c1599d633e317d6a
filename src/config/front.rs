//! The way of a request to its API: `[DEFAULT]`, `[oslo_middleware]` (operations §4, v2-images §1).

use osloconf::Opt;

use super::{Error, Loaded, Pipeline, Result};
use crate::api::{BodyLimit, Cors, Front, Links};

/// The group of what proxies and the size of requests are about.
const MIDDLEWARE: &str = "oslo_middleware";

static ENABLE_V1_API: Opt = Opt::bool("DEFAULT", "enable_v1_api").default("true").help("Serve v1");
pub(super) static PUBLIC_ENDPOINT: Opt = Opt::str("DEFAULT", "public_endpoint")
    .empty_is_unset()
    .help("URL that links begin with; unset: the one by which the client called");
static ENABLE_PROXY_HEADERS_PARSING: Opt = Opt::bool(MIDDLEWARE, "enable_proxy_headers_parsing")
    .default("false")
    .help("Believe Forwarded and X-Forwarded-* about how the client called; only behind a proxy that sets them");
static MAX_REQUEST_BODY_SIZE: Opt = Opt::int(MIDDLEWARE, "max_request_body_size")
    .default("114688")
    .min(0)
    .help("Bytes that the body of a request may have, images included; counts only where the paste file's pipeline has the filter sizelimit");
static MAX_REQUEST_ID_LENGTH: Opt = Opt::int("DEFAULT", "max_request_id_length")
    .default("64")
    .min(0)
    .help("Characters that the id which a client gives to its request may have; 0: any number");

pub(super) static OPTIONS: &[&Opt] =
    &[&ENABLE_V1_API, &PUBLIC_ENDPOINT, &ENABLE_PROXY_HEADERS_PARSING, &MAX_REQUEST_BODY_SIZE, &MAX_REQUEST_ID_LENGTH];

impl Loaded {
    /// All that stands before the image API's routes, of a server that listens on `port`.
    pub(crate) fn front(&self, port: u16, pipeline: &Pipeline) -> Result<Front> {
        Ok(Front {
            v1: self.conf.bool(&ENABLE_V1_API)?,
            v2: self.v2()?,
            links: Links {
                public_endpoint: self.conf.str(&PUBLIC_ENDPOINT)?,
                believe_proxy: self.believe_proxy(pipeline)?,
            },
            cors: pipeline.cors.as_ref().map_or_else(|| Ok(Cors::default()), |filter| self.cors(filter))?,
            body_limit: self.body_limit(pipeline)?,
            health: self.health(port)?,
            longest_request_id: usize::try_from(self.natural(&MAX_REQUEST_ID_LENGTH)?).ok().filter(|most| *most > 0),
        })
    }

    /// Whether a proxy in front is believed. Only a filter of the pipeline can look at what it says.
    fn believe_proxy(&self, pipeline: &Pipeline) -> Result<bool> {
        match &pipeline.proxy_headers {
            Some(filter) => Ok(self.seen_by(filter, MIDDLEWARE).bool(&ENABLE_PROXY_HEADERS_PARSING)?),
            None => Ok(false),
        }
    }

    /// How large bodies may be, if there is a filter that looks.
    fn body_limit(&self, pipeline: &Pipeline) -> Result<Option<BodyLimit>> {
        let Some(filter) = &pipeline.size_limit else { return Ok(None) };
        let most = self.seen_by(filter, MIDDLEWARE).int(&MAX_REQUEST_BODY_SIZE)?;
        let most = most.and_then(|most| u64::try_from(most).ok());
        let missing =
            Error::Missing { option: MAX_REQUEST_BODY_SIZE.name, why: " in [oslo_middleware], for sizelimit" };
        most.map(|most| Some(BodyLimit(most))).ok_or(missing)
    }
}
