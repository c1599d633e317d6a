//! Changing an image's record by v2: one change after the other, and all of them or none (v2-images §6.4).

use std::collections::{BTreeMap, BTreeSet};

use super::{Error, Images, PlaceChange, Result};
use crate::db::UpdateMode;
use crate::model::{Context, Image, ImageFields, ImageId, ImageStatus, Visibility, is_own_property};
use crate::notify::{Event, Priority};
use crate::policy::protections::Operation;

/// An attribute of an image that clients set, and its value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Attribute {
    Name(Option<String>),
    Visibility(Visibility),
    Protected(bool),
    Hidden(bool),
    /// MiB
    MinRam(i64),
    /// GiB
    MinDisk(i64),
    Owner(Option<String>),
    DiskFormat(Option<String>),
    ContainerFormat(Option<String>),
    Tags(BTreeSet<String>),
}

/// One thing to be changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Change {
    SetAttribute(Attribute),
    /// An attribute that must not be there yet, though all of them always are.
    AddAttribute(String),
    /// Nor can any of them go.
    RemoveAttribute(String),
    /// Sets a custom property; with `only_new` it must not be there yet.
    AddProperty {
        name: String,
        value: Option<String>,
        only_new: bool,
    },
    /// Sets a custom property that is there.
    ReplaceProperty {
        name: String,
        value: Option<String>,
    },
    RemoveProperty(String),
    /// Changes where the data is.
    Places(PlaceChange),
}

impl Attribute {
    /// Says it in `fields`.
    pub(crate) fn set(self, fields: &mut ImageFields) {
        match self {
            Self::Name(name) => fields.name = Some(name),
            Self::Visibility(visibility) => fields.visibility = Some(visibility),
            Self::Protected(protected) => fields.protected = Some(protected),
            Self::Hidden(hidden) => fields.os_hidden = Some(hidden),
            Self::MinRam(size) => fields.min_ram = Some(size),
            Self::MinDisk(size) => fields.min_disk = Some(size),
            Self::Owner(owner) => fields.owner = Some(owner),
            Self::DiskFormat(format) => fields.disk_format = Some(format),
            Self::ContainerFormat(format) => fields.container_format = Some(format),
            Self::Tags(tags) => fields.tags = Some(tags),
        }
    }
}

impl Images {
    /// Makes all the changes.
    pub(crate) async fn change(&self, ctx: &Context, id: &ImageId, changes: Vec<Change>) -> Result<Image> {
        if ctx.read_only {
            return Err(Error::ReadOnly);
        }
        let image = self.lookup(ctx, id).await?;
        let mut draft = Draft { properties: image.properties.clone(), fields: ImageFields::default() };
        let mut places = None;
        self.check_patch(changes.len())?;
        let mut judged = Vec::new();
        for change in changes {
            if let Change::Places(change) = change {
                let mut now = places.take().map_or_else(|| self.places(&image), Ok)?;
                self.change_places(ctx, &mut now, change, draft.formats(&image)).await?;
                places = Some(now);
            } else {
                self.authorise_one(ctx, &image, &change, &mut judged).await?;
                self.check_protected(ctx, &draft, &change)?;
                draft.apply(ctx, &image, change)?;
            }
        }
        self.check_quotas(&draft, &image)?;
        let fields = draft.into_fields(&image);
        if let Some(places) = places {
            let changed = self.save_places(ctx, &image, places, fields).await?;
            self.parts.notifier.image(Event::Update, Priority::Info, &changed);
            return Ok(changed);
        }
        if fields == ImageFields::default() {
            return Ok(image);
        }
        // Data that comes now would come for the old formats.
        let formats = fields.disk_format.is_some() || fields.container_format.is_some();
        let mode = UpdateMode { purge_props: false, from_status: formats.then_some(image.status) };
        let changed = self.parts.metadata.image_update(ctx, id, fields, mode).await.map_err(Error::Update)?;
        self.parts.notifier.image(Event::Update, Priority::Info, &changed);
        Ok(changed)
    }

    /// The rule of what becomes of the image's visibility, then the one of all changes; `judged` are those that have let
    /// the caller pass.
    async fn authorise_one(
        &self,
        ctx: &Context,
        image: &Image,
        change: &Change,
        judged: &mut Vec<&'static str>,
    ) -> Result<()> {
        let visibility = match change {
            Change::SetAttribute(Attribute::Visibility(visibility)) => visibility_rule(*visibility),
            _ => None,
        };
        for rule in visibility.into_iter().chain(["modify_image"]) {
            if !judged.contains(&rule) {
                self.parts.policy.enforce_on(ctx, rule, image).await?;
                judged.push(rule);
            }
        }
        Ok(())
    }

    /// Refuses what the caller may not do with a property; one that he may not read is not there for him.
    fn check_protected(&self, ctx: &Context, draft: &Draft, change: &Change) -> Result<()> {
        let (name, operation) = match change {
            Change::AddProperty { name, .. } if !draft.properties.contains_key(name) => (name, Operation::Create),
            Change::AddProperty { name, .. } => (name, Operation::Update),
            Change::ReplaceProperty { name, .. } | Change::RemoveProperty(name)
                if !self.may(ctx, Operation::Read, name) =>
            {
                return Err(Error::NoProperty(name.clone()));
            }
            Change::ReplaceProperty { name, .. } => (name, Operation::Update),
            Change::RemoveProperty(name) => (name, Operation::Delete),
            _ => return Ok(()),
        };
        if operation == Operation::Update && !self.may(ctx, Operation::Read, name) {
            return Err(Error::Reserved(name.clone()));
        }
        if draft.properties.contains_key(name) || operation == Operation::Create {
            self.check_property(ctx, operation, name)?;
        }
        Ok(())
    }

