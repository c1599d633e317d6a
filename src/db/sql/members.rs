//! Whom an image is shared with (v1-api §14, database §3.5, §4.3).

use std::collections::HashSet;

use chrono::NaiveDateTime;
use sea_query::{Expr, ExprTrait, Order, Query, SelectStatement};

use super::error::Fault;
use super::image_get::{self, Purpose};
use super::pool::{Row, Session};
use super::rows;
use super::statement::{self, insert_child, now};
use crate::db::Error;
use crate::model::Membership;
use crate::model::{Context, ImageId, Member, may_change, may_share};

/// Live memberships of a visible image, oldest first.
pub(super) async fn members(session: &mut Session, ctx: &Context, id: &ImageId) -> Result<Vec<Member>, Fault> {
    image_get::visible(session, ctx, id, Purpose::Read).await?;
    live(session, live_of(id).order_by("id", Order::Asc)).await
}

/// Live memberships of `member`, newest first.
pub(super) async fn shared_images(session: &mut Session, member: &str) -> Result<Vec<Member>, Fault> {
    let mut query = live_rows();
    let just_this = session.dialect().is_just("member", member);
    query.and_where(just_this).order_by("created_at", Order::Desc).order_by("id", Order::Desc);
    live(session, &query).await
}

/// The caller's own membership, if it has one.
pub(super) async fn membership_of(session: &mut Session, ctx: &Context, id: &ImageId) -> Result<Option<Member>, Fault> {
    let Some(owner) = ctx.owner() else {
        return Ok(None);
    };
    let just_this = session.dialect().is_just("member", owner);
    let row = session.row(live_of(id).and_where(just_this)).await?;
    row.map(|row| member(&row)).transpose()
}

/// Adds or changes one membership.
pub(super) async fn member_put(
    mut session: Session,
    ctx: &Context,
    id: &ImageId,
    membership: &Membership,
) -> Result<(), Fault> {
    check_sharable(&mut session, ctx, id).await?;
    put(&mut session, id, membership, now()).await?;
    session.commit().await?;
    Ok(())
}

/// Sets the memberships to just these.
pub(super) async fn members_replace(
    mut session: Session,
    ctx: &Context,
    id: &ImageId,
    wanted: &[Membership],
) -> Result<(), Fault> {
    check_sharable(&mut session, ctx, id).await?;
    let now = now();
    for membership in wanted {
        put(&mut session, id, membership, now).await?;
    }
    let kept: HashSet<&str> = wanted.iter().map(|membership| membership.member.as_str()).collect();
    for member in live(&mut session, &live_of(id)).await? {
        if !kept.contains(member.member.as_str()) {
            remove(&mut session, id, &member.member, now).await?;
        }
    }
    session.commit().await?;
    Ok(())
}

/// Removes one membership.
pub(super) async fn member_delete(
    mut session: Session,
    ctx: &Context,
    id: &ImageId,
    member: &str,
) -> Result<(), Fault> {
    check_sharable(&mut session, ctx, id).await?;
    end(session, id, member).await
}

/// Ends a membership; the caller has judged whether it may.
pub(super) async fn end(mut session: Session, id: &ImageId, member: &str) -> Result<(), Fault> {
    if remove(&mut session, id, member, now()).await? == 0 {
        return Err(Error::NotFound("Membership could not be found.".to_owned()).into());
    }
    session.commit().await?;
    Ok(())
}

/// The caller may see the image and share it. Locks the image, so that its memberships change one after the other.
async fn check_sharable(session: &mut Session, ctx: &Context, id: &ImageId) -> Result<(), Fault> {
    let image = image_get::visible(session, ctx, id, Purpose::Write).await?;
    let membership = if may_change(ctx, &image) { None } else { membership_of(session, ctx, id).await? };
    if may_share(ctx, &image, membership.as_ref()) {
        Ok(())
    } else {
        Err(Error::Forbidden("No permission to share that image".to_owned()).into())
    }
}

