//! Limits and habits of the use cases: `[DEFAULT]` (configuration §3, v1-system §5.4).

use std::path::PathBuf;

use osloconf::Opt;

use super::front::PUBLIC_ENDPOINT;
use super::v2::SHOW_MULTIPLE_LOCATIONS;
use super::{Error, Loaded, Result};
use crate::images::Settings;

static IMAGE_SIZE_CAP: Opt =
    Opt::int("DEFAULT", "image_size_cap").default("1099511627776").min(1).help("Largest image in bytes");
static USER_STORAGE_QUOTA: Opt = Opt::str("DEFAULT", "user_storage_quota").default("0").empty_is_unset().help(
    "What all images of a project may take, with B, KB, MB, GB or TB after the number if it is not bytes; 0: any size",
);
static HASHING_ALGORITHM: Opt = Opt::str("DEFAULT", "hashing_algorithm")
    .default("sha512")
    .empty_is_unset()
    .help("What new data is hashed with, beside MD5: md5, sha1, sha224, sha256, sha384, sha512");
static DO_SECURE_HASH: Opt = Opt::bool("DEFAULT", "do_secure_hash")
    .default("true")
    .help("Read the data at locations that clients of v2 add by POST, for its digests");
static HTTP_RETRIES: Opt = Opt::int("DEFAULT", "http_retries")
    .default("3")
    .range(0, 1000)
    .help("How often in a row such data is asked for again where it fails");
static IMAGE_PROPERTY_QUOTA: Opt = Opt::int("DEFAULT", "image_property_quota")
    .default("128")
    .help("Properties an image may have; negative: any number");
static IMAGE_PATCH_QUOTA: Opt = Opt::int("DEFAULT", "image_patch_quota")
    .default("1000")
    .help("Operations a patch of an image may have; negative: any number");
static IMAGE_TAG_QUOTA: Opt =
    Opt::int("DEFAULT", "image_tag_quota").default("128").help("Tags an image may have; negative: any number");
static IMAGE_MEMBER_QUOTA: Opt =
    Opt::int("DEFAULT", "image_member_quota").default("128").help("Members an image may have; negative: any number");
static IMAGE_LOCATION_QUOTA: Opt =
    Opt::int("DEFAULT", "image_location_quota").default("10").help("Locations an image may have; negative: any number");
static DELAYED_DELETE: Opt =
    Opt::bool("DEFAULT", "delayed_delete").default("false").help("Leave the data of deleted images to the scrubber");
pub(super) static SCRUB_TIME: Opt =
    Opt::int("DEFAULT", "scrub_time").default("0").min(0).help("Seconds that deleted data is kept for");
pub(super) static SCRUBBER_DATADIR: Opt = Opt::str("DEFAULT", "scrubber_datadir")
    .default("/var/lib/glance/scrubber")
    .empty_is_unset()
    .help("Where the scrubber's work is queued");
static UPLOAD_JOURNAL_DIR: Opt = Opt::str("DEFAULT", "upload_journal_dir").empty_is_unset().help(
    "Where unfinished uploads and deletions are noted, for the next start of any server that shares it to clean up what \
     a crash left; share it wherever images are shared. Default: .journal below filesystem_store_datadir, or below that \
     of filesystem_store_datadirs which has the lowest priority (of several stores: those of the first file store in \
     enabled_backends), or else below the data directory",
);
pub(super) static NODE_STAGING_URI: Opt = Opt::str("DEFAULT", "node_staging_uri")
    .default("file:///tmp/staging/")
    .empty_is_unset()
    .help("Directory where data waits for its import, as file:///path; no two deployments may share it");
pub(super) static WORKER_SELF_REFERENCE_URL: Opt = Opt::str("DEFAULT", "worker_self_reference_url")
    .empty_is_unset()
    .help("Where other servers reach this one, default: public_endpoint; what centralized_db knows its cache by");
static REQUIRE_IMAGE_FORMAT_MATCH: Opt = Opt::bool("image_format", "require_image_format_match")
    .default("true")
    .help("Refuse data that is not of the image's disk_format (v2, container_format bare)");
static GPT_SAFETY_CHECKS_NONFATAL: Opt = Opt::list("image_format", "gpt_safety_checks_nonfatal")
    .default("")
    .help("Safety checks that disks with a partition table need not pass: mbr");
static TASK_POOL_THREADS: Opt =
    Opt::int("wsgi", "task_pool_threads").default("16").range(1, 4096).help("Copies fetched at the same time");

