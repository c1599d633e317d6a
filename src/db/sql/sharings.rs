//! Whom an image is shared with, as v2 sees it: with answers and times (v2-images §9, database §3.5, §4.3).

use chrono::NaiveDateTime;
use sea_query::{Expr, ExprTrait, Order, Query, SelectStatement};

use super::error::Fault;
use super::image_get::{self, Purpose};
use super::members;
use super::pool::{Row, Session};
use super::rows;
use super::statement::{live, now};
use crate::db::Error;
use crate::model::{Context, ImageId, MemberStatus, Membership, Sharing, owns};

/// Live memberships of a visible image, oldest first; who is neither owner nor admin sees only its own.
pub(super) async fn sharings(session: &mut Session, ctx: &Context, id: &ImageId) -> Result<Vec<Sharing>, Fault> {
    let image = image_get::visible(session, ctx, id, Purpose::Read).await?;
    let mut query = all(id);
    if !ctx.is_admin && !owns(ctx, &image) {
        let Some(own) = ctx.owner() else { return Ok(Vec::new()) };
        query.and_where(session.dialect().is_just("member", own));
    }
    session.rows(&query).await?.iter().map(sharing).collect()
}

/// Adds a membership that nobody has answered.
pub(super) async fn sharing_add(
    mut session: Session,
    ctx: &Context,
    id: &ImageId,
    member: &str,
    quota: Option<usize>,
) -> Result<Sharing, Fault> {
    // The policy has judged who shares; the lock lets memberships of one image change one after the other.
    image_get::visible(&mut session, ctx, id, Purpose::Write).await?;
    let before = session.rows(&all(id)).await?.iter().map(sharing).collect::<Result<Vec<_>, _>>()?;
    let attempted = before.len() + 1;
    if let Some(quota) = quota.filter(|quota| attempted > *quota) {
        return Err(Error::TooMany { attempted, quota }.into());
    }
    if before.iter().any(|known| known.member == member) {
        return Err(Error::Duplicate(format!("Member {member} is duplicated for image {id}")).into());
    }
    let membership = Membership { member: member.to_owned(), can_share: None };
    members::put(&mut session, id, &membership, now()).await?;
    let added = one(&mut session, id, member).await?;
    session.commit().await?;
    Ok(added)
}

/// Sets what a member says.
pub(super) async fn sharing_answer(
    mut session: Session,
    ctx: &Context,
    id: &ImageId,
    member: &str,
    status: MemberStatus,
) -> Result<Sharing, Fault> {
    // The policy has judged who shares; the lock lets memberships of one image change one after the other.
    image_get::visible(&mut session, ctx, id, Purpose::Write).await?;
    let set = Query::update()
        .table("image_members")
        .value("status", status.as_str())
        .value("updated_at", now())
        .and_where(Expr::col("image_id").eq(id.as_str()))
        .and_where(session.dialect().is_just("member", member))
        .and_where(live())
        .take();
    session.execute(&set).await?;
    let answered = one(&mut session, id, member).await?;
    session.commit().await?;
    Ok(answered)
}

/// Ends a membership.
pub(super) async fn sharing_end(mut session: Session, ctx: &Context, id: &ImageId, member: &str) -> Result<(), Fault> {
    image_get::visible(&mut session, ctx, id, Purpose::Write).await?;
    members::end(session, id, member).await
}

async fn one(session: &mut Session, id: &ImageId, member: &str) -> Result<Sharing, Fault> {
    let just_this = session.dialect().is_just("member", member);
    let row = session.row(all(id).and_where(just_this)).await?;
    sharing(&row.ok_or_else(|| Error::NotFound("Membership could not be found.".to_owned()))?)
}

fn all(id: &ImageId) -> SelectStatement {
    Query::select()
        .columns(["image_id", "member", "status", "created_at", "updated_at"])
        .from("image_members")
        .and_where(Expr::col("image_id").eq(id.as_str()))
        .and_where(live())
        .order_by("id", Order::Asc)
        .take()
}

fn sharing(row: &Row) -> Result<Sharing, Fault> {
    let status: String = row.get("status")?;
    let created_at: NaiveDateTime = row.get("created_at")?;
    Ok(Sharing {
        image_id: rows::image_id(&row.get::<String>("image_id")?)?,
        member: row.get("member")?,
        status: status.parse().map_err(|()| Error::Internal(format!("a member has the unknown status '{status}'")))?,
        created_at,
        updated_at: row.get::<Option<_>>("updated_at")?.unwrap_or(created_at),
    })
}
