//! Stores: `[glance_store]`, of old in `[DEFAULT]` (configuration §6, v1-system §9). What each of several stores has in its
//! own group is in `backends.rs`, by these declarations.

use std::time::Duration;

use osloconf::Opt;

use super::{Error, Loaded, Result};
use crate::crypt::LocationCipher;
use crate::store::{Settings, filesystem, http};

pub(super) static DEFAULT_STORE: Opt = Opt::str("glance_store", "default_store")
    .deprecated(&[("DEFAULT", "default_store")])
    .default("file")
    .empty_is_unset()
    .help("Scheme of the store for new data");
pub(super) static STORES: Opt = Opt::list("glance_store", "stores")
    .default("file,http")
    .help("Drivers that are there: file, http. Data of images in others cannot be reached");
pub(super) static FILESYSTEM_STORE_DATADIR: Opt = Opt::str("glance_store", "filesystem_store_datadir")
    .deprecated(&[("DEFAULT", "filesystem_store_datadir")])
    .empty_is_unset()
    .help("Directory of the file store");
pub(super) static FILESYSTEM_STORE_DATADIRS: Opt = Opt::multi("glance_store", "filesystem_store_datadirs")
    .deprecated(&[("DEFAULT", "filesystem_store_datadirs")])
    .empty_is_unset()
    .help(
        "Several directories instead, each path:priority; of the highest priority the one with the most room is taken",
    );
static FILESYSTEM_STORE_METADATA_FILE: Opt = Opt::str("glance_store", "filesystem_store_metadata_file")
    .deprecated(&[("DEFAULT", "filesystem_store_metadata_file")])
    .empty_is_unset()
    .help("JSON file of what is noted of its locations: {\"id\": …, \"mountpoint\": …}, or a list of these");
static FILESYSTEM_STORE_FILE_PERM: Opt = Opt::int("glance_store", "filesystem_store_file_perm")
    .deprecated(&[("DEFAULT", "filesystem_store_file_perm")])
    .default("0")
    .range(0, 777)
    .help("Mode of its files, its digits read as octal; 0: by umask");
pub(super) static FILESYSTEM_STORE_CHUNK_SIZE: Opt = Opt::int("glance_store", "filesystem_store_chunk_size")
    .deprecated(&[("DEFAULT", "filesystem_store_chunk_size")])
    .default("65536")
    .range(1, 1_073_741_824)
    .help("Bytes read or written at once, at least");
static FILESYSTEM_THIN_PROVISIONING: Opt = Opt::bool("glance_store", "filesystem_thin_provisioning")
    .deprecated(&[("DEFAULT", "filesystem_thin_provisioning")])
    .default("false")
    .help("Leave holes in its files where an image has nothing but zeros");
static FILESYSTEM_STORE_TIMEOUT: Opt = Opt::int("glance_store", "filesystem_store_timeout")
    .default("0")
    .min(0)
    .help("Seconds that opening, measuring or removing a file may take; 0: any time");
static HTTP_PROXY_INFORMATION: Opt = Opt::dict("glance_store", "http_proxy_information")
    .help("Proxies to http stores, as http:http://proxy:3128,https:http://proxy:3128");
static HTTPS_CA_CERTIFICATES_FILE: Opt =
    Opt::str("glance_store", "https_ca_certificates_file").empty_is_unset().help("Authorities that sign https stores");
static HTTPS_INSECURE: Opt =
    Opt::bool("glance_store", "https_insecure").default("true").help("Do not verify the certificates of https stores");
static HTTP_CONNECT_TIMEOUT: Opt =
    Opt::int("glance_store", "http_connect_timeout").default("5").min(1).help("Seconds to reach an http store");
static HTTP_READ_TIMEOUT: Opt =
    Opt::int("glance_store", "http_read_timeout").default("60").min(1).help("Seconds an http store may keep silent");
static METADATA_ENCRYPTION_KEY: Opt = Opt::str("DEFAULT", "metadata_encryption_key")
    .empty_is_unset()
    .secret()
    .help("Encrypts locations in the metadata: 16, 24 or 32 bytes");

