//! Metadata in SQL: Glance's own tables, schema and row rules, on SQLite, PostgreSQL and MySQL.
//!
//! Statements are built by sea-query; only [`dialect`] and the schema know which database they go to. A change is one
//! session, so it happens as a whole or not at all, and may be tried again; single images are read together ([`gather`]).

mod cached_images;
mod children;
mod dialect;
mod error;
mod gather;
mod having;
mod image_find;
mod image_get;
mod image_tag;
mod image_write;
mod listing;
mod locations;
mod members;
mod order;
mod own_indexes;
mod pool;
mod properties;
mod purge;
mod retry;
mod rows;
mod schema;
mod settings;
mod sharings;
mod sqlite_file;
mod statement;
mod tags;
#[cfg(test)]
mod tests;
mod unicode;
mod url;
mod usage;

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use tokio::sync::OnceCell;

pub(crate) use cached_images::CachedOnNode;
pub(crate) use purge::Purge;
pub(crate) use retry::Retry;
pub(crate) use schema::{EXPAND_HEAD, HEAD, Report, SchemaError};
pub(crate) use settings::{PageLimits, Settings};
pub(crate) use url::BadUrl;

use self::dialect::Dialect;
use self::gather::Gather;
use self::pool::Pool;
use self::sqlite_file::{Memory, PageKey};
use crate::db::{Error, Metadata, Result, Step, UpdateMode};
use crate::model::{
    Context, Image, ImageFields, ImageId, ImageQuery, Listing, Location, Member, MemberStatus, Membership, Resource,
    Sharing,
};

/// A database of image records. Clones share its connections.
#[derive(Debug, Clone)]
pub(crate) struct Sql {
    pool: Pool,
    retry: Retry,
    /// Attempts to reach the server at the start after the first, `None`: no end; and the pause between.
    connecting: (Option<u32>, Duration),
    /// What the configuration says of encryption.
    encryption: String,
    page: PageLimits,
    gather: Gather,
    /// Images can be found by their children: asked once.
    indexed: Arc<OnceCell<bool>>,
}

impl Sql {
    /// Prepares access to the database; connections are opened when needed. Must run inside the runtime.
    pub(crate) fn connect(settings: &Settings) -> std::result::Result<Self, BadUrl> {
        Ok(Self {
            pool: Pool::open(settings)?,
            retry: settings.retry,
            connecting: (settings.max_retries, settings.retry_interval),
            encryption: url::encryption(&settings.connection),
            page: settings.page,
            gather: Gather::new(settings.retry),
            indexed: Arc::default(),
        })
    }

    /// What the database holds.
    pub(crate) async fn schema(&self) -> Result<Report> {
        self.retry.tried(|| async { schema::found(&mut self.pool.read().await?).await }).await
    }

    /// Waits until the server can be asked, as `max_retries` and `retry_interval` say. A file is there or it is not, and
    /// a certificate that is not trusted will not be.
    pub(crate) async fn wait_for_server(&self) -> Result<()> {
        let (times, pause) = self.connecting;
        let mut attempts = 0;
        loop {
            let Err(fault) = self.pool.reach().await.map_err(error::Fault::from) else { return Ok(()) };
            let distrust = fault.is_distrust();
            match Error::from(fault) {
                Error::Unavailable(reason) if !distrust && times.is_none_or(|times| attempts < times) => {
                    attempts += 1;
                    let pause = pause.as_secs();
                    tracing::warn!("the database cannot be reached{reason}; attempt {attempts} in {pause} s");
                }
                error if self.encryption.is_empty() => return Err(error),
                error => return Err(error.with(&format!(" ([database] connection says {})", self.encryption))),
            }
            tokio::time::sleep(pause).await;
        }
    }

    /// Refuses a database that is neither ready nor empty (an empty one is [`Sql::sync_schema`]'s to fill).
    pub(crate) async fn check_schema(&self) -> std::result::Result<(), SchemaError> {
        match self.schema().await?.refusal() {
            None | Some(SchemaError::Empty) => Ok(()),
            Some(refusal) => Err(refusal),
        }
    }

