//! The registered stores: which driver a location or a store's name means.
//!
//! Locations may carry credentials: no error and no log line here tells more of one than its scheme.

use std::sync::Arc;

use serde_json::{Map, Value};

use super::filesystem::{self, Filesystem};
use super::http::{self, Http};
use super::unavailable::{self, Unavailable};
use super::{Address, Error, Result, STORE_NOTE, ServiceStore, Store};
use crate::model::ImageId;

/// Longest location a client may name, in characters.
const MAX_CLIENT_LOCATION: usize = 2048;
/// Longer "schemes" are not worth repeating in an error.
const MAX_SCHEME: usize = 32;

/// The operator's choices for all stores.
#[derive(Debug, Clone)]
#[expect(clippy::large_enum_variant, reason = "a process has one")]
pub(crate) enum Settings {
    /// One store of each kind, named by the schemes of its locations.
    Single {
        /// Scheme of the store for uploads that name none.
        default_store: String,
        /// The drivers that are there (`stores`); without one its locations are those of no store.
        enabled: Vec<String>,
        filesystem: filesystem::Settings,
        http: http::Settings,
    },
    /// Stores of any kinds, each with a name (`enabled_backends`).
    Several {
        /// The id of the store for uploads that name none: one of these.
        default_backend: String,
        /// In the order in which they are told of.
        stores: Vec<NamedSettings>,
    },
}

impl Settings {
    /// The same, but that file stores have no directories: then there is nothing that opening would create.
    pub(crate) fn without_directories(self) -> Self {
        let none = |settings| filesystem::Settings { datadir: None, datadirs: Vec::new(), ..settings };
        match self {
            Self::Single { default_store, enabled, filesystem, http } => {
                Self::Single { default_store, enabled, filesystem: none(filesystem), http }
            }
            Self::Several { default_backend, mut stores } => {
                for store in &mut stores {
                    if let Driver::File(settings) = &mut store.driver {
                        *settings = none(settings.clone());
                    }
                }
                Self::Several { default_backend, stores }
            }
        }
    }
}

/// The operator's choices for one of several stores.
#[derive(Debug, Clone)]
pub(crate) struct NamedSettings {
    pub(crate) id: String,
    pub(crate) description: Option<String>,
    pub(crate) weight: i64,
    pub(crate) driver: Driver,
}

/// A kind of store, and the operator's choices for its driver.
#[derive(Debug, Clone)]
pub(crate) enum Driver {
    File(filesystem::Settings),
    Http(http::Settings),
    /// Known by name only.
    Unavailable(Unavailable),
}

impl Driver {
    /// A kind that is known by name only, if it is one.
    pub(crate) fn unavailable(kind: &str) -> Option<Self> {
        unavailable::of_kind(kind).map(Self::Unavailable)
    }

    /// What operators call its kind.
    fn kind(&self) -> &'static str {
        match self {
            Self::File(_) => "file",
            Self::Http(_) => "http",
            Self::Unavailable(store) => store.name,
        }
    }

    fn open(&self) -> std::result::Result<Box<dyn Store>, OpenError> {
        Ok(match self {
            Self::File(settings) => Box::new(Filesystem::open(settings)),
            Self::Http(settings) => Box::new(Http::open(settings).map_err(OpenError::BadSetting)?),
            Self::Unavailable(store) => Box::new(*store),
        })
    }
}

/// Why the stores cannot be opened; the service must not start.
#[derive(Debug, thiserror::Error)]
pub(crate) enum OpenError {
    /// `default_store` is the scheme of no store: the program ends with 255 (v1-system §2).
    #[error("Default store {0} not available on this Glance server")]
    UnknownDefault(String),
    /// `default_backend` is the id of no store.
    #[error("Store for identifier {0} not found")]
    UnknownDefaultBackend(String),
    /// An option's value is unusable; the text names the option.
    #[error("{0}")]
    BadSetting(String),
}

/// Every store of this service.
#[derive(Debug)]
pub(crate) struct Stores {
    stores: Vec<Arc<ServiceStore>>,
    /// Uploads that name none go here.
    default: Arc<ServiceStore>,
    /// They are told apart by ids, not by schemes.
    several: bool,
}

