//! Conditions on what belongs to an image: that it has such a child. Each function selects the children of the image in
//! the statement around it.

use sea_query::{Expr, ExprTrait, Query, SelectStatement};

/// A live property with just this value. Removed ones used to match in v1, too (v1-api D6).
pub(super) fn property(name: &str, value: &str) -> SelectStatement {
    let mut query = live_child("image_properties");
    query.and_where(Expr::col(("image_properties", "name")).eq(name));
    query.and_where(Expr::col(("image_properties", "value")).eq(value));
    query
}

/// A live tag.
pub(super) fn tag(tag: &str) -> SelectStatement {
    let mut query = live_child("image_tags");
    query.and_where(Expr::col(("image_tags", "value")).eq(tag));
    query
}

/// A live membership, in this status if one is given.
pub(super) fn member(member: &str, status: Option<&str>) -> SelectStatement {
    let mut query = live_child("image_members");
    query.and_where(Expr::col(("image_members", "member")).eq(member));
    query.and_where_option(status.map(|status| Expr::col(("image_members", "status")).eq(status)));
    query
}

fn live_child(table: &'static str) -> SelectStatement {
    Query::select()
        .expr(Expr::val(1))
        .from(table)
        .and_where(Expr::col((table, "image_id")).equals(("images", "id")))
        .and_where(Expr::col((table, "deleted")).ne(true))
        .take()
}

/// There is one, in words that databases take as they are: they look when they come to an image. (`EXISTS` some of them
/// turn into a join, for which they gather all the children first, however many there are.)
pub(super) fn looked_up(mut children: SelectStatement) -> Expr {
    Expr::SubQuery(None, Box::new(children.limit(1).take().into())).is_not_null()
}
