//! Options of Glance, and of the libraries below it, that stand in operators' files and have no effect here
//! (configuration §1.8, §3 to §14, v1-system §9, §10).
//!
//! They are declared all the same, so that nobody is told that an option is unknown which Glance documents. What is
//! given a default (`name=default`) is worth no word while it is set to that.

mod stores;
mod tables;

use std::sync::LazyLock;

use osloconf::Opt;

pub(super) use tables::GROUPS;

/// Options of one group that have no effect for one reason.
struct Table {
    group: &'static str,
    /// Why, to be read after "has no effect".
    why: &'static str,
    /// The names, between blanks.
    names: &'static str,
}

/// Of these, the ones whose value must not be shown.
const SECRETS: [&str; 18] = [
    "transport_url",
    "notification_transport_url",
    "admin_token",
    "admin_password",
    "slave_connection",
    "asyncio_connection",
    "asyncio_slave_connection",
    "memcache_secret_key",
    "memcache_password",
    "rabbit_password",
    "qpid_password",
    "s3_store_access_key",
    "s3_store_secret_key",
    "swift_store_key",
    "swift_store_application_credential_secret",
    "cinder_store_password",
    "cinder_store_application_credential_secret",
    "vmware_server_password",
];

/// Every option that has no effect, but for those that are declared beside their siblings.
pub(super) fn options() -> impl Iterator<Item = &'static Opt> {
    static OPTIONS: LazyLock<Vec<Opt>> = LazyLock::new(|| {
        let tables = tables::TABLES.iter().flat_map(|table| declared(table, table.group));
        // Of old, stores had no group of their own.
        let stores = ["glance_store", "DEFAULT"];
        tables
            .chain(stores.iter().flat_map(|group| stores::TABLES.iter().flat_map(|(_, table)| declared(table, group))))
            .collect()
    });
    OPTIONS.iter()
}

/// Those of a kind of store, in whatever group.
pub(super) fn of_store(kind: &str) -> impl Iterator<Item = Opt> {
    stores::TABLES.iter().filter(move |(of, _)| *of == kind).flat_map(|(_, table)| declared(table, table.group))
}

fn declared(table: &Table, group: &'static str) -> impl Iterator<Item = Opt> {
    table.names.split_whitespace().map(move |entry| {
        let (name, default) = entry.split_once('=').map_or((entry, None), |(name, default)| (name, Some(default)));
        let opt = Opt::str(group, name).empty_is_unset().ignored(table.why);
        let opt = default.map_or(opt, |default| opt.default(default));
        if SECRETS.contains(&name) { opt.secret() } else { opt }
    })
}

#[cfg(test)]
mod tests;