pub(super) static OPTIONS: &[&Opt] = &[
    &IMAGE_SIZE_CAP,
    &USER_STORAGE_QUOTA,
    &HASHING_ALGORITHM,
    &DO_SECURE_HASH,
    &HTTP_RETRIES,
    &IMAGE_PROPERTY_QUOTA,
    &IMAGE_PATCH_QUOTA,
    &IMAGE_TAG_QUOTA,
    &IMAGE_MEMBER_QUOTA,
    &IMAGE_LOCATION_QUOTA,
    &DELAYED_DELETE,
    &SCRUB_TIME,
    &SCRUBBER_DATADIR,
    &UPLOAD_JOURNAL_DIR,
    &NODE_STAGING_URI,
    &WORKER_SELF_REFERENCE_URL,
    &REQUIRE_IMAGE_FORMAT_MATCH,
    &GPT_SAFETY_CHECKS_NONFATAL,
    &TASK_POOL_THREADS,
];

impl Loaded {
    /// Limits and habits.
    pub(crate) fn images(&self) -> Result<Settings> {
        let conf = &self.conf;
        // Negative means no limit.
        let quota = |opt| self.integer(opt).map(|quota| usize::try_from(quota).ok());
        let hashing_algorithm = conf.str(&HASHING_ALGORITHM)?.unwrap_or_default().parse().map_err(
            |unknown: fastio::hash::UnknownAlgorithm| Error::Invalid {
                option: "hashing_algorithm",
                reason: unknown.to_string(),
            },
        )?;
        let upload_journal_dir = match conf.str(&UPLOAD_JOURNAL_DIR)? {
            Some(dir) => PathBuf::from(dir),
            None => {
                // Of several directories the one that is full last: without a journal no upload is taken.
                let first_store = self.image_directories()?.into_iter().next();
                first_store
                    .and_then(|mut directories| directories.pop())
                    .unwrap_or_else(|| self.data_dir.clone())
                    .join(".journal")
            }
        };
        let stage_host = match conf.str(&WORKER_SELF_REFERENCE_URL)? {
            Some(url) => Some(url),
            None => conf.str(&PUBLIC_ENDPOINT)?,
        };
        Ok(Settings {
            staging_dir: self.staging_dir()?,
            stage_host,
            format_rules: imgformat::Rules {
                require_match: conf.bool(&REQUIRE_IMAGE_FORMAT_MATCH)?,
                gpt_nonfatal: conf.list(&GPT_SAFETY_CHECKS_NONFATAL)?,
            },
            hashing_algorithm,
            secure_hash: conf.bool(&DO_SECURE_HASH)?,
            hash_retries: u32::try_from(self.natural(&HTTP_RETRIES)?).unwrap_or(u32::MAX),
            upload_journal_dir,
            property_quota: quota(&IMAGE_PROPERTY_QUOTA)?,
            patch_quota: quota(&IMAGE_PATCH_QUOTA)?,
            tag_quota: quota(&IMAGE_TAG_QUOTA)?,
            member_quota: quota(&IMAGE_MEMBER_QUOTA)?,
            location_quota: quota(&IMAGE_LOCATION_QUOTA)?,
            show_multiple_locations: conf.bool(&SHOW_MULTIPLE_LOCATIONS)?,
            image_size_cap: self.natural(&IMAGE_SIZE_CAP)?,
            storage_quota: self.storage_quota()?,
            delayed_delete: conf.bool(&DELAYED_DELETE)?,
            scrub_time: self.natural(&SCRUB_TIME)?,
            scrubber_datadir: PathBuf::from(conf.str(&SCRUBBER_DATADIR)?.unwrap_or_default()),
            concurrent_copies: usize::try_from(self.natural(&TASK_POOL_THREADS)?).unwrap_or(1).max(1),
        })
    }

    /// Bytes that all images of an owner may take.
    pub(super) fn storage_quota(&self) -> Result<Option<u64>> {
        let text = self.conf.str(&USER_STORAGE_QUOTA)?.unwrap_or_default();
        let digits = text.trim_end_matches(|c: char| c.is_ascii_alphabetic());
        let shift = match &text[digits.len()..] {
            "" | "B" => 0,
            "KB" => 10,
            "MB" => 20,
            "GB" => 30,
            "TB" => 40,
            _ => 64,
        };
        let bytes = digits.parse::<u64>().ok().and_then(|number| number.checked_mul(1_u64.checked_shl(shift)?));
        let invalid = || Error::Invalid {
            option: USER_STORAGE_QUOTA.name,
            reason: format!("'{text}' is no number, or none with B, KB, MB, GB or TB right behind it"),
        };
        match bytes.ok_or_else(invalid)? {
            0 => Ok(None),
            bytes => self.needs_database(&USER_STORAGE_QUOTA).map(|()| Some(bytes)),
        }
    }

    /// An error where a v1 registry keeps the metadata: `option` is about what is stored.
    pub(super) fn needs_database(&self, option: &Opt) -> Result<()> {
        if self.has_database() || self.registry()?.is_none() {
            return Ok(());
        }
        let reason = "a v1 registry cannot tell how much is stored, only a database can".to_owned();
        Err(Error::Invalid { option: option.name, reason })
    }
}