    /// Refuses more operations than a patch may have: each takes its time, and all of them hold up others.
    fn check_patch(&self, attempted: usize) -> Result<()> {
        match self.parts.settings.patch_quota {
            Some(quota) if attempted > quota => Err(Error::Quota { what: "patch operations", attempted, quota }),
            _ => Ok(()),
        }
    }

    fn check_quotas(&self, draft: &Draft, image: &Image) -> Result<()> {
        if let Some(tags) = &draft.fields.tags {
            self.check_tags(tags.len())?;
        }
        // The service's own properties take nobody's room, and who is over a quota that was lowered may still change things.
        let of_clients = |properties: &BTreeMap<String, Option<String>>| {
            properties.keys().filter(|name| !is_own_property(name)).count()
        };
        let (before, after) = (of_clients(&image.properties), of_clients(&draft.properties));
        if after > before { self.check_properties(after) } else { Ok(()) }
    }

    /// Refuses more tags than the quota.
    pub(super) fn check_tags(&self, attempted: usize) -> Result<()> {
        match self.parts.settings.tag_quota {
            Some(quota) if attempted > quota => Err(Error::Quota { what: "tags", attempted, quota }),
            _ => Ok(()),
        }
    }
}

/// The rule that lets an image have this visibility; anybody may make his images private or shared.
pub(super) fn visibility_rule(visibility: Visibility) -> Option<&'static str> {
    match visibility {
        Visibility::Public => Some("publicize_image"),
        Visibility::Community => Some("communitize_image"),
        Visibility::Private | Visibility::Shared => None,
    }
}

/// Refuses what no server can need.
pub(super) fn check_need(field: &'static str, size: Option<i64>) -> Result<()> {
    match size {
        Some(value) if !(0..=i64::from(i32::MAX)).contains(&value) => Err(Error::OutOfRange { field, value }),
        _ => Ok(()),
    }
}

/// An image as the changes so far would leave it.
struct Draft {
    properties: BTreeMap<String, Option<String>>,
    fields: ImageFields,
}

impl Draft {
    fn apply(&mut self, ctx: &Context, image: &Image, change: Change) -> Result<()> {
        match change {
            Change::SetAttribute(attribute) => self.set(ctx, image, attribute),
            Change::AddAttribute(name) => Err(Error::PropertyPresent(name)),
            Change::RemoveAttribute(name) => Err(Error::NotRemovable(name)),
            Change::AddProperty { name, value, only_new } => {
                if only_new && self.properties.contains_key(&name) {
                    return Err(Error::PropertyPresent(name));
                }
                self.properties.insert(name, value);
                Ok(())
            }
            Change::ReplaceProperty { name, value } => match self.properties.get_mut(&name) {
                Some(property) => {
                    *property = value;
                    Ok(())
                }
                None => Err(Error::NoProperty(name)),
            },
            Change::RemoveProperty(name) => match self.properties.remove(&name) {
                Some(_) => Ok(()),
                None => Err(Error::NoProperty(name)),
            },
            // Made elsewhere, as stores have to be asked.
            Change::Places(_) => Ok(()),
        }
    }

    /// Whether the image will have its formats.
    fn formats(&self, image: &Image) -> [(&'static str, bool); 2] {
        let set = |said: &Option<Option<String>>, before: &Option<String>| said.as_ref().unwrap_or(before).is_some();
        [
            ("disk_format", set(&self.fields.disk_format, &image.disk_format)),
            ("container_format", set(&self.fields.container_format, &image.container_format)),
        ]
    }

    fn set(&mut self, ctx: &Context, image: &Image, attribute: Attribute) -> Result<()> {
        let fixed = !matches!(image.status, ImageStatus::Queued | ImageStatus::Importing);
        match &attribute {
            Attribute::Owner(_) if !ctx.is_admin => return Err(Error::OwnerIsAdmins),
            Attribute::DiskFormat(_) if fixed => return Err(Error::FormatIsFixed("disk_format")),
            Attribute::ContainerFormat(_) if fixed => return Err(Error::FormatIsFixed("container_format")),
            Attribute::MinRam(size) => check_need("min_ram", Some(*size))?,
            Attribute::MinDisk(size) => check_need("min_disk", Some(*size))?,
            _ => {}
        }
        attribute.set(&mut self.fields);
        Ok(())
    }

    /// What differs from the image.
    fn into_fields(mut self, image: &Image) -> ImageFields {
        let changed = |(name, value): &(String, Option<String>)| image.properties.get(name) != Some(value);
        let gone = image.properties.keys().filter(|name| !self.properties.contains_key(*name)).cloned();
        self.fields.dropped_properties = gone.collect();
        let set: BTreeMap<_, _> = self.properties.into_iter().filter(changed).collect();
        self.fields.properties = Some(set).filter(|set| !set.is_empty());
        self.fields
    }
}
