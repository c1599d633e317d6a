//! Sharing.

use sea_query::Query;

use super::{Bed, admin, anonymous, beds, named, tenant, unknown_id};
use crate::db::sql::statement::{insert_child, live, now};
use crate::db::{Error, Metadata, Step};
use crate::model::{Image, ImageFields, ImageId, ImageStatus, Membership};

fn share(member: &str, can_share: Option<bool>) -> Membership {
    Membership { member: member.to_owned(), can_share }
}

async fn members(bed: &Bed, id: &ImageId) -> Vec<(String, bool)> {
    let members = bed.members(&tenant("a"), id).await.unwrap();
    members.into_iter().map(|member| (member.member, member.can_share)).collect()
}

fn pair(member: &str, can_share: bool) -> (String, bool) {
    (member.to_owned(), can_share)
}

async fn image(bed: &Bed) -> Image {
    bed.add(&tenant("a"), named("x")).await
}

#[tokio::test]
async fn memberships_are_added_changed_and_removed() {
    for bed in beds().await {
        let (ctx, id) = (tenant("a"), image(&bed).await.id);
        bed.member_put(&ctx, &id, &share("b", None)).await.unwrap();
        bed.member_put(&ctx, &id, &share("c", Some(true))).await.unwrap();
        assert_eq!(members(&bed, &id).await, [pair("b", false), pair("c", true)]);
        bed.member_put(&ctx, &id, &share("c", None)).await.unwrap();
        bed.member_put(&ctx, &id, &share("b", Some(true))).await.unwrap();
        assert_eq!(members(&bed, &id).await, [pair("b", true), pair("c", true)]);
        bed.member_delete(&ctx, &id, "b").await.unwrap();
        assert_eq!(members(&bed, &id).await, [pair("c", true)]);
        assert!(matches!(bed.member_delete(&ctx, &id, "b").await, Err(Error::NotFound(_))));
    }
}

#[tokio::test]
async fn who_is_a_member_twice_can_leave_and_the_image_can_go() {
    for bed in beds().await {
        let (ctx, image) = (tenant("a"), image(&bed).await);
        let id = &image.id;
        let twice = async || {
            bed.member_put(&ctx, id, &share("b", None)).await.unwrap();
            let cells = [("member", "b".into()), ("can_share", true.into()), ("status", "accepted".into())];
            bed.rows(&insert_child("image_members", id, now(), cells)).await;
            bed.member_put(&ctx, id, &share("c", None)).await.unwrap();
        };
        twice().await;
        assert_eq!(members(&bed, id).await, [pair("b", false), pair("b", true), pair("c", false)]);
        bed.member_delete(&ctx, id, "b").await.unwrap();
        assert_eq!(members(&bed, id).await, [pair("c", false)]);
        twice().await;
        let step = Step { from: image.status, to: ImageStatus::Deleted };
        bed.image_delete(&ctx, id, Some(step)).await.unwrap();
        let live = Query::select().column("id").from("image_members").and_where(live()).take();
        assert!(bed.rows(&live).await.is_empty());
    }
}

#[tokio::test]
async fn removed_members_come_back_in_their_row() {
    for bed in beds().await {
        let (ctx, id) = (tenant("a"), image(&bed).await.id);
        for _ in 0..3 {
            bed.member_put(&ctx, &id, &share("b", Some(true))).await.unwrap();
            bed.member_delete(&ctx, &id, "b").await.unwrap();
        }
        bed.member_put(&ctx, &id, &share("b", None)).await.unwrap();
        assert_eq!(members(&bed, &id).await, [pair("b", false)], "anew, without the old right");
        let rows = bed.rows(&Query::select().columns(["status", "deleted_at"]).from("image_members").take()).await;
        assert_eq!(rows.len(), 1);
        assert_eq!(rows[0].get::<String>("status").unwrap(), "pending");
        assert_eq!(rows[0].get::<Option<String>>("deleted_at").unwrap(), None);
    }
}

#[tokio::test]
async fn replacing_sets_just_the_named_ones() {
    for bed in beds().await {
        let (ctx, id) = (tenant("a"), image(&bed).await.id);
        bed.members_replace(&ctx, &id, &[share("b", Some(true)), share("c", None)]).await.unwrap();
        bed.members_replace(&ctx, &id, &[share("b", None), share("d", None)]).await.unwrap();
        assert_eq!(members(&bed, &id).await, [pair("b", true), pair("d", false)]);
        bed.members_replace(&ctx, &id, &[]).await.unwrap();
        assert_eq!(members(&bed, &id).await, []);
    }
}

#[tokio::test]
async fn who_may_share() {
    for bed in beds().await {
        let id = image(&bed).await.id;
        let public = bed.add(&tenant("a"), ImageFields { is_public: Some(true), ..named("y") }).await.id;
        bed.members_replace(&tenant("a"), &id, &[share("b", Some(true)), share("c", Some(false))]).await.unwrap();
        let put = async |ctx, id: &ImageId| bed.member_put(&ctx, id, &share("z", None)).await;
        assert!(put(tenant("b"), &id).await.is_ok());
        assert!(matches!(put(tenant("c"), &id).await, Err(Error::Forbidden(_))));
        assert!(matches!(put(tenant("d"), &id).await, Err(Error::NotFound(_))));
        assert!(matches!(put(tenant("d"), &public).await, Err(Error::Forbidden(_))));
        assert!(matches!(put(admin(), &id).await, Err(Error::Forbidden(_))), "an admin without a project");
        assert!(matches!(put(anonymous(), &public).await, Err(Error::Forbidden(_))));
        assert!(matches!(put(tenant("a"), &unknown_id()).await, Err(Error::NotFound(_))));
        assert!(matches!(bed.members_replace(&tenant("c"), &id, &[]).await, Err(Error::Forbidden(_))));
        assert!(matches!(bed.member_delete(&tenant("c"), &id, "c").await, Err(Error::Forbidden(_))));
        assert!(matches!(bed.members(&tenant("d"), &id).await, Err(Error::NotFound(_))));
        assert_eq!(bed.members(&tenant("c"), &id).await.unwrap().len(), 3);
    }
}

#[tokio::test]
async fn shared_images_are_listed_newest_first_while_they_live() {
    for bed in beds().await {
        let ids = [image(&bed).await.id, image(&bed).await.id, image(&bed).await.id];
        for id in &ids {
            bed.member_put(&tenant("a"), id, &share("b", None)).await.unwrap();
        }
        bed.image_delete(&tenant("a"), &ids[1], None).await.unwrap();
        let shared = bed.shared_images(&anonymous(), "b").await.unwrap();
        let found: Vec<_> = shared.into_iter().map(|member| member.image_id).collect();
        assert_eq!(found, [ids[2].clone(), ids[0].clone()]);
        assert_eq!(bed.shared_images(&anonymous(), "nobody").await.unwrap(), []);
    }
}

#[tokio::test]
async fn names_that_do_not_fit_are_refused() {
    for bed in beds().await {
        let id = image(&bed).await.id;
        for name in ["\u{1f600}".to_owned(), "m".repeat(256)] {
            let refused = bed.member_put(&tenant("a"), &id, &share(&name, None)).await;
            assert!(matches!(refused, Err(Error::Invalid(text)) if text.starts_with("Member ")));
        }
    }
}