    /// Creates the schema when the database is empty, does nothing to one that is ready, and refuses any other:
    /// services do not migrate (database §12), that is [`Sql::migrate_schema`]'s.
    pub(crate) async fn sync_schema(&self) -> std::result::Result<(), SchemaError> {
        match self.schema().await?.refusal() {
            None => Ok(()),
            Some(SchemaError::Empty) => self.migrate_schema().await,
            Some(refusal) => Err(refusal),
        }
    }

    /// Brings an empty database, or one that lacks just the tables of 2024.1, to the head; refuses any other.
    pub(crate) async fn migrate_schema(&self) -> std::result::Result<(), SchemaError> {
        self.change_schema(false).await
    }

    /// The same, but leaves the last step, which changes nothing but the record of it, to [`Sql::migrate_schema`].
    pub(crate) async fn expand_schema(&self) -> std::result::Result<(), SchemaError> {
        self.change_schema(true).await
    }

    async fn change_schema(&self, only_expand: bool) -> std::result::Result<(), SchemaError> {
        let changed = self.retry.tried(|| async {
            let mut session = self.pool.begin().await?;
            session.lock_schema().await?;
            // Looked at inside the transaction: another process may have done the same.
            let report = schema::found(&mut session).await?;
            let changed = if only_expand {
                schema::expand(&mut session, &report).await
            } else {
                schema::migrate(&mut session, &report).await
            };
            session.unlock_schema().await?;
            let changed = changed?;
            session.commit().await?;
            Ok(changed)
        });
        changed.await?
    }

    /// Records a revision without touching a table.
    pub(crate) async fn stamp_schema(&self, revision: &str) -> Result<()> {
        self.retry
            .tried(|| async {
                let mut session = self.pool.begin().await?;
                schema::record(&mut session, revision).await?;
                session.commit().await
            })
            .await
    }

    /// Whether expand, migrate and contract are separate steps here (database §10.1).
    pub(crate) fn upgrades_in_steps(&self) -> bool {
        self.pool.dialect() != Dialect::Postgres
    }

    /// A page, read from the database.
    async fn page_of_list(&self, ctx: &Context, listing: &Listing) -> Result<Vec<Image>> {
        self.retry
            .tried(|| async {
                let mut session = self.pool.read().await?;
                let indexed = self.indexed.get_or_try_init(|| own_indexes::find_by_children(&mut session)).await;
                let indexed = *indexed?;
                listing::image_list(&mut session, ctx, listing, indexed).await
            })
            .await
    }
}

#[async_trait]
impl Metadata for Sql {
    async fn image_get(&self, ctx: &Context, id: &ImageId) -> Result<Image> {
        let image = self.gather.image(&self.pool, id).await?.ok_or_else(image_get::not_found)?;
        match image_get::plainly_visible(ctx, &image) {
            Some(seen) => seen?,
            None => {
                self.retry
                    .tried(|| async { image_get::visible_to_member(&mut self.pool.read().await?, ctx, &image).await })
                    .await?
            }
        }
        Ok(image)
    }

    async fn image_find(&self, ctx: &Context, query: &ImageQuery) -> Result<Vec<Image>> {
        let size = self.page.size(query.limit);
        self.retry
            .tried(|| async { image_find::image_find(&mut self.pool.read().await?, ctx, query, size).await })
            .await
    }

    async fn image_list(&self, ctx: &Context, listing: &Listing) -> Result<Vec<Image>> {
        let Some(file) = self.pool.file() else { return self.page_of_list(ctx, listing).await };
        let key = PageKey::of(ctx, listing);
        let memory = file.remembered().page(&key);
        if let Memory::Same(page) = memory {
            return Ok(Arc::unwrap_or_clone(page));
        }
        let page = self.page_of_list(ctx, listing).await?;
        if let Memory::None(version) = memory {
            file.remembered().keep_page(version, key, &page);
        }
        Ok(page)
    }

    async fn image_insert(&self, ctx: &Context, fields: ImageFields) -> Result<Image> {
        fields.validate(None, ctx.api)?;
        unicode::check_fields(&fields)?;
        let id = fields.id.clone().unwrap_or_else(ImageId::random);
        self.retry
            .tried(|| async { image_write::image_insert(self.pool.begin().await?, ctx, &id, &fields).await })
            .await
    }

    async fn image_update(&self, ctx: &Context, id: &ImageId, fields: ImageFields, mode: UpdateMode) -> Result<Image> {
        unicode::check_fields(&fields)?;
        self.retry
            .tried(|| async { image_write::image_update(self.pool.begin().await?, ctx, id, &fields, mode, None).await })
            .await
    }