impl Stores {
    /// Opens all stores. Incomplete settings only disable adding to a store. Blocks.
    pub(crate) fn open(settings: &Settings) -> std::result::Result<Self, OpenError> {
        match settings {
            Settings::Single { default_store, enabled, filesystem, http } => {
                let is_enabled = |names: [&str; 2]| {
                    enabled.iter().any(|one| names.iter().any(|name| one.eq_ignore_ascii_case(name)))
                };
                let file = is_enabled(["file", "filesystem"]).then(|| Driver::File(filesystem.clone()));
                let http = is_enabled(["http", "https"]).then(|| Driver::Http(http.clone()));
                let drivers = file.into_iter().chain(http).chain(unavailable::STORES.map(Driver::Unavailable));
                let stores = drivers.map(|driver| unnamed(&driver)).collect::<std::result::Result<_, _>>()?;
                let unknown = || OpenError::UnknownDefault(default_store.clone());
                Self::of(stores, false, default_store).ok_or_else(unknown)
            }
            Settings::Several { default_backend, stores } => {
                let stores = stores.iter().map(|store| named(store, default_backend));
                let stores = stores.collect::<std::result::Result<_, _>>()?;
                let unknown = || OpenError::UnknownDefaultBackend(default_backend.clone());
                Self::of(stores, true, default_backend).ok_or_else(unknown)
            }
        }
    }

    /// These stores; `None` if none of them is called `default`.
    fn of(stores: Vec<Arc<ServiceStore>>, several: bool, default: &str) -> Option<Self> {
        let chosen = Arc::clone(called(&stores, several, default)?);
        if unavailable::is_one(chosen.as_ref()) {
            tracing::error!(store = default, "not available in this release: disabling add method");
        }
        Some(Self { stores, default: chosen, several })
    }

    /// The store for uploads that name none.
    pub(crate) fn default_store(&self) -> &Arc<ServiceStore> {
        &self.default
    }

    /// All stores, if there are several to choose from by their ids.
    pub(crate) fn several(&self) -> Option<&[Arc<ServiceStore>]> {
        self.several.then_some(&self.stores)
    }

    /// The store that a client names: by its id, or where stores have none by a scheme, in any case.
    pub(crate) fn by_name(&self, name: &str) -> Option<&Arc<ServiceStore>> {
        called(&self.stores, self.several, name)
    }

    /// Whether locations with `scheme` are those of any store.
    pub(crate) fn know(&self, scheme: &str) -> bool {
        self.stores.iter().any(|store| store.schemes().contains(&scheme))
    }

    /// The store that an object lies in: the one that is noted, if it takes such locations; else the one that the URI
    /// begins like; else, if none is noted at all, the first that takes such locations (stores §3.1). Who notes a store that
    /// is not here means that one: another one may have something else of the same name.
    pub(crate) fn at(&self, address: &Address) -> Result<&Arc<ServiceStore>> {
        let Address { uri, store: noted } = address;
        let (first, fit) = self.of_scheme(uri)?;
        let Some(id) = noted.as_ref().filter(|_| self.several) else {
            return Ok(claimant(&fit, uri).unwrap_or(first));
        };
        let named = fit.iter().copied().find(|store| store.is_called(id));
        let elsewhere = || Error::Unavailable(format!("Store {id} is not available on this node"));
        named.or_else(|| claimant(&fit, uri)).ok_or_else(elsewhere)
    }

    /// The stores that take locations of this scheme, and the first of them.
    fn of_scheme(&self, uri: &str) -> Result<(&Arc<ServiceStore>, Vec<&Arc<ServiceStore>>)> {
        let scheme = scheme_of(uri).ok_or_else(|| Error::BadLocation("The location has no URI scheme".to_owned()))?;
        let fit: Vec<_> = self.stores.iter().filter(|store| store.schemes().contains(&scheme.as_str())).collect();
        let unknown = || Error::BadLocation(format!("Unknown scheme '{scheme}' found in URI"));
        Ok((fit.first().copied().ok_or_else(unknown)?, fit))
    }

