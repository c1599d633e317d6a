//! Adding, changing and deleting an image; each is one transaction.

use chrono::NaiveDateTime;
use sea_query::{Expr, ExprTrait, Query};

use super::dialect::visibility;
use super::error::Fault;
use super::image_get::{self, changeable, with_children};
use super::pool::Session;
use super::statement::{big, insert, now, soft_delete_children};
use super::{locations, members, properties, tags};
use crate::db::{Error, Step, UpdateMode};
use crate::model::{Api, Context, Image, ImageFields, ImageId, ImageStatus, Location, Visibility};

/// Adds an image with all that belongs to it.
pub(super) async fn image_insert(
    mut session: Session,
    ctx: &Context,
    id: &ImageId,
    fields: &ImageFields,
) -> Result<Image, Fault> {
    let now = now();
    session.execute(&new_row(ctx, id, fields, now)).await.map_err(|error| {
        let fault = Fault::from(error);
        // Deleted images keep their ids.
        if fault.is_duplicate() { Error::Duplicate(format!("Image ID {id} already exists!")).into() } else { fault }
    })?;
    if let Some(wanted) = &fields.properties {
        properties::set(&mut session, id, wanted, false, now).await?;
    }
    locations::add(&mut session, id, fields.locations.as_deref().unwrap_or_default(), now).await?;
    if let Some(tags) = &fields.tags {
        tags::set(&mut session, id, tags, now).await?;
    }
    let image = image_get::reload(&mut session, id).await?;
    session.commit().await?;
    Ok(image)
}

fn new_row(ctx: &Context, id: &ImageId, fields: &ImageFields, now: NaiveDateTime) -> sea_query::InsertStatement {
    let text = |field: &Option<Option<String>>| Expr::from(field.clone().flatten());
    let owner = match &fields.owner {
        // By v2 the policy has judged whose it is to be.
        Some(owner) if ctx.is_admin || ctx.api == Api::V2 => owner.clone(),
        _ => ctx.owner().map(str::to_owned),
    };
    let said = fields.visibility.or_else(|| fields.is_public.map(of_public)).unwrap_or(Visibility::Shared);
    insert(
        "images",
        [
            ("id", id.as_str().into()),
            ("name", text(&fields.name)),
            ("size", fields.size.flatten().map(big).into()),
            ("status", fields.status.unwrap_or(ImageStatus::Queued).as_str().into()),
            ("created_at", now.into()),
            ("updated_at", now.into()),
            ("deleted", false.into()),
            ("disk_format", text(&fields.disk_format)),
            ("container_format", text(&fields.container_format)),
            ("checksum", text(&fields.checksum)),
            ("os_hash_algo", text(&fields.os_hash_algo)),
            ("os_hash_value", text(&fields.os_hash_value)),
            ("owner", owner.into()),
            ("min_disk", fields.min_disk.unwrap_or(0).into()),
            ("min_ram", fields.min_ram.unwrap_or(0).into()),
            ("protected", fields.protected.unwrap_or(false).into()),
            ("visibility", visibility(said)),
            ("virtual_size", fields.virtual_size.flatten().map(big).into()),
            ("os_hidden", fields.os_hidden.unwrap_or(false).into()),
        ],
    )
}

