//! Conditions on what belongs to an image: that it has such a child.

use sea_query::{Expr, ExprTrait, Query, SelectStatement};

/// A live property with just this value. Removed ones used to match in v1, too (v1-api D6).
pub(super) fn property(name: &str, value: &str) -> Expr {
    let mut query = live_child("image_properties");
    query.and_where(Expr::col(("image_properties", "name")).eq(name));
    query.and_where(Expr::col(("image_properties", "value")).eq(value));
    Expr::exists(query)
}

/// A live tag.
pub(super) fn tag(tag: &str) -> Expr {
    let mut query = live_child("image_tags");
    query.and_where(Expr::col(("image_tags", "value")).eq(tag));
    Expr::exists(query)
}

/// A live membership, in this status if one is given.
pub(super) fn member(member: &str, status: Option<&str>) -> Expr {
    let mut query = live_child("image_members");
    query.and_where(Expr::col(("image_members", "member")).eq(member));
    query.and_where_option(status.map(|status| Expr::col(("image_members", "status")).eq(status)));
    Expr::exists(query)
}

fn live_child(table: &'static str) -> SelectStatement {
    Query::select()
        .expr(Expr::val(1))
        .from(table)
        .and_where(Expr::col((table, "image_id")).equals(("images", "id")))
        .and_where(Expr::col((table, "deleted")).ne(true))
        .take()
}
