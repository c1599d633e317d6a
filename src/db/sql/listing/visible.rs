//! What the caller may list (v2-images §6.3, "Visible set").

use sea_query::{Condition, Expr, ExprTrait, Query, SelectStatement};

use super::Part;
use crate::db::sql::dialect::visibility;
use crate::db::sql::having;
use crate::db::sql::statement::{live, of_image};
use crate::model::{Context, Listing, MemberFilter, Visibility, VisibilityFilter};

/// Why an image is listed.
enum Reason {
    /// For a condition on its row.
    Row(Condition),
    /// It is shared, and this project is a member of it.
    Membership(String),
}

/// The visible images in parts, each of which is one stretch of an index. They may overlap.
pub(super) fn apart(ctx: &Context, listing: &Listing) -> Vec<Part> {
    let part = |reason| match reason {
        Reason::Row(condition) => Part { driver: None, condition },
        Reason::Membership(member) => Part { driver: Some(shared_with(&member, listing)), condition: shared() },
    };
    reasons(ctx, listing).into_iter().map(part).collect()
}

/// The same as one condition.
pub(super) fn together(ctx: &Context, listing: &Listing) -> Condition {
    let condition = |reason| match reason {
        Reason::Row(condition) => condition,
        Reason::Membership(member) => shared().add(Expr::exists(having::member(&member, status(listing)))),
    };
    reasons(ctx, listing).into_iter().map(condition).fold(Condition::any(), Condition::add)
}

fn reasons(ctx: &Context, listing: &Listing) -> Vec<Reason> {
    let filter = listing.visibility;
    let row = |condition: Expr| Reason::Row(Condition::all().add(condition));
    let Some(owner) = ctx.owner() else {
        return if ctx.is_admin { vec![Reason::Row(all(filter, None))] } else { ownerless(filter) };
    };
    if ctx.is_admin {
        return vec![Reason::Row(all(filter, Some(owner)))];
    }
    let mut reasons = Vec::new();
    reasons.extend(open(filter));
    let own = of_image("owner").eq(owner);
    match filter {
        VisibilityFilter::Unset | VisibilityFilter::All => reasons.push(row(own)),
        VisibilityFilter::Only(one @ (Visibility::Private | Visibility::Shared)) => {
            reasons.push(Reason::Row(Condition::all().add(own).add(just(one))));
        }
        VisibilityFilter::Only(_) => {}
    }
    if wants(filter, Visibility::Shared) {
        reasons.push(Reason::Membership(owner.to_owned()));
    }
    reasons
}

/// For admins: everything, but no community images of others unless they are asked for.
fn all(filter: VisibilityFilter, owner: Option<&str>) -> Condition {
    match filter {
        VisibilityFilter::All => Condition::all(),
        VisibilityFilter::Only(one) => Condition::all().add(is(one)),
        VisibilityFilter::Unset => Condition::any()
            .add(of_image("visibility").ne(visibility(Visibility::Community)))
            .add_option(owner.map(|owner| of_image("owner").eq(owner))),
    }
}

/// For callers without a project: what is open to everybody, and what is nobody's.
fn ownerless(filter: VisibilityFilter) -> Vec<Reason> {
    let mut reasons = open(filter);
    let others = [Visibility::Private, Visibility::Shared].into_iter().filter(|one| wants(filter, *one));
    reasons.extend(others.map(|one| Reason::Row(Condition::all().add(of_image("owner").is_null()).add(just(one)))));
    reasons
}

fn open(filter: VisibilityFilter) -> Vec<Reason> {
    let wanted = [Visibility::Public, Visibility::Community].into_iter().filter(|one| wants(filter, *one));
    wanted.map(|one| Reason::Row(Condition::all().add(is(one)))).collect()
}

fn wants(filter: VisibilityFilter, visibility: Visibility) -> bool {
    match filter {
        VisibilityFilter::Unset => visibility != Visibility::Community,
        VisibilityFilter::All => true,
        VisibilityFilter::Only(one) => one == visibility,
    }
}

fn is(one: Visibility) -> Expr {
    of_image("visibility").eq(visibility(one))
}

/// The same in words that tempt no database to walk the index of visibilities where that of owners is much shorter.
fn just(one: Visibility) -> Expr {
    let all = [Visibility::Public, Visibility::Private, Visibility::Shared, Visibility::Community];
    of_image("visibility").is_not_in(all.into_iter().filter(|other| *other != one).map(visibility))
}

fn shared() -> Condition {
    Condition::all().add(just(Visibility::Shared))
}

/// Ids of the images that a project is a member of.
fn shared_with(member: &str, listing: &Listing) -> SelectStatement {
    let mut query = Query::select();
    query.column("image_id").from("image_members").and_where(Expr::col("member").eq(member)).and_where(live());
    query.and_where_option(status(listing).map(|status| Expr::col("status").eq(status)));
    query
}

fn status(listing: &Listing) -> Option<&'static str> {
    match listing.member_status {
        MemberFilter::All => None,
        status => Some(status.as_str()),
    }
}
