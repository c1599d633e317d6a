//! The registered stores: which driver a location or a store's name means.
//!
//! Locations may carry credentials: no error and no log line here tells more of one than its scheme.

use std::sync::Arc;

use super::filesystem::{self, Filesystem};
use super::http::{self, Http};
use super::{Error, Result, Store, unavailable};

/// Longest location a client may name, in characters.
const MAX_CLIENT_LOCATION: usize = 2048;
/// Longer "schemes" are not worth repeating in an error.
const MAX_SCHEME: usize = 32;

/// The operator's choices for all stores.
#[derive(Debug, Clone)]
pub(crate) struct Settings {
    /// Scheme of the store for uploads that name none.
    pub(crate) default_store: String,
    /// The drivers that are there (`stores`); without one its locations are those of no store.
    pub(crate) enabled: Vec<String>,
    pub(crate) filesystem: filesystem::Settings,
    pub(crate) http: http::Settings,
}

/// Why the stores cannot be opened; the service must not start.
#[derive(Debug, thiserror::Error)]
pub(crate) enum OpenError {
    /// `default_store` is the scheme of no store: the program ends with 255 (v1-system §2).
    #[error("Default store {0} not available on this Glance server")]
    UnknownDefault(String),
    /// An option's value is unusable; the text names the option.
    #[error("{0}")]
    BadSetting(String),
}

/// Every store of this service.
#[derive(Debug)]
pub(crate) struct Stores {
    stores: Vec<Arc<dyn Store>>,
    default_store: String,
}

impl Stores {
    /// Opens all stores. Incomplete settings only disable adding to a store. Blocks.
    pub(crate) fn open(settings: &Settings) -> std::result::Result<Self, OpenError> {
        let enabled = |driver: &str| settings.enabled.iter().any(|name| name.eq_ignore_ascii_case(driver));
        let mut stores: Vec<Arc<dyn Store>> = Vec::new();
        if enabled("file") || enabled("filesystem") {
            stores.push(Arc::new(Filesystem::open(&settings.filesystem)));
        }
        if enabled("http") || enabled("https") {
            stores.push(Arc::new(Http::open(&settings.http).map_err(OpenError::BadSetting)?));
        }
        stores.extend(unavailable::STORES.into_iter().map(|store| Arc::new(store) as Arc<dyn Store>));
        let stores = Self { stores, default_store: settings.default_store.clone() };
        match stores.by_name(&stores.default_store) {
            None => return Err(OpenError::UnknownDefault(stores.default_store)),
            Some(store) if unavailable::is_one(store.as_ref()) => {
                tracing::error!(store = stores.default_store, "not available in this release: disabling add method");
            }
            Some(_) => {}
        }
        Ok(stores)
    }

    /// Scheme of the store for uploads that name none; [`Stores::by_name`] knows it.
    pub(crate) fn default_store(&self) -> &str {
        &self.default_store
    }

    /// The store that `scheme` names, in any case.
    pub(crate) fn by_name(&self, scheme: &str) -> Option<&Arc<dyn Store>> {
        let scheme = scheme.trim().to_ascii_lowercase();
        self.stores.iter().find(|store| store.schemes().contains(&scheme.as_str()))
    }

    /// The store that the location `uri` lies in.
    pub(crate) fn for_uri(&self, uri: &str) -> Result<&Arc<dyn Store>> {
        let scheme = scheme_of(uri).ok_or_else(|| Error::BadLocation("The location has no URI scheme".to_owned()))?;
        self.by_name(&scheme).ok_or_else(|| Error::BadLocation(format!("Unknown scheme '{scheme}' found in URI")))
    }

    /// Whether a client may name `uri` as a location: only those of stores that say so, never of a kind that merely
    /// nobody thought to forbid (security S1, S16).
    pub(crate) fn check_client_location(&self, uri: &str) -> Result<()> {
        let refused = |text: String| Err(Error::BadLocation(text));
        if uri.chars().count() > MAX_CLIENT_LOCATION {
            return refused(format!("The location is longer than {MAX_CLIENT_LOCATION} characters"));
        }
        if uri.chars().any(char::is_control) {
            return refused("The location contains control characters".to_owned());
        }
        self.for_uri(uri)?.check_client_location(uri)
    }
}

