//! Plain types and rules of the image service: no I/O, nothing of HTTP, SQL or storage.

mod cached_image;
mod context;
mod fields;
mod id;
mod image;
mod listing;
mod query;
mod range;
mod resource;
mod rights;
mod sharing;
mod stream;
mod time;
mod truth;

pub(crate) use cached_image::{CachedImage, Uses};
pub(crate) use context::{Api, Context, Party};
pub(crate) use fields::{ImageFields, InvalidFields};
pub(crate) use id::ImageId;
pub(crate) use image::{Image, ImageStatus, Location, Member, Membership, OsHash, Visibility, is_own_property};
pub(crate) use listing::{
    Comparison, ListFilter, ListOrder, Listing, MemberFilter, NumberField, TextField, TimeField, VisibilityFilter,
};
pub(crate) use query::{Filters, ImageQuery, PublicFilter, SortDir, SortKey};
pub(crate) use range::RangeSpec;
pub(crate) use resource::{Resource, mebibytes};
pub(crate) use rights::{may_change, may_see, may_share, owns};
pub(crate) use sharing::{MemberStatus, Sharing};
pub(crate) use stream::ByteStream;
pub(crate) use time::zulu;
pub(crate) use truth::truthy;
