//! Putting the rooms together as the configuration says.

use std::sync::Arc;

use tokio::sync::OnceCell;

use crate::cache::{self, Cache};
use crate::config::Loaded;
use crate::db::Metadata;
use crate::db::registry::RegistryClient;
use crate::db::sql::Sql;
use crate::images::{Images, Parts};
use crate::store::Stores;

/// Whom a program asks for metadata.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum MetadataSide {
    /// The database if one is configured, else the registry if one is, else the embedded database.
    Configured,
    /// As above, but a registry at its default address rather than an embedded database.
    RegistryByDefault,
}

/// The rooms of one program. All that are in the database share its connections.
#[derive(Debug)]
pub(super) struct Assembly<'a> {
    pub(super) loaded: &'a Loaded,
    database: OnceCell<Sql>,
}

impl<'a> Assembly<'a> {
    /// Nothing is opened yet.
    pub(super) fn of(loaded: &'a Loaded) -> Self {
        Self { loaded, database: OnceCell::new() }
    }

    /// The database, its tables created if it is empty.
    pub(super) async fn database(&self) -> anyhow::Result<&Sql> {
        self.database.get_or_try_init(|| open_database(self.loaded)).await
    }

    /// The metadata that the configuration names.
    async fn metadata(&self, side: MetadataSide) -> anyhow::Result<Arc<dyn Metadata>> {
        let loaded = self.loaded;
        if !loaded.has_database() {
            if let Some(settings) = loaded.registry()? {
                return Ok(Arc::new(RegistryClient::new(&settings)?));
            }
            if side == MetadataSide::RegistryByDefault {
                return Ok(Arc::new(RegistryClient::new(&loaded.registry_or_default()?)?));
            }
        }
        Ok(Arc::new(self.database().await?.clone()))
    }

    /// The cache of this node; the inner error is one that images can be served with.
    pub(super) async fn cache(&self) -> anyhow::Result<cache::Result<Arc<Cache>>> {
        let settings = self.loaded.cache()?;
        let rows = match self.loaded.cache_node(&settings)? {
            Some(node) => Some(self.database().await?.cached_on(node)),
            None => None,
        };
        Ok(Cache::open(settings, rows).await)
    }

    /// The use cases over everything that is configured.
    pub(super) async fn images(&self, side: MetadataSide, cache: Option<Arc<Cache>>) -> anyhow::Result<Images> {
        let loaded = self.loaded;
        let stores = Stores::open(&loaded.stores()?)?;
        Ok(Images::new(Parts {
            metadata: self.metadata(side).await?,
            stores: Arc::new(stores),
            cache,
            policy: loaded.policy()?,
            limits: loaded.limits()?,
            notifier: loaded.notifier()?,
            cipher: loaded.cipher()?,
            settings: loaded.images()?,
        }))
    }
}

async fn open_database(loaded: &Loaded) -> anyhow::Result<Sql> {
    let settings = loaded.database()?;
    if !loaded.has_database() {
        let dir = loaded.data_dir();
        std::fs::create_dir_all(dir)
            .map_err(|error| anyhow::anyhow!("Unable to create the data directory {}: {error}", dir.display()))?;
    }
    let sql = Sql::connect(&settings)?;
    sql.wait_for_server().await?;
    // An older schema is the operator's to migrate; only an empty database is ours to fill.
    sql.check_schema().await?;
    sql.sync_schema().await?;
    Ok(sql)
}