    /// What should be noted of a location as the id of its store instead of what is: nothing names one of these stores so
    /// far, and the URI tells which it is (stores §3.1).
    pub(crate) fn better_note(&self, address: &Address) -> Option<&str> {
        let known = address.store.as_ref().is_some_and(|id| self.by_name(id).is_some());
        if !self.several || known {
            return None;
        }
        let (_, fit) = self.of_scheme(&address.uri).ok()?;
        claimant(&fit, &address.uri)?.id()
    }

    /// The store that a location lies in of which nothing is noted.
    pub(crate) fn for_uri(&self, uri: &str) -> Result<&Arc<ServiceStore>> {
        self.at(&Address::bare(uri))
    }

    /// `notes` of a new location, with the store that its URI begins like: of several stores that is the service's to say, and
    /// nobody else's.
    pub(crate) fn noted(&self, uri: &str, mut notes: Map<String, Value>) -> Map<String, Value> {
        if self.several {
            match self.better_note(&Address::bare(uri)) {
                Some(id) => notes.insert(STORE_NOTE.to_owned(), id.into()),
                None => notes.shift_remove(STORE_NOTE),
            };
        }
        notes
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

/// The store that a name means.
fn called<'a>(stores: &'a [Arc<ServiceStore>], several: bool, name: &str) -> Option<&'a Arc<ServiceStore>> {
    if several {
        return stores.iter().find(|store| store.is_called(name));
    }
    let scheme = name.trim().to_ascii_lowercase();
    stores.iter().find(|store| store.schemes().contains(&scheme.as_str()))
}

/// The one that the URI begins like, which of several is the one that says most of it: the directory of one store may lie
/// in that of another.
fn claimant<'a>(stores: &[&'a Arc<ServiceStore>], uri: &str) -> Option<&'a Arc<ServiceStore>> {
    // Of equals the last is the greatest.
    stores.iter().rev().copied().max_by_key(|store| store.claims(uri)).filter(|store| store.claims(uri).is_some())
}

/// The only store of its kind.
fn unnamed(driver: &Driver) -> std::result::Result<Arc<ServiceStore>, OpenError> {
    let (kind, driver) = (driver.kind(), driver.open()?);
    Ok(Arc::new(ServiceStore { id: None, kind, description: None, weight: 0, is_default: false, driver }))
}