/// The scheme of `uri` in lower case, if what stands before the first colon can be one (RFC 3986 §3.1).
///
/// Not left to the `url` crate, which refuses many valid store locations for what follows the scheme.
fn scheme_of(uri: &str) -> Option<String> {
    let (scheme, _) = uri.trim().split_once(':')?;
    let fits = scheme.starts_with(|c: char| c.is_ascii_alphabetic())
        && scheme.chars().all(|c| c.is_ascii_alphanumeric() || "+-.".contains(c))
        && scheme.len() <= MAX_SCHEME;
    fits.then(|| scheme.to_ascii_lowercase())
}

#[cfg(test)]
mod tests {
    use super::{Error, OpenError, Settings, Stores, filesystem, http};
    use crate::model::ImageId;
    use crate::store::ByteRange;

    fn settings(default_store: &str) -> Settings {
        Settings {
            default_store: default_store.to_owned(),
            enabled: vec!["file".to_owned(), "http".to_owned()],
            filesystem: filesystem::Settings::default(),
            http: http::Settings::default(),
        }
    }

    fn stores() -> Stores {
        Stores::open(&settings("file")).unwrap()
    }

    fn refusal(result: super::Result<impl std::fmt::Debug>) -> String {
        match result {
            Err(Error::BadLocation(text)) => text,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn a_default_store_of_no_driver_stops_the_start() {
        let error = Stores::open(&settings("shouldnotexist")).unwrap_err();
        assert!(matches!(error, OpenError::UnknownDefault(_)));
        assert_eq!(error.to_string(), "Default store shouldnotexist not available on this Glance server");
    }

    #[test]
    fn every_scheme_of_v1_is_registered() {
        for scheme in "file filesystem http https s3 s3+http s3+https swift swift+http swift+https rbd".split(' ') {
            let stores = Stores::open(&settings(scheme)).unwrap();
            assert!(stores.by_name(stores.default_store()).unwrap().schemes().contains(&scheme));
            let upper = scheme.to_uppercase();
            assert!(stores.for_uri(&format!(" {upper}://x")).unwrap().schemes().contains(&scheme));
        }
    }

    #[test]
    fn unknown_schemes_are_named_and_nothing_else() {
        let text = refusal(stores().for_uri("sheepdog://CANARY:secret@host"));
        assert_eq!(text, "Unknown scheme 'sheepdog' found in URI");
        for junk in ["", "x", "//CANARY", "://CANARY", "%66ile://CANARY", "CANARY/x:y", "-CANARY://x"] {
            assert!(!refusal(stores().for_uri(junk)).contains("CANARY"), "{junk}");
        }
    }

    #[test]
    fn clients_may_name_http_only() {
        let stores = stores();
        for uri in ["http://host/x", "https://host/x", "HTTP://u:p@host:80/x", " http://host/x "] {
            assert!(stores.check_client_location(uri).is_ok(), "{uri}");
        }
        let long = format!("http://host/{}", "x".repeat(2048));
        for uri in [
            "file:///CANARY",
            "FILE:///CANARY",
            "file:/CANARY",
            "file://localhost/CANARY",
            "filesystem:///CANARY",
            " file:///CANARY",
            "\tfile:///CANARY",
            "\u{a0}file:///CANARY",
            "%66ile:///CANARY",
            "fi\nle:///CANARY",
            "http://host/\0CANARY",
            "http://CANARY/x\n",
            "swift+config:CANARY",
            "swift+config://CANARY?x",
            "swift+http://u:CANARY@127.0.0.1:1/v1/c/o",
            "s3://k:CANARY@internal/b/k",
            "rbd://CANARY/otherpool/img/snap",
            "cinder://CANARY",
            "sheepdog://x;touch CANARY",
            "vsphere://CANARY",
            "javascript:CANARY",
            "",
            &long,
        ] {
            let text = refusal(stores.check_client_location(uri));
            assert!(!text.contains("CANARY") && !text.is_empty(), "{uri}: {text}");
        }
    }

    #[tokio::test]
    async fn stores_without_a_driver_say_so() {
        let stores = stores();
        for uri in ["s3://k:CANARY@host/b/o", "swift+config://CANARY/c/o", "rbd://CANARY"] {
            let store = stores.for_uri(uri).unwrap();
            let nothing = Box::pin(futures_util::stream::empty());
            let added = store.add(&ImageId::random(), nothing, None).await;
            assert!(matches!(added, Err(Error::AddDisabled)));
            let errors = [
                store.get(uri, ByteRange::default()).await.unwrap_err(),
                store.size(uri).await.unwrap_err(),
                store.delete(uri).await.unwrap_err(),
            ];
            for error in errors {
                let Error::Unsupported(text) = error else { panic!("{error:?}") };
                assert!(text.ends_with("store is not available in this release"), "{text}");
            }
        }
    }
}
