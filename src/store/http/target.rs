//! An http(s) location, its credentials kept apart from what may be shown.

use percent_encoding::percent_decode_str;
use url::{Origin, Url};

use crate::store::{Error, Result};

/// A parsed location.
pub(super) struct Target {
    /// Without credentials.
    pub(super) url: Url,
    credentials: Option<Credentials>,
}

struct Credentials {
    /// The only place they are sent to.
    origin: Origin,
    user: String,
    password: String,
}

impl Target {
    /// `http[s]://[user:password@]host[:port]/path[?query]` (v1-system §9.2). Errors repeat nothing of `uri`.
    pub(super) fn parse(uri: &str) -> Result<Self> {
        let uri = uri.trim();
        // The URL standard would quietly drop or mend these; what the check of a location saw must be what is fetched.
        if uri.contains(|c: char| c.is_control() || c == '\\') {
            return Err(bad("it contains control characters or backslashes"));
        }
        let (_, rest) = uri.split_once("://").ok_or_else(|| bad("it has no '://'"))?;
        let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
        if authority.is_empty() {
            return Err(bad("it has no host"));
        }
        if let Some((userinfo, host)) = authority.split_once('@')
            && (host.contains('@') || userinfo.matches(':').count() != 1)
        {
            return Err(bad("credentials must be of the form user:password@"));
        }
        let url = Url::parse(uri).map_err(|error| bad(&error.to_string()))?;
        let credentials = (!url.username().is_empty()).then(|| Credentials {
            origin: url.origin(),
            user: decoded(url.username()),
            password: decoded(url.password().unwrap_or_default()),
        });
        Ok(Self { url: fetchable(url)?, credentials })
    }

    /// User and password to send along with a request for `url`, which a redirect may have named.
    pub(super) fn credentials_for(&self, url: &Url) -> Option<(&str, &str)> {
        let credentials = self.credentials.as_ref().filter(|credentials| credentials.origin == url.origin())?;
        Some((&credentials.user, &credentials.password))
    }
}

/// `url` without credentials and fragment, if it is one for this store.
pub(super) fn fetchable(mut url: Url) -> Result<Url> {
    if !matches!(url.scheme(), "http" | "https") {
        return Err(bad("it is not of the scheme http or https"));
    }
    // Cannot fail: such URLs have a host.
    let (Ok(()), Ok(())) = (url.set_username(""), url.set_password(None)) else { return Err(bad("it has no host")) };
    url.set_fragment(None);
    Ok(url)
}

fn decoded(text: &str) -> String {
    percent_decode_str(text).decode_utf8_lossy().into_owned()
}

fn bad(reason: &str) -> Error {
    Error::BadLocation(format!("The http location cannot be used: {reason}"))
}

#[cfg(test)]
mod tests {
    use super::{Error, Target, Url};

    #[test]
    fn credentials_stay_with_their_origin() {
        let target = Target::parse(" http://us%40er:p%3Aw@host:8080/a?b=c#d ").unwrap();
        assert_eq!(target.url.as_str(), "http://host:8080/a?b=c");
        assert_eq!(target.credentials_for(&target.url), Some(("us@er", "p:w")));
        for other in ["http://host/a", "https://host:8080/a", "http://other:8080/a"] {
            assert_eq!(target.credentials_for(&Url::parse(other).unwrap()), None, "{other}");
        }
    }

    #[test]
    fn unusable_locations_are_refused_without_repeating_them() {
        for uri in [
            "http://",
            "http:///CANARY",
            "http:CANARY",
            "http:/CANARY",
            "http://CANARY@host/x",
            "http://CANARY:b:c@host/x",
            "http://u:CANARY@b@host/x",
            "http://host:CANARY/x",
            "http://u:CANARY@/x",
            "http://host\\CANARY",
            "http://ho\nst/CANARY",
            "ftp://host/CANARY",
        ] {
            let Err(Error::BadLocation(text)) = Target::parse(uri) else { panic!("{uri}") };
            assert!(!text.contains("CANARY"), "{text}");
        }
    }
}
