//! How the rules of policy ask other servers: `[oslo_policy] remote_*` (policy-and-auth §3.1).

use std::path::PathBuf;
use std::time::Duration;

use osloconf::Opt;

use super::{Error, Loaded, Result};
use crate::policy::remote::{Form, Remote, Settings};

const GROUP: &str = "oslo_policy";
const FIELDS: &str = "application/x-www-form-urlencoded";
const JSON: &str = "application/json";

static CONTENT_TYPE: Opt = Opt::str(GROUP, "remote_content_type")
    .default(FIELDS)
    .choices(&[FIELDS, JSON])
    .help("How http: and https: checks put their question");
static VERIFY: Opt = Opt::bool(GROUP, "remote_ssl_verify_server_crt")
    .default("false")
    .help("A server that an https: check asks must have a good certificate");
static CA: Opt = Opt::str(GROUP, "remote_ssl_ca_crt_file")
    .empty_is_unset()
    .help("Authorities that may have signed it; unset: those of the system");
static CERTIFICATE: Opt = Opt::str(GROUP, "remote_ssl_client_crt_file")
    .empty_is_unset()
    .help("Certificate that https: checks show to servers");
static KEY: Opt =
    Opt::str(GROUP, "remote_ssl_client_key_file").empty_is_unset().help("Its key; unset: the key is in the same file");
static TIMEOUT: Opt =
    Opt::float(GROUP, "remote_timeout").default("60").help("Seconds that a server may take for its answer");

pub(super) static OPTIONS: &[&Opt] = &[&CONTENT_TYPE, &VERIFY, &CA, &CERTIFICATE, &KEY, &TIMEOUT];

impl Loaded {
    /// Who asks other servers. The files that are named must be usable.
    pub(super) fn remote_checks(&self) -> Result<Remote> {
        let file = |opt: &Opt| Ok::<_, Error>(self.conf.str(opt)?.map(PathBuf::from));
        let verify = self.conf.bool(&VERIFY)?;
        let seconds = self.conf.float(&TIMEOUT)?.unwrap_or_default();
        let timeout = Duration::try_from_secs_f64(seconds).ok().filter(|timeout| !timeout.is_zero());
        let Some(timeout) = timeout else {
            return Err(Error::Invalid { option: TIMEOUT.name, reason: "it must be more than 0 seconds".to_owned() });
        };
        let key = file(&KEY)?;
        let settings = Settings {
            form: if self.conf.str(&CONTENT_TYPE)?.as_deref() == Some(JSON) { Form::Json } else { Form::Fields },
            verify,
            ca: file(&CA)?,
            certificate: file(&CERTIFICATE)?.map(|certificate| (certificate, key)),
            timeout,
        };
        Remote::new(&settings).map_err(|reason| {
            // It begins with the file that is at fault.
            let is_at_fault = |opt: &&&Opt| {
                file(opt).is_ok_and(|file| file.is_some_and(|file| reason.starts_with(&*file.to_string_lossy())))
            };
            let at_fault = [&CA, &KEY, &CERTIFICATE].iter().find(is_at_fault).map_or("remote_ssl_*", |opt| opt.name);
            Error::Invalid { option: at_fault, reason }
        })
    }
}