/// Changes what `fields` mention. The row (and its time) changes only if one of its columns or its location does.
/// With `held`, nothing changes unless the data is there.
pub(super) async fn image_update(
    mut session: Session,
    ctx: &Context,
    id: &ImageId,
    fields: &ImageFields,
    mode: UpdateMode,
    held: Option<&[Location]>,
) -> Result<Image, Fault> {
    let before = changeable(&mut session, ctx, id).await?;
    let to = fields.status.unwrap_or(before.status);
    if let Some(from) = mode.from_status {
        check_step(&before, from, to)?;
    }
    check_protection(&before, fields.protected.unwrap_or(before.protected), to)?;
    fields.validate(Some(&before), ctx.api).map_err(Error::from)?;
    let before = with_children(&mut session, before).await?;
    if held.is_some_and(|held| held != before.locations) {
        return Err(Error::Conflict("the image's locations have changed".to_owned()).into());
    }
    let now = now();
    let mut cells = changes(ctx, fields, &before);
    let moved = fields.locations.as_ref().filter(|wanted| before.locations != **wanted);
    if !cells.is_empty() || moved.is_some() || (ctx.api == Api::V2 && changes_children(fields, &before)) {
        cells.push(("updated_at", now.into()));
        let mut update = Query::update();
        update.table("images").values(cells).and_where(Expr::col("id").eq(id.as_str()));
        if let Some(from) = mode.from_status {
            // The row was locked, but servers of other make change it without asking for the lock first.
            update.and_where(Expr::col("status").eq(from.as_str()));
        }
        if session.execute(&update).await? == 0 {
            return Err(conflict(&before, to, mode.from_status).into());
        }
    }
    if let Some(wanted) = moved {
        locations::remove(&mut session, id, false, now).await?;
        locations::add(&mut session, id, wanted, now).await?;
    }
    if let Some(wanted) = fields.tags.as_ref() {
        tags::set(&mut session, id, wanted, now).await?;
    }
    if before.deleted && fields.status == Some(ImageStatus::Deleted) {
        locations::scrubbed(&mut session, id, now).await?;
    }
    if fields.properties.is_some() || mode.purge_props {
        let none = std::collections::BTreeMap::new();
        let wanted = fields.properties.as_ref().unwrap_or(&none);
        properties::set(&mut session, id, wanted, mode.purge_props, now).await?;
    }
    properties::remove(&mut session, id, fields.dropped_properties.iter().cloned().collect(), now).await?;
    let image = image_get::reload(&mut session, id).await?;
    session.commit().await?;
    Ok(image)
}

/// Whether what belongs to the image gets another value; its time tells so in v2.
fn changes_children(fields: &ImageFields, before: &Image) -> bool {
    let sets = |(name, value): (&String, &Option<String>)| before.properties.get(name) != Some(value);
    fields.tags.as_ref().is_some_and(|tags| *tags != before.tags)
        || fields.properties.iter().flatten().any(sets)
        || fields.dropped_properties.iter().any(|name| before.properties.contains_key(name))
}

/// Refuses a step from another status than the image's.
fn check_step(before: &Image, from: ImageStatus, to: ImageStatus) -> Result<(), Fault> {
    if from != before.status {
        return Err(conflict(before, to, Some(from)).into());
    }
    // The life of a deleted image is over, but for the scrubber's last step.
    if before.deleted && from != ImageStatus::PendingDelete {
        return Err(Error::NotFound("Image is deleted".to_owned()).into());
    }
    Ok(())
}

/// Refuses to end the life of a protected image. Who deletes it has looked at that before, but not under the row's lock;
/// as with another status than expected he looks again, and then knows what to say.
fn check_protection(before: &Image, protected: bool, to: ImageStatus) -> Result<(), Fault> {
    let dead = |status| matches!(status, ImageStatus::PendingDelete | ImageStatus::Deleted);
    if protected && !before.deleted && dead(to) && !dead(before.status) {
        return Err(Error::Conflict("the image is protected".to_owned()).into());
    }
    Ok(())
}

fn conflict(before: &Image, to: ImageStatus, wanted: Option<ImageStatus>) -> Error {
    let wanted = wanted.map_or("any", ImageStatus::as_str);
    Error::Conflict(format!("cannot transition from {} to {to} in update (wanted from_state={wanted})", before.status))
}

