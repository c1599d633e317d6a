//! Protected properties: what a caller may see and do of an image's custom properties, by either API (policy-and-auth §7).
//!
//! Who cannot read a property does not find it anywhere; nobody's change loses what he cannot read.

use std::borrow::Cow;

use super::{Error, Images, Result};
use crate::model::{Context, Filters, Image, ImageFields, ListFilter, Listing, is_own_property};
use crate::policy::protections::Operation;

impl Images {
    /// The image as this caller may see it: without properties that he may not read.
    pub(crate) fn as_seen<'a>(&self, ctx: &Context, image: &'a Image) -> Cow<'a, Image> {
        let readable = |name: &String| self.may(ctx, Operation::Read, name);
        if !self.parts.policy.protects() || image.properties.keys().all(readable) {
            return Cow::Borrowed(image);
        }
        let mut seen = image.clone();
        seen.properties.retain(|name, _| readable(name));
        Cow::Owned(seen)
    }

    /// Whether the caller may do this with a property. What the service keeps for itself is not for the operator to protect.
    pub(super) fn may(&self, ctx: &Context, operation: Operation, property: &str) -> bool {
        is_own_property(property) || self.parts.policy.permits(ctx, operation, property)
    }

    /// Refuses what the caller may not do with a property.
    pub(super) fn check_property(&self, ctx: &Context, operation: Operation, property: &str) -> Result<()> {
        if self.may(ctx, operation, property) { Ok(()) } else { Err(Error::Reserved(property.to_owned())) }
    }

    /// Refuses a new image with properties that the caller may not create.
    pub(super) fn check_new_properties(&self, ctx: &Context, fields: &ImageFields) -> Result<()> {
        let mut names = fields.properties.iter().flat_map(|properties| properties.keys());
        names.try_for_each(|name| self.check_property(ctx, Operation::Create, name))
    }

    /// Refuses changes that v1 says all at once, as far as the caller may not make them. Properties that a purge would take
    /// without his having seen them are said again in `fields`, so that they stay.
    pub(super) fn check_said_properties(
        &self,
        ctx: &Context,
        image: &Image,
        fields: &mut ImageFields,
        purge_props: bool,
    ) -> Result<()> {
        if !self.parts.policy.protects() {
            return Ok(());
        }
        let said = fields.properties.get_or_insert_default();
        for (name, value) in said.iter() {
            match image.properties.get(name) {
                None => self.check_property(ctx, Operation::Create, name)?,
                // Nor may he find out by trial what it is.
                Some(_) if !self.may(ctx, Operation::Read, name) => return Err(Error::Reserved(name.clone())),
                Some(before) if before == value => {}
                Some(_) => self.check_property(ctx, Operation::Update, name)?,
            }
        }
        for (name, value) in image.properties.iter().filter(|_| purge_props) {
            if said.contains_key(name) {
                continue;
            }
            if self.may(ctx, Operation::Read, name) {
                self.check_property(ctx, Operation::Delete, name)?;
            } else {
                said.insert(name.clone(), value.clone());
            }
        }
        Ok(())
    }

    /// Whether a list asks for a property that the caller may not read: no image has it then.
    pub(super) fn asks_for_hidden(&self, ctx: &Context, listing: &Listing) -> bool {
        listing.filters.iter().any(|filter| match filter {
            ListFilter::Property { name, .. } => !self.may(ctx, Operation::Read, name),
            _ => false,
        })
    }

    /// The same of a list of v1.
    pub(super) fn filters_by_hidden(&self, ctx: &Context, filters: &Filters) -> bool {
        filters.properties.iter().any(|(name, _)| !self.may(ctx, Operation::Read, name))
    }
}
