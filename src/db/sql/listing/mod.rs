//! Pages of images as v2 lists them (v2-images §6.3, database §6).
//!
//! A page is put together from short walks of indexes in the wanted order: one for each reason why the caller may see
//! images ([`visible`]), and one for each stretch of the order that is left after the marker (`order`). Each stops when
//! it has found a page, so neither the depth of the page nor the number of images decides what it costs. Where a filter
//! by a property or a tag leaves few images, these are sorted instead ([`rare`]).

mod matching;
mod page;
pub(super) mod rare;
mod visible;

use page::{Part, page};

use sea_query::{Condition, SelectStatement};

use super::dialect::Dialect;
use super::error::Fault;
use super::image_get::{self, Purpose};
use super::pool::Session;
use super::{order, rows};
use crate::db::Error;
use crate::model::{Context, Image, ImageId, Listing};

/// One page. `indexed`: the database has the indexes of children that only we make (`own_indexes`).
pub(super) async fn image_list(
    session: &mut Session,
    ctx: &Context,
    listing: &Listing,
    indexed: bool,
) -> Result<Vec<Image>, Fault> {
    let marker = match &listing.marker {
        Some(id) => Some(marker(session, ctx, id).await?),
        None => None,
    };
    if listing.limit == 0 {
        return Ok(Vec::new());
    }
    let rare = if indexed { rare::rarest(session, listing).await? } else { rare::Found::None };
    let driver = match rare {
        rare::Found::Nothing => return Ok(Vec::new()),
        rare::Found::Few(rows) => Some(*rows),
        rare::Found::None => None,
    };
    let statement = statement(session.dialect(), ctx, listing, marker.as_ref(), driver, indexed);
    rows::images(session, &statement).await
}

/// The statement of a page. `driver` selects the `image_id`s that are looked at, where these are few.
pub(super) fn statement(
    dialect: Dialect,
    ctx: &Context,
    listing: &Listing,
    marker: Option<&Image>,
    driver: Option<SelectStatement>,
    indexed: bool,
) -> SelectStatement {
    let keys = listing.order.keys();
    let mut parts = match driver {
        Some(driver) => vec![Part { driver: Some(driver), condition: visible::together(ctx, listing) }],
        None if listing.filters.iter().any(matching::is_sharp) || listing.os_hidden => {
            vec![Part { driver: None, condition: visible::together(ctx, listing) }]
        }
        None => visible::apart(ctx, listing),
    };
    for part in &mut parts {
        part.condition =
            Condition::all().add(part.condition.clone()).add(matching::matching(dialect, listing, indexed));
    }
    let stretches = marker.map(|marker| order::segments(dialect, keys, marker));
    page(dialect, keys, &parts, &stretches.unwrap_or_else(|| vec![Condition::all()]), listing.limit)
}

/// The image before the page: any live one that the caller may see.
async fn marker(session: &mut Session, ctx: &Context, text: &str) -> Result<Image, Fault> {
    let found = match ImageId::parse(text) {
        Some(id) => match image_get::visible(session, ctx, &id, Purpose::Read).await {
            Err(Fault::Refused(Error::NotFound(_))) => None,
            found => Some(found?),
        },
        None => None,
    };
    let live = found.filter(|image| !image.deleted);
    live.ok_or_else(|| Error::Invalid(format!("No image found with ID {text}")).into())
}
