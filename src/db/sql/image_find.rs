//! Pages of images (v1-api §9): who may list what, filters, order, and where a page starts.

use sea_query::{Condition, Expr, ExprTrait, Order, Query, SelectStatement, Value};

use super::dialect::{Dialect, visibility};
use super::error::Fault;
use super::image_get::{self, Purpose};
use super::pool::Session;
use super::statement::{self, big};
use super::{having, order, rows};
use crate::db::Error;
use crate::model::{Context, Filters, Image, ImageId, ImageQuery, PublicFilter, SortDir, SortKey, Visibility};

/// One page of at most `size` images.
pub(super) async fn image_find(
    session: &mut Session,
    ctx: &Context,
    query: &ImageQuery,
    size: u64,
) -> Result<Vec<Image>, Fault> {
    let marker = match &query.marker {
        Some(id) => Some(marker(session, ctx, &query.filters, id).await?),
        None => None,
    };
    if size == 0 {
        return Ok(Vec::new());
    }
    let page = page(session.dialect(), ctx, query, marker.as_ref(), size);
    rows::images(session, &page).await
}

/// Sorts bare ids and then fetches the whole rows of one page. MySQL wants the limit one level deeper than `IN`.
pub(super) fn page(
    dialect: Dialect,
    ctx: &Context,
    query: &ImageQuery,
    marker: Option<&Image>,
    size: u64,
) -> SelectStatement {
    let mut conditions = Condition::all().add(listed(ctx, &query.filters)).add(matching(&query.filters));
    // Images that v2 hides stay hidden; v1 has no word to ask for them.
    conditions = conditions.add(Expr::col("os_hidden").ne(true));
    if !shows_deleted(ctx, &query.filters) {
        conditions = conditions.add(live());
    }
    if deleted_only(ctx, &query.filters) {
        conditions = conditions.add(Expr::col("deleted").eq(true));
    }
    if let Some(marker) = marker {
        let keys: Vec<_> = order_keys(query.sort_key).into_iter().map(|key| (key, query.sort_dir)).collect();
        conditions = conditions.add(order::after(dialect, &keys, marker));
    }
    let order = match query.sort_dir {
        SortDir::Asc => Order::Asc,
        SortDir::Desc => Order::Desc,
    };
    let mut ids = Query::select();
    ids.column("id").from("images").cond_where(conditions).limit(size);
    let mut full = rows::select(dialect);
    for key in order_keys(query.sort_key) {
        ids.order_by(key.as_str(), order.clone());
        full.order_by(key.as_str(), order.clone());
    }
    let page = Query::select().column("id").from_subquery(ids, "page").take();
    full.from("images").and_where(Expr::col("id").in_subquery(page));
    full
}

/// The wanted key, then those that break its ties; nothing follows `id`, which has none.
fn order_keys(key: SortKey) -> Vec<SortKey> {
    let mut keys = vec![key];
    for tie in [SortKey::CreatedAt, SortKey::Id] {
        if !keys.contains(&SortKey::Id) && !keys.contains(&tie) {
            keys.push(tie);
        }
    }
    keys
}

/// Only admins choose; `changes-since` shows deleted and killed images to everybody.
fn shows_deleted(ctx: &Context, filters: &Filters) -> bool {
    match filters.deleted {
        Some(deleted) if ctx.is_admin => deleted,
        _ => filters.changes_since.is_some(),
    }
}

fn deleted_only(ctx: &Context, filters: &Filters) -> bool {
    ctx.is_admin && filters.deleted == Some(true)
}

/// What ordinary lists show. No comparison by `=`, for the reason given at [`statement::live`].
fn live() -> Condition {
    Condition::all().add(statement::live()).add(Expr::col("status").ne("killed"))
}

/// What the caller may list (v1-api §9.2).
fn listed(ctx: &Context, filters: &Filters) -> Condition {
    let public = || Expr::col("visibility").eq(visibility(Visibility::Public));
    match filters.is_public {
        PublicFilter::Any if ctx.is_admin => return Condition::all(),
        PublicFilter::Only(false) if ctx.is_admin => {
            return Condition::all().add(Expr::col("visibility").ne(visibility(Visibility::Public)));
        }
        _ => {}
    }
    let Some(owner) = ctx.owner() else {
        return Condition::all().add(public());
    };
    Condition::any().add(public()).add(Expr::col("owner").eq(owner)).add(
        Condition::all()
            .add(Expr::col("visibility").eq(visibility(Visibility::Shared)))
            .add(Expr::exists(having::member(owner, None))),
    )
}

fn matching(filters: &Filters) -> Condition {
    let equal = |column: &'static str, value: Option<Value>| value.map(|value| Expr::col(column).eq(value));
    let mut all = Condition::all()
        .add_option(equal("name", filters.name.as_deref().map(Value::from)))
        .add_option(equal("status", filters.status.as_deref().map(Value::from)))
        .add_option(equal("container_format", filters.container_format.as_deref().map(Value::from)))
        .add_option(equal("disk_format", filters.disk_format.as_deref().map(Value::from)))
        .add_option(equal("min_ram", filters.min_ram.map(Value::from)))
        .add_option(equal("min_disk", filters.min_disk.map(Value::from)))
        .add_option(equal("protected", filters.protected.map(Value::from)))
        .add_option(filters.size_min.map(|min| Expr::col("size").gte(big(min))))
        .add_option(filters.size_max.map(|max| Expr::col("size").lte(big(max))))
        .add_option(filters.changes_since.map(|time| Expr::col("updated_at").gt(time)));
    for (name, value) in &filters.properties {
        // Live properties only: removed ones used to match too (v1-api D6).
        all = all.add(Expr::exists(having::property(name, value)));
    }
    all
}

/// The image before the page: any that the caller may see, but a deleted one only where such are listed.
async fn marker(session: &mut Session, ctx: &Context, filters: &Filters, id: &ImageId) -> Result<Image, Fault> {
    let image = match image_get::visible_or_deleted(session, ctx, id, Purpose::Read).await {
        Err(Fault::Refused(Error::NotFound(_))) => None,
        found => Some(found?).filter(|image| shows_deleted(ctx, filters) || !image.deleted),
    };
    image.ok_or_else(|| Error::Invalid("Invalid marker. Image could not be found.".to_owned()).into())
}
