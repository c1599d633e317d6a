//! Who sees, lists and changes what (v1-api §9.2, §15).

use super::{Bed, admin, anonymous, beds, named, tenant, unknown_id};
use crate::db::{Error, Metadata, UpdateMode};
use crate::model::Membership;
use crate::model::{Context, Image, ImageFields, ImageQuery, PublicFilter};

/// Public and private images of `a`, of nobody, and one of `a` shared with `b`.
async fn images(bed: &Bed) -> Vec<Image> {
    let mut images = Vec::new();
    for (name, owner, public) in [
        ("public", Some("a"), true),
        ("private", Some("a"), false),
        ("shared", Some("a"), false),
        ("nobody", None, false),
    ] {
        let fields = ImageFields { owner: Some(owner.map(str::to_owned)), is_public: Some(public), ..named(name) };
        images.push(bed.add(&admin(), fields).await);
    }
    let membership = Membership { member: "b".to_owned(), can_share: None };
    bed.member_put(&tenant("a"), &images[2].id, &membership).await.unwrap();
    images
}

async fn seen(bed: &Bed, ctx: &Context, images: &[Image]) -> Vec<String> {
    let mut seen = Vec::new();
    for image in images {
        match bed.image_get(ctx, &image.id).await {
            Ok(found) => seen.push(found.name.unwrap()),
            Err(Error::NotFound(text)) => assert_eq!(text, "Image not found"),
            Err(other) => panic!("{other}"),
        }
    }
    seen
}

#[tokio::test]
async fn images_are_seen_by_owner_members_and_admins() {
    for bed in beds().await {
        let images = images(&bed).await;
        assert_eq!(seen(&bed, &admin(), &images).await, ["public", "private", "shared", "nobody"]);
        assert_eq!(seen(&bed, &tenant("a"), &images).await, ["public", "private", "shared", "nobody"]);
        assert_eq!(seen(&bed, &tenant("b"), &images).await, ["public", "shared", "nobody"]);
        assert_eq!(seen(&bed, &tenant("c"), &images).await, ["public", "nobody"]);
        assert_eq!(seen(&bed, &anonymous(), &images).await, ["public", "nobody"]);
        assert!(matches!(bed.image_get(&admin(), &unknown_id()).await, Err(Error::NotFound(_))));
    }
}

#[tokio::test]
async fn lists_hide_more_than_lookups() {
    for bed in beds().await {
        images(&bed).await;
        let list = async |ctx: &Context, is_public: PublicFilter| {
            let mut query = ImageQuery::default();
            query.filters.is_public = is_public;
            bed.names(ctx, &query).await
        };
        let unset = PublicFilter::Unset;
        assert_eq!(list(&admin(), unset).await, ["public"]);
        assert_eq!(list(&admin(), PublicFilter::Only(true)).await, ["public"]);
        assert_eq!(list(&admin(), PublicFilter::Only(false)).await, ["nobody", "shared", "private"]);
        assert_eq!(list(&admin(), PublicFilter::Any).await, ["nobody", "shared", "private", "public"]);
        let admin_of_b = Context { is_admin: true, ..tenant("b") };
        assert_eq!(list(&admin_of_b, unset).await, ["shared", "public"]);
        for ignored in [unset, PublicFilter::Any, PublicFilter::Only(false)] {
            assert_eq!(list(&tenant("a"), ignored).await, ["shared", "private", "public"]);
            assert_eq!(list(&tenant("b"), ignored).await, ["shared", "public"]);
            assert_eq!(list(&anonymous(), ignored).await, ["public"]);
        }
    }
}

#[tokio::test]
async fn only_owner_and_admin_change_images() {
    for bed in beds().await {
        let images = images(&bed).await;
        let rename = |ctx: Context, place: usize| {
            let id = images[place].id.clone();
            let bed = &bed;
            async move {
                let fields = ImageFields { protected: Some(true), ..ImageFields::default() };
                let updated = bed.image_update(&ctx, &id, fields, UpdateMode::default()).await.map(drop);
                (updated, bed.image_delete(&ctx, &id, None).await)
            }
        };
        for (ctx, place) in [(tenant("c"), 0), (tenant("b"), 2), (anonymous(), 3)] {
            let (updated, deleted) = rename(ctx, place).await;
            assert!(matches!(updated, Err(Error::Forbidden(_))), "{updated:?}");
            assert!(matches!(deleted, Err(Error::Forbidden(_))), "{deleted:?}");
        }
        let (updated, deleted) = rename(tenant("c"), 1).await;
        assert!(matches!(updated, Err(Error::NotFound(_))) && matches!(deleted, Err(Error::NotFound(_))));
        let (updated, deleted) = rename(tenant("a"), 1).await;
        assert!(updated.is_ok() && deleted.is_ok());
        let (updated, deleted) = rename(admin(), 3).await;
        assert!(updated.is_ok() && deleted.is_ok());
    }
}

#[tokio::test]
async fn deleted_images_are_there_for_admins_only() {
    for bed in beds().await {
        let image = bed.add(&tenant("a"), named("x")).await;
        bed.image_delete(&tenant("a"), &image.id, None).await.unwrap();
        assert!(matches!(bed.image_get(&tenant("a"), &image.id).await, Err(Error::NotFound(_))));
        assert!(matches!(bed.image_delete(&tenant("a"), &image.id, None).await, Err(Error::NotFound(_))));
        let dead = bed.image_get(&admin(), &image.id).await.unwrap();
        assert!(dead.deleted && dead.deleted_at.is_some());
        bed.image_delete(&admin(), &image.id, None).await.unwrap();
        assert_eq!(bed.image_get(&admin(), &image.id).await.unwrap().deleted_at, dead.deleted_at);
    }
}