pub(super) static OPTIONS: &[&Opt] = &[
    &DEFAULT_STORE,
    &FILESYSTEM_STORE_DATADIR,
    &FILESYSTEM_STORE_DATADIRS,
    &STORES,
    &FILESYSTEM_STORE_TIMEOUT,
    &HTTP_PROXY_INFORMATION,
    &FILESYSTEM_STORE_METADATA_FILE,
    &FILESYSTEM_STORE_FILE_PERM,
    &FILESYSTEM_STORE_CHUNK_SIZE,
    &FILESYSTEM_THIN_PROVISIONING,
    &HTTPS_CA_CERTIFICATES_FILE,
    &HTTPS_INSECURE,
    &HTTP_CONNECT_TIMEOUT,
    &HTTP_READ_TIMEOUT,
    &METADATA_ENCRYPTION_KEY,
];

/// Those of a file store.
pub(super) static FILE_OPTIONS: &[&Opt] = &[
    &FILESYSTEM_STORE_DATADIR,
    &FILESYSTEM_STORE_DATADIRS,
    &FILESYSTEM_STORE_METADATA_FILE,
    &FILESYSTEM_STORE_FILE_PERM,
    &FILESYSTEM_STORE_CHUNK_SIZE,
    &FILESYSTEM_STORE_TIMEOUT,
    &FILESYSTEM_THIN_PROVISIONING,
];
/// Those of an http store.
pub(super) static HTTP_OPTIONS: &[&Opt] =
    &[&HTTPS_CA_CERTIFICATES_FILE, &HTTPS_INSECURE, &HTTP_CONNECT_TIMEOUT, &HTTP_READ_TIMEOUT, &HTTP_PROXY_INFORMATION];

impl Loaded {
    /// The stores.
    pub(crate) fn stores(&self) -> Result<Settings> {
        if let Some(several) = self.several_stores()? {
            return Ok(several);
        }
        Ok(Settings::Single {
            default_store: self.conf.str(&DEFAULT_STORE)?.unwrap_or_default(),
            enabled: self.conf.list(&STORES)?,
            filesystem: self.file_store(|opt| *opt)?,
            http: self.http_store(|opt| *opt)?,
        })
    }

    /// A file store, whose options are where `at` finds them.
    pub(super) fn file_store(&self, at: impl Fn(&Opt) -> Opt) -> Result<filesystem::Settings> {
        let conf = &self.conf;
        Ok(filesystem::Settings {
            datadir: conf.str(&at(&FILESYSTEM_STORE_DATADIR))?.map(Into::into),
            datadirs: conf.multi(&at(&FILESYSTEM_STORE_DATADIRS))?,
            metadata_file: conf.str(&at(&FILESYSTEM_STORE_METADATA_FILE))?.map(Into::into),
            file_perm: u32::try_from(self.natural(&at(&FILESYSTEM_STORE_FILE_PERM))?).unwrap_or(0),
            chunk_size: usize::try_from(self.natural(&at(&FILESYSTEM_STORE_CHUNK_SIZE))?).unwrap_or(usize::MAX),
            timeout: Some(self.natural(&at(&FILESYSTEM_STORE_TIMEOUT))?).filter(|s| *s > 0).map(Duration::from_secs),
            thin_provisioning: conf.bool(&at(&FILESYSTEM_THIN_PROVISIONING))?,
        })
    }

    /// An http store, whose options are where `at` finds them.
    pub(super) fn http_store(&self, at: impl Fn(&Opt) -> Opt) -> Result<http::Settings> {
        let conf = &self.conf;
        Ok(http::Settings {
            connect_timeout: Duration::from_secs(self.natural(&at(&HTTP_CONNECT_TIMEOUT))?),
            first_byte_timeout: Duration::from_secs(self.natural(&at(&HTTP_READ_TIMEOUT))?),
            read_timeout: Duration::from_secs(self.natural(&at(&HTTP_READ_TIMEOUT))?),
            https_insecure: conf.bool(&at(&HTTPS_INSECURE))?,
            https_ca_certificates_file: conf.str(&at(&HTTPS_CA_CERTIFICATES_FILE))?.map(Into::into),
            proxies: conf.dict(&at(&HTTP_PROXY_INFORMATION))?,
        })
    }

    /// What encrypts locations, if anything does.
    pub(crate) fn cipher(&self) -> Result<Option<LocationCipher>> {
        let key = self.conf.str(&METADATA_ENCRYPTION_KEY)?;
        let cipher = key.map(|key| LocationCipher::new(&key)).transpose();
        cipher.map_err(|bad| Error::Invalid { option: "metadata_encryption_key", reason: bad.to_string() })
    }
}
