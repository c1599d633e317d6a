//! Filters by properties and tags that leave few images.
//!
//! A walk in the wanted order passes all images that the filter leaves out, and sorting those that it leaves in costs as
//! much as they are many. With a page of 25 of a million images the two are equal at some thousand.

use sea_query::{Expr, ExprTrait, Query, SelectStatement, UnionType};

use crate::db::sql::dialect::Dialect;
use crate::db::sql::error::Fault;
use crate::db::sql::pool::Session;
use crate::db::sql::statement::live;
use crate::model::{ListFilter, Listing};

/// Images that are rather sorted than walked over.
const FEW: i64 = 4000;
/// Filters of a list that are tried: each is a short query of its own.
const TRIED: usize = 8;

/// What the filters of a list leave.
pub(super) enum Found {
    /// No filter leaves few images, or there is none.
    None,
    /// No image at all.
    Nothing,
    /// Few images: their `image_id`s.
    Few(Box<SelectStatement>),
}

/// Asks which filter leaves the fewest images.
pub(super) async fn rarest(session: &mut Session, listing: &Listing) -> Result<Found, Fault> {
    let dialect = session.dialect();
    let tried = listing.filters.iter().filter_map(|filter| children(dialect, filter)).take(TRIED);
    let mut tried: Vec<Children> = tried.collect();
    let counts = tried.iter().zip(0_i64..).map(|(children, place)| count(children, place));
    let Some(counts) = counts.reduce(|mut all, one| all.union(UnionType::All, one).take()) else {
        return Ok(Found::None);
    };
    let mut rarest: Option<(i64, usize)> = None;
    for row in session.rows(&counts).await? {
        let (found, place): (i64, i64) = (row.get("found")?, row.get("place")?);
        let place = usize::try_from(place).unwrap_or_default();
        rarest = Some(rarest.map_or((found, place), |before| before.min((found, place))));
    }
    Ok(match rarest {
        Some((0, _)) => Found::Nothing,
        Some((found, place)) if found < FEW => Found::Few(Box::new(tried.swap_remove(place).live())),
        _ => Found::None,
    })
}

/// How many there are, up to [`FEW`], removed ones and all: whether one lives is not in the index.
fn count(children: &Children, place: i64) -> SelectStatement {
    let few = children.0.clone().limit(FEW.unsigned_abs()).take();
    Query::select()
        .expr_as(Expr::val(place), "place")
        .expr_as(Expr::cust("COUNT(*)"), "found")
        .from_subquery(few, "few")
        .take()
}

/// The children that a filter asks for, live ones and removed ones: their `image_id`s.
pub(in crate::db::sql) struct Children(SelectStatement);

impl Children {
    /// The `image_id`s of those that live.
    pub(in crate::db::sql) fn live(mut self) -> SelectStatement {
        self.0.and_where(live()).take()
    }
}

/// What a filter asks for, if that is children.
pub(in crate::db::sql) fn children(dialect: Dialect, filter: &ListFilter) -> Option<Children> {
    let mut query = Query::select();
    query.column("image_id");
    match filter {
        ListFilter::Tag(tag) => query.from("image_tags").and_where(Expr::col("value").eq(tag.as_str())),
        ListFilter::Property { name, value } => query
            .from("image_properties")
            .and_where(Expr::col("name").eq(name.as_str()))
            .and_where(dialect.has_long_text("value", value)),
        _ => return None,
    };
    Some(Children(query))
}