/// One of several stores.
fn named(settings: &NamedSettings, default: &str) -> std::result::Result<Arc<ServiceStore>, OpenError> {
    let NamedSettings { id, description, weight, driver } = settings.clone();
    let (kind, is_default, driver) = (driver.kind(), id == default, driver.open()?);
    if driver.locations(&ImageId::random()).is_empty() && !driver.is_read_only() {
        tracing::warn!("nothing can be added to the store {id}");
    }
    Ok(Arc::new(ServiceStore { id: Some(id), kind, description, weight, is_default, driver }))
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
    use std::path::Path;

    use super::{Address, Driver, Error, NamedSettings, OpenError, Settings, Stores, filesystem, http};
    use crate::model::ImageId;
    use crate::store::{ByteRange, Store as _};

    fn settings(default_store: &str) -> Settings {
        Settings::Single {
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
            assert!(stores.default_store().schemes().contains(&scheme));
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

    fn file(dir: &Path) -> Driver {
        Driver::File(filesystem::Settings { datadir: Some(dir.to_owned()), ..filesystem::Settings::default() })
    }

    /// Stores of these ids, all of one weight; `fast` is the default one.
    fn several(stores: Vec<(&str, Driver)>) -> Result<Stores, OpenError> {
        let named =
            |(id, driver): (&str, Driver)| NamedSettings { id: id.to_owned(), description: None, weight: 0, driver };
        let stores = stores.into_iter().map(named).collect();
        Stores::open(&Settings::Several { default_backend: "fast".to_owned(), stores })
    }

    fn address(uri: &str, store: Option<&str>) -> Address {
        Address { uri: uri.to_owned(), store: store.map(str::to_owned) }
    }

    #[test]
    fn a_default_backend_of_no_id_stops_the_start() {
        let error = several(vec![("slow", Driver::Http(http::Settings::default()))]).unwrap_err();
        assert_eq!(error.to_string(), "Store for identifier fast not found");
    }

    #[test]
    fn ids_name_stores_and_schemes_do_not() {
        let dir = tempfile::tempdir().unwrap();
        let stores =
            several(vec![("fast", file(dir.path())), ("web", Driver::Http(http::Settings::default()))]).unwrap();
        assert_eq!(stores.default_store().id.as_deref(), Some("fast"));
        assert!(stores.by_name("web").unwrap().is_read_only());
        for name in ["file", "http", "FAST", " fast", ""] {
            assert!(stores.by_name(name).is_none(), "{name}");
        }
    }

    #[test]
    fn a_location_lies_in_the_noted_store_or_in_the_one_that_it_begins_like() {
        let dir = tempfile::tempdir().unwrap();
        let [outer, inner, beside] = ["images", "images/fast", "images2"].map(|name| dir.path().join(name));
        let rbd = Driver::unavailable("rbd").unwrap();
        let stores = vec![("outer", file(&outer)), ("fast", file(&inner)), ("beside", file(&beside)), ("rbd", rbd)];
        let stores = several(stores).unwrap();
        let [in_outer, in_inner, in_beside] =
            [&outer, &inner, &beside].map(|dir| format!("file://{}/x", dir.display()));
        for (uri, noted, lies_in, better) in [
            (in_outer.as_str(), None, Some("outer"), Some("outer")),
            (&in_inner, None, Some("fast"), Some("fast")),
            (&in_beside, None, Some("beside"), Some("beside")),
            (&in_beside, Some("gone"), Some("beside"), Some("beside")),
            // Directories are moved; who notes a store means it.
            (&in_beside, Some("outer"), Some("outer"), None),
            ("file:///elsewhere/x", Some("beside"), Some("beside"), None),
            ("file:///elsewhere/x", None, Some("outer"), None),
            ("file:///elsewhere/x", Some("gone"), None, None),
            // Nobody has files in there.
            (&in_inner, Some("rbd"), Some("fast"), None),
            ("rbd://f/p/i/s", None, Some("rbd"), None),
            ("rbd://f/p/i/s", Some("rbd"), Some("rbd"), None),
            ("http://host/x", None, None, None),
        ] {
            let address = address(uri, noted);
            let found = stores.at(&address).ok().and_then(|store| store.id.as_deref());
            assert_eq!(found, lies_in, "{address:?}");
            assert_eq!(stores.better_note(&address), better, "{address:?}");
        }
    }

    #[test]
    fn clients_do_not_say_which_store_a_location_lies_in() {
        let dir = tempfile::tempdir().unwrap();
        let said = serde_json::json!({"store": "fast", "rack": "7"}).as_object().unwrap().clone();
        let stores =
            several(vec![("fast", file(dir.path())), ("web", Driver::Http(http::Settings::default()))]).unwrap();
        for (uri, store) in [("http://host/x", Some("web")), ("file:///elsewhere/x", None), ("rbd://x", None)] {
            let notes = stores.noted(uri, said.clone());
            assert_eq!(Address::of(uri.to_owned(), &notes).store.as_deref(), store, "{uri}");
            assert_eq!(notes.get("rack"), said.get("rack"));
        }
        // Where there is only one store of a kind it is no word of ours.
        let single = Stores::open(&settings("file")).unwrap();
        assert_eq!(single.noted("http://host/x", said.clone()), said);
    }

    #[tokio::test]
    async fn what_one_of_several_stores_adds_names_it() {
        let dir = tempfile::tempdir().unwrap();
        for (stores, noted) in [
            (several(vec![("fast", file(dir.path()))]).unwrap(), Some("fast")),
            (
                Stores::open(&Settings::Single {
                    default_store: "file".to_owned(),
                    enabled: vec!["file".to_owned()],
                    filesystem: filesystem::Settings {
                        datadir: Some(dir.path().to_owned()),
                        ..filesystem::Settings::default()
                    },
                    http: http::Settings::default(),
                })
                .unwrap(),
                None,
            ),
        ] {
            let nothing = Box::pin(futures_util::stream::empty());
            let added = stores.default_store().add(&ImageId::random(), nothing, None).await.unwrap();
            assert_eq!(Address::of(added.uri, &added.metadata).store.as_deref(), noted);
        }
    }
}