/// The latest row of this member, dead or alive, is the one to be changed; a dead one starts anew.
pub(super) async fn put(
    session: &mut Session,
    id: &ImageId,
    wanted: &Membership,
    now: NaiveDateTime,
) -> Result<(), Fault> {
    let query = Query::select()
        .columns(["id", "deleted", "can_share"])
        .from("image_members")
        .and_where(Expr::col("image_id").eq(id.as_str()))
        .and_where(session.dialect().is_just("member", &wanted.member))
        .order_by("deleted", Order::Asc)
        .order_by("id", Order::Desc)
        .limit(1)
        .take();
    let Some(row) = session.row(&query).await? else {
        let cells = [
            ("member", wanted.member.as_str().into()),
            ("can_share", wanted.can_share.unwrap_or(false).into()),
            ("status", "pending".into()),
        ];
        session.execute(&insert_child("image_members", id, now, cells)).await?;
        return Ok(());
    };
    let revived: bool = row.get("deleted")?;
    let kept = !revived && row.get("can_share")?;
    let mut update = Query::update();
    update
        .table("image_members")
        .value("can_share", wanted.can_share.unwrap_or(kept))
        .value("updated_at", now)
        .and_where(Expr::col("id").eq(row.get::<i64>("id")?));
    if revived {
        update.value("deleted", false).value("deleted_at", None::<NaiveDateTime>).value("status", "pending");
    }
    session.execute(&update).await?;
    Ok(())
}

/// Removes rows of memberships that are there twice: two servers that look for one before they add it, as Glance does, may
/// both add it, and rows that end at the same moment must not be of the same member. Without a `member` all of them end,
/// and what the database takes for the same member is: MySQL's key does not tell `m` from `M` either.
pub(super) async fn unite(session: &mut Session, id: &ImageId, member: Option<&str>) -> Result<(), Fault> {
    let dialect = session.dialect();
    let just = || member.map(|member| dialect.is_just("member", member));
    let twice = Query::select()
        .column("member")
        .expr_as(Expr::col("id").min(), "kept")
        .from("image_members")
        .and_where(Expr::col("image_id").eq(id.as_str()))
        .and_where(statement::live())
        .and_where_option(just())
        .group_by_col("member")
        .and_having(Expr::col("id").count().gt(1))
        .take();
    for row in session.rows(&twice).await? {
        let others = Query::delete()
            .from_table("image_members")
            .and_where(Expr::col("image_id").eq(id.as_str()))
            .and_where(Expr::col("member").eq(row.get::<String>("member")?))
            .and_where(Expr::col("id").ne(row.get::<i64>("kept")?))
            .and_where(statement::live())
            .and_where_option(just())
            .take();
        session.execute(&others).await?;
    }
    Ok(())
}

async fn remove(session: &mut Session, id: &ImageId, member: &str, now: NaiveDateTime) -> Result<u64, Fault> {
    unite(session, id, Some(member)).await?;
    let mut removed = statement::soft_delete_children("image_members", id, now);
    let just_this = session.dialect().is_just("member", member);
    Ok(session.execute(removed.and_where(just_this)).await?)
}

fn live_of(id: &ImageId) -> SelectStatement {
    live_rows().and_where(Expr::col("image_id").eq(id.as_str())).take()
}

fn live_rows() -> SelectStatement {
    Query::select()
        .columns(["image_id", "member", "can_share"])
        .from("image_members")
        .and_where(statement::live())
        .take()
}

async fn live(session: &mut Session, query: &SelectStatement) -> Result<Vec<Member>, Fault> {
    session.rows(query).await?.iter().map(member).collect()
}

fn member(row: &Row) -> Result<Member, Fault> {
    Ok(Member {
        image_id: rows::image_id(&row.get::<String>("image_id")?)?,
        member: row.get("member")?,
        can_share: row.get("can_share")?,
    })
}