    async fn image_relocate(
        &self,
        ctx: &Context,
        id: &ImageId,
        held: &[Location],
        fields: ImageFields,
        mode: UpdateMode,
    ) -> Result<Image> {
        unicode::check_fields(&fields)?;
        self.retry
            .tried(|| async {
                image_write::image_update(self.pool.begin().await?, ctx, id, &fields, mode, Some(held)).await
            })
            .await
    }

    async fn tag_add(&self, ctx: &Context, id: &ImageId, tag: &str, quota: Option<usize>) -> Result<Option<Image>> {
        unicode::check_tag(tag)?;
        self.retry.tried(|| async { image_tag::tag_add(self.pool.begin().await?, ctx, id, tag, quota).await }).await
    }

    async fn tag_remove(&self, ctx: &Context, id: &ImageId, tag: &str) -> Result<Image> {
        self.retry.tried(|| async { image_tag::tag_remove(self.pool.begin().await?, ctx, id, tag).await }).await
    }

    async fn image_delete(&self, ctx: &Context, id: &ImageId, step: Option<Step>) -> Result<()> {
        self.retry.tried(|| async { image_write::image_delete(self.pool.begin().await?, ctx, id, step).await }).await
    }

    async fn image_restore(&self, ctx: &Context, id: &ImageId) -> Result<()> {
        self.retry.tried(|| async { image_write::image_restore(self.pool.begin().await?, ctx, id).await }).await
    }

    async fn members(&self, ctx: &Context, id: &ImageId) -> Result<Vec<Member>> {
        self.retry.tried(|| async { members::members(&mut self.pool.read().await?, ctx, id).await }).await
    }

    async fn members_replace(&self, ctx: &Context, id: &ImageId, members: &[Membership]) -> Result<()> {
        members.iter().try_for_each(|membership| unicode::check_member(&membership.member))?;
        self.retry.tried(|| async { members::members_replace(self.pool.begin().await?, ctx, id, members).await }).await
    }

    async fn member_put(&self, ctx: &Context, id: &ImageId, member: &Membership) -> Result<()> {
        unicode::check_member(&member.member)?;
        self.retry.tried(|| async { members::member_put(self.pool.begin().await?, ctx, id, member).await }).await
    }

    async fn member_delete(&self, ctx: &Context, id: &ImageId, member: &str) -> Result<()> {
        self.retry.tried(|| async { members::member_delete(self.pool.begin().await?, ctx, id, member).await }).await
    }

    async fn sharings(&self, ctx: &Context, id: &ImageId) -> Result<Vec<Sharing>> {
        self.retry.tried(|| async { sharings::sharings(&mut self.pool.read().await?, ctx, id).await }).await
    }

    async fn sharing_add(&self, ctx: &Context, id: &ImageId, member: &str, quota: Option<usize>) -> Result<Sharing> {
        unicode::check_member(member)?;
        self.retry
            .tried(|| async { sharings::sharing_add(self.pool.begin().await?, ctx, id, member, quota).await })
            .await
    }

    async fn sharing_answer(&self, ctx: &Context, id: &ImageId, member: &str, status: MemberStatus) -> Result<Sharing> {
        self.retry
            .tried(|| async { sharings::sharing_answer(self.pool.begin().await?, ctx, id, member, status).await })
            .await
    }

    async fn sharing_end(&self, ctx: &Context, id: &ImageId, member: &str) -> Result<()> {
        self.retry.tried(|| async { sharings::sharing_end(self.pool.begin().await?, ctx, id, member).await }).await
    }

    async fn storage_used(&self, owner: &str) -> Result<u64> {
        self.retry.tried(|| async { usage::storage(&mut self.pool.read().await?, owner).await }).await
    }

    async fn usage(&self, owner: &str, resource: Resource) -> Result<u64> {
        self.retry.tried(|| async { usage::of(&mut self.pool.read().await?, owner, resource).await }).await
    }

    /// v1 checks nothing here (v1-api §14): who knows a project's id may see what is shared with it.
    async fn shared_images(&self, _ctx: &Context, member: &str) -> Result<Vec<Member>> {
        self.retry.tried(|| async { members::shared_images(&mut self.pool.read().await?, member).await }).await
    }
}
