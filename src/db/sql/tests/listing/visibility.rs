//! Who lists what (v2-images §6.3, "Visible set").

use super::super::{admin, anonymous, named, tenant};
use super::{Bed, add, all_beds, change, listing, names, share};
use crate::db::Metadata;
use crate::model::{Context, ImageFields, ListFilter, Listing, MemberFilter, TextField, Visibility, VisibilityFilter};

/// Images of `a` and of nobody, of every visibility, the shared ones with members; named by their owner and visibility.
async fn images(bed: &Bed) {
    for (owner, name) in [(Some("a"), "a"), (None, "nobody")] {
        for visibility in ["public", "private", "community"] {
            let fields =
                ImageFields { owner: Some(owner.map(str::to_owned)), ..named(&format!("{name}-{visibility}")) };
            add(bed, &admin(), fields, &format!("visibility = '{visibility}'")).await;
        }
        for status in ["pending", "accepted", "rejected"] {
            let fields = ImageFields { owner: Some(owner.map(str::to_owned)), ..named(&format!("{name}-{status}")) };
            let image = bed.add(&admin(), fields).await;
            share(bed, &image, "m", status).await;
        }
    }
}

/// What is listed, sorted.
async fn seen(bed: &Bed, ctx: &Context, visibility: VisibilityFilter, member_status: MemberFilter) -> String {
    let wanted = Listing { visibility, member_status, ..listing(vec![]) };
    let mut seen = names(bed, ctx, &wanted).await;
    // A filter with an index of its own is answered by a statement of another shape.
    let ids = bed.image_list(ctx, &wanted).await.unwrap().iter().map(|image| image.id.to_string()).collect();
    let by_id = Listing { filters: vec![ListFilter::Text(TextField::Id, ids)], ..wanted };
    assert_eq!(names(bed, ctx, &by_id).await, seen);
    seen.sort();
    seen.join(" ")
}

#[tokio::test]
async fn everybody_lists_what_is_meant_for_him() {
    use MemberFilter::{Accepted, All, Pending, Rejected};
    use Visibility::{Community, Private, Public, Shared};
    use VisibilityFilter::{All as Any, Only, Unset};
    const PUBLIC: &str = "a-public nobody-public";
    const OF_A: &str = "a-accepted a-community a-pending a-private a-public a-rejected";
    const ALL_NOBODYS: &str =
        "nobody-accepted nobody-community nobody-pending nobody-private nobody-public nobody-rejected";
    for bed in all_beds().await {
        images(&bed).await;
        let (owner, member, stranger) = (tenant("a"), tenant("m"), tenant("x"));
        let admin_of_a = Context { is_admin: true, ..tenant("a") };
        let nobodys = "nobody-accepted nobody-pending nobody-private nobody-public nobody-rejected";
        for (ctx, visibility, status, expected) in [
            (&owner, Unset, Accepted, format!("{OF_A} nobody-public")),
            (&owner, Any, Accepted, format!("{OF_A} nobody-community nobody-public")),
            (&owner, Only(Private), Accepted, "a-private".to_owned()),
            (&owner, Only(Shared), Accepted, "a-accepted a-pending a-rejected".to_owned()),
            (&owner, Only(Public), Accepted, PUBLIC.to_owned()),
            (&owner, Only(Community), Accepted, "a-community nobody-community".to_owned()),
            (&member, Unset, Accepted, "a-accepted a-public nobody-accepted nobody-public".to_owned()),
            (&member, Unset, Pending, "a-pending a-public nobody-pending nobody-public".to_owned()),
            (&member, Unset, Rejected, "a-public a-rejected nobody-public nobody-rejected".to_owned()),
            (
                &member,
                Only(Shared),
                All,
                "a-accepted a-pending a-rejected nobody-accepted nobody-pending nobody-rejected".to_owned(),
            ),
            (&member, Only(Private), All, String::new()),
            (&stranger, Unset, All, PUBLIC.to_owned()),
            (&stranger, Only(Shared), All, String::new()),
            (&stranger, Any, All, "a-community a-public nobody-community nobody-public".to_owned()),
            (&anonymous(), Unset, All, "a-public ".to_owned() + nobodys),
            (&anonymous(), Only(Private), All, "nobody-private".to_owned()),
            (&anonymous(), Only(Community), All, "a-community nobody-community".to_owned()),
            (&anonymous(), Any, All, format!("a-community a-public {ALL_NOBODYS}")),
            (&admin(), Unset, Accepted, format!("{} {nobodys}", OF_A.replace("a-community ", ""))),
            (&admin_of_a, Unset, Accepted, format!("{OF_A} {nobodys}")),
            (&admin(), Any, Accepted, format!("{OF_A} {ALL_NOBODYS}")),
            (&admin(), Only(Community), Accepted, "a-community nobody-community".to_owned()),
            (&admin(), Only(Private), Accepted, "a-private nobody-private".to_owned()),
        ] {
            assert_eq!(seen(&bed, ctx, visibility, status).await, expected, "{ctx:?} {visibility:?} {status:?}");
        }
    }
}

#[tokio::test]
async fn what_is_shared_no_more_is_listed_no_more() {
    for bed in all_beds().await {
        images(&bed).await;
        let shared =
            async || seen(&bed, &tenant("m"), VisibilityFilter::Only(Visibility::Shared), MemberFilter::All).await;
        change(&bed, "UPDATE image_members SET deleted = true WHERE status = 'pending'").await;
        change(&bed, "UPDATE images SET visibility = 'private' WHERE name = 'a-accepted'").await;
        assert_eq!(shared().await, "a-rejected nobody-accepted nobody-rejected");
    }
}
