//! Plain types and rules of the image service: no I/O, nothing of HTTP, SQL or storage.

mod context;
mod fields;
mod id;
mod image;
mod listing;
mod query;
mod range;
mod rights;
mod stream;
mod truth;

pub(crate) use context::Context;
pub(crate) use fields::{ImageFields, InvalidFields};
pub(crate) use id::ImageId;
pub(crate) use image::{Image, ImageStatus, Member, Membership, OsHash, Visibility};
pub(crate) use listing::{
    Comparison, ListFilter, ListOrder, Listing, MemberFilter, NumberField, TextField, TimeField, VisibilityFilter,
};
pub(crate) use query::{Filters, ImageQuery, PublicFilter, SortDir, SortKey};
pub(crate) use range::RangeSpec;
pub(crate) use rights::{may_change, may_see, may_share};
pub(crate) use stream::ByteStream;
pub(crate) use truth::truthy;
