//! The statement of a page, from its parts.

use sea_query::{Condition, Expr, ExprTrait, Order, Query, SelectStatement, UnionType};

use crate::db::sql::dialect::Dialect;
use crate::db::sql::rows;
use crate::db::sql::statement::of_image;
use crate::model::{SortDir, SortKey};

/// Some of the images that may be on a page.
pub(super) struct Part {
    /// Selects the `image_id`s that are looked at; `None`: all images.
    pub(super) driver: Option<SelectStatement>,
    pub(super) condition: Condition,
}

/// The first `size` images of the parts together, of those in `stretches` of the order, which lie apart. First come bare
/// ids with their keys, of each part and stretch no more than fill the page, and then the rows.
pub(super) fn page(
    dialect: Dialect,
    keys: &[(SortKey, SortDir)],
    parts: &[Part],
    stretches: &[Condition],
    size: u64,
) -> SelectStatement {
    let walk = |part: &Part, stretch: &Condition| {
        let mut walk = Query::select();
        match &part.driver {
            // The first table of a cross join is the outer one, to SQLite; the others know better by their statistics.
            Some(driver) => walk
                .from_subquery(driver.clone().distinct().take(), "driver")
                .cross_join("images")
                .and_where(of_image("id").equals(("driver", "image_id"))),
            None => walk.from("images"),
        };
        walk.cond_where(stretch.clone()).cond_where(part.condition.clone()).limit(size);
        for (key, dir) in keys {
            walk.expr_as(of_image(key.as_str()), key.as_str()).order_by(("images", key.as_str()), direction(*dir));
        }
        let mut found = Query::select();
        found.columns(keys.iter().map(|(key, _)| key.as_str())).from_subquery(walk, "walk");
        found
    };
    // What is sorted anyway is looked at once.
    let any = stretches.iter().cloned().fold(Condition::any(), Condition::add);
    let walks = parts.iter().flat_map(|part| {
        let stretches = if part.driver.is_some() { std::slice::from_ref(&any) } else { stretches };
        stretches.iter().map(|stretch| walk(part, stretch))
    });
    let found = walks.reduce(|mut all, one| all.union(UnionType::Distinct, one).take());
    let mut page = Query::select();
    page.columns(keys.iter().map(|(key, _)| key.as_str())).limit(size);
    match found {
        Some(found) => page.from_subquery(found, "found"),
        None => page.from("images").and_where(Expr::val(1).eq(0)),
    };
    let mut full = rows::select(dialect);
    for (key, dir) in keys {
        page.order_by(key.as_str(), direction(*dir));
        full.order_by(("page", key.as_str()), direction(*dir));
    }
    full.from_subquery(page, "page").cross_join("images").and_where(of_image("id").equals(("page", "id")));
    full
}

fn direction(dir: SortDir) -> Order {
    match dir {
        SortDir::Asc => Order::Asc,
        SortDir::Desc => Order::Desc,
    }
}
