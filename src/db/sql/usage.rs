//! What an owner's images take (policy-and-auth §8.1).

use sea_query::{Expr, ExprTrait, Query, SelectStatement};

use super::error::Fault;
use super::pool::Session;
use super::statement::of_image;
use crate::model::ImageStatus;

/// Data of an image that has no location yet: put aside for an import, or on its way.
const STAGED: [ImageStatus; 2] = [ImageStatus::Uploading, ImageStatus::Importing];

/// Bytes of the data of an owner's images: each as often as it has live locations, and what is staged.
pub(super) async fn storage(session: &mut Session, owner: &str) -> Result<u64, Fault> {
    let mut stored = sizes(session, owner);
    stored
        .inner_join("image_locations", Expr::col(("image_locations", "image_id")).equals(("images", "id")))
        .and_where(Expr::col(("image_locations", "deleted")).ne(true));
    let mut staged = sizes(session, owner);
    staged.and_where(of_image("status").is_in(STAGED.map(ImageStatus::as_str)));
    let mut bytes = 0_u64;
    for query in [stored, staged] {
        let row = session.row(&query).await?;
        let sum: Option<i64> = row.map(|row| row.get("bytes")).transpose()?.flatten();
        bytes = bytes.saturating_add(u64::try_from(sum.unwrap_or(0)).unwrap_or(0));
    }
    Ok(bytes)
}

fn sizes(session: &Session, owner: &str) -> SelectStatement {
    Query::select()
        .expr_as(session.dialect().whole(of_image("size").sum()), "bytes")
        .from("images")
        .and_where(of_image("owner").eq(owner))
        .and_where(of_image("deleted").ne(true))
        .take()
}
