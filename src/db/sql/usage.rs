//! What an owner's images take (policy-and-auth §8).

use sea_query::{Cond, Expr, ExprTrait, Query, SelectStatement};

use super::error::Fault;
use super::pool::Session;
use super::statement::of_image;
use crate::model::{ImageStatus, Resource, mebibytes};

/// Data of an image that has no location yet: put aside for an import, or on its way.
const STAGED: [ImageStatus; 2] = [ImageStatus::Uploading, ImageStatus::Importing];
/// Images that are getting data.
const UPLOADING: [ImageStatus; 3] = [ImageStatus::Saving, ImageStatus::Uploading, ImageStatus::Importing];
/// Images that are no more, whatever their record is kept for.
const GONE: [ImageStatus; 3] = [ImageStatus::Killed, ImageStatus::Deleted, ImageStatus::PendingDelete];
/// Where Glance notes into which stores an image is still to be copied.
const IMPORTING: &str = "os_glance_importing_to_stores";

/// Bytes of the data of an owner's images: each as often as it has live locations, and what is staged.
pub(super) async fn storage(session: &mut Session, owner: &str) -> Result<u64, Fault> {
    let stored = stored(session, owner);
    let mut staged = sizes(session, owner);
    staged.and_where(of_image("status").is_in(STAGED.map(ImageStatus::as_str)));
    Ok(number(session, &stored).await?.saturating_add(number(session, &staged).await?))
}

/// What an owner's images take of a resource, in its unit.
pub(super) async fn of(session: &mut Session, owner: &str, resource: Resource) -> Result<u64, Fault> {
    let query = match resource {
        Resource::SizeTotal => there(stored(session, owner)),
        Resource::StageTotal => getting_data(sizes(session, owner), &STAGED),
        Resource::CountTotal => there(count(owner)),
        Resource::CountUploading => getting_data(count(owner), &UPLOADING),
    };
    let used = number(session, &query).await?;
    Ok(match resource {
        Resource::SizeTotal | Resource::StageTotal => mebibytes(used),
        Resource::CountTotal | Resource::CountUploading => used,
    })
}

async fn number(session: &mut Session, query: &SelectStatement) -> Result<u64, Fault> {
    let row = session.row(query).await?;
    let number: Option<i64> = row.map(|row| row.get("number")).transpose()?.flatten();
    Ok(u64::try_from(number.unwrap_or(0)).unwrap_or(0))
}

/// Those that are still there.
fn there(mut images: SelectStatement) -> SelectStatement {
    images.and_where(of_image("status").is_not_in(GONE.map(ImageStatus::as_str))).take()
}

/// Those in one of these statuses, and those that Glance is copying into further stores.
fn getting_data(mut images: SelectStatement, statuses: &[ImageStatus]) -> SelectStatement {
    let importing = Query::select()
        .expr(Expr::val(1))
        .from("image_properties")
        .and_where(Expr::col(("image_properties", "image_id")).equals(("images", "id")))
        .and_where(Expr::col(("image_properties", "name")).eq(IMPORTING))
        .and_where(Expr::col(("image_properties", "value")).ne(""))
        .and_where(Expr::col(("image_properties", "deleted")).ne(true))
        .take();
    let statuses = statuses.iter().map(|status| status.as_str());
    images.cond_where(Cond::any().add(of_image("status").is_in(statuses)).add(Expr::exists(importing))).take()
}

/// The size of each as often as it has live locations.
fn stored(session: &Session, owner: &str) -> SelectStatement {
    sizes(session, owner)
        .inner_join("image_locations", Expr::col(("image_locations", "image_id")).equals(("images", "id")))
        .and_where(Expr::col(("image_locations", "deleted")).ne(true))
        .take()
}

fn sizes(session: &Session, owner: &str) -> SelectStatement {
    images_of(owner).expr_as(session.dialect().whole(of_image("size").sum()), "number").take()
}

fn count(owner: &str) -> SelectStatement {
    images_of(owner).expr_as(of_image("id").count(), "number").take()
}

fn images_of(owner: &str) -> SelectStatement {
    Query::select().from("images").and_where(of_image("owner").eq(owner)).and_where(of_image("deleted").ne(true)).take()
}