/// The columns that get another value.
fn changes(ctx: &Context, fields: &ImageFields, before: &Image) -> Vec<(&'static str, Expr)> {
    let owner = fields.owner.as_ref().filter(|_| ctx.is_admin);
    let public = fields.is_public.filter(|public| *public != before.is_public()).map(of_public);
    let said = fields.visibility.or(public).filter(|said| *said != before.visibility);
    [
        changed("name", fields.name.as_ref(), &before.name),
        changed("disk_format", fields.disk_format.as_ref(), &before.disk_format),
        changed("container_format", fields.container_format.as_ref(), &before.container_format),
        changed("checksum", fields.checksum.as_ref(), &before.checksum),
        changed("os_hash_algo", fields.os_hash_algo.as_ref(), &before.os_hash_algo),
        changed("os_hash_value", fields.os_hash_value.as_ref(), &before.os_hash_value),
        changed("owner", owner, &before.owner),
        changed("size", fields.size.map(|size| size.map(big)).as_ref(), &before.size.map(big)),
        changed("virtual_size", fields.virtual_size.map(|size| size.map(big)).as_ref(), &before.virtual_size.map(big)),
        changed("os_hidden", fields.os_hidden.as_ref(), &before.os_hidden),
        changed("min_disk", fields.min_disk.as_ref(), &before.min_disk),
        changed("min_ram", fields.min_ram.as_ref(), &before.min_ram),
        changed("protected", fields.protected.as_ref(), &before.protected),
        changed("status", fields.status.map(ImageStatus::as_str).as_ref(), &before.status.as_str()),
        said.map(|said| ("visibility", visibility(said))),
    ]
    .into_iter()
    .flatten()
    .collect()
}

/// What v1 says of the visibility: its images that are not public can have members.
fn of_public(public: bool) -> Visibility {
    if public { Visibility::Public } else { Visibility::Shared }
}

fn changed<T>(column: &'static str, wanted: Option<&T>, before: &T) -> Option<(&'static str, Expr)>
where
    T: PartialEq + Clone + Into<Expr>,
{
    wanted.filter(|wanted| *wanted != before).map(|wanted| (column, wanted.clone().into()))
}

/// Marks an image and its children deleted; its status is left as it is but for `step`.
pub(super) async fn image_delete(
    mut session: Session,
    ctx: &Context,
    id: &ImageId,
    step: Option<Step>,
) -> Result<(), Fault> {
    let image = changeable(&mut session, ctx, id).await?;
    if let Some(step) = step {
        check_step(&image, step.from, step.to)?;
        check_protection(&image, image.protected, step.to)?;
    }
    let status = step.map_or(image.status, |step| step.to);
    if image.deleted && status == image.status {
        return Ok(());
    }
    let now = now();
    let mut cells: Vec<(&str, Expr)> = vec![("status", status.as_str().into()), ("updated_at", now.into())];
    if !image.deleted {
        cells.extend([("deleted", true.into()), ("deleted_at", now.into())]);
    }
    let marked = Query::update()
        .table("images")
        .values(cells)
        .and_where(Expr::col("id").eq(id.as_str()))
        // The row was locked, but servers of other make change it without asking for the lock first.
        .and_where(Expr::col("status").eq(image.status.as_str()))
        .and_where(Expr::col("protected").eq(image.protected))
        .take();
    if session.execute(&marked).await? == 0 {
        return Err(conflict(&image, status, Some(image.status)).into());
    }
    if image.deleted {
        if status == ImageStatus::Deleted {
            locations::scrubbed(&mut session, id, now).await?;
        }
    } else {
        locations::remove(&mut session, id, status == ImageStatus::PendingDelete, now).await?;
        members::unite(&mut session, id, None).await?;
        for table in ["image_properties", "image_members", "image_tags"] {
            session.execute(&soft_delete_children(table, id, now)).await?;
        }
    }
    session.commit().await?;
    Ok(())
}

/// Takes an image and its locations back to life.
pub(super) async fn image_restore(mut session: Session, ctx: &Context, id: &ImageId) -> Result<(), Fault> {
    let image = changeable(&mut session, ctx, id).await?;
    check_step(&image, ImageStatus::PendingDelete, ImageStatus::Active)?;
    let now = now();
    let restored = Query::update()
        .table("images")
        .values([
            ("status", ImageStatus::Active.as_str().into()),
            ("updated_at", now.into()),
            ("deleted", false.into()),
            ("deleted_at", None::<NaiveDateTime>.into()),
        ])
        .and_where(Expr::col("id").eq(id.as_str()))
        .and_where(Expr::col("status").eq(ImageStatus::PendingDelete.as_str()))
        .take();
    if session.execute(&restored).await? == 0 {
        return Err(conflict(&image, ImageStatus::Active, Some(ImageStatus::PendingDelete)).into());
    }
    locations::restored(&mut session, id, now).await?;
    session.commit().await?;
    Ok(())
}
