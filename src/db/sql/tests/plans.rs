//! SQLite must not walk through indexes in which nearly all rows are alike (database §7): on 20 000 images that is
//! the difference between milliseconds and seconds.

use sea_query::QueryBuilder;
use sea_query_sqlx::{SqlxBinder, SqlxValues};

use super::super::image_find;
use super::{Bed, admin, anonymous, beds, is_sqlite, tenant};
use crate::model::{Filters, ImageQuery};

/// Asks how a query would be run.
struct Explained<'a, S>(&'a S);

impl<S: SqlxBinder> SqlxBinder for Explained<'_, S> {
    fn build_sqlx<T: QueryBuilder>(&self, builder: T) -> (String, SqlxValues) {
        let (sql, values) = self.0.build_sqlx(builder);
        (format!("EXPLAIN QUERY PLAN {sql}"), values)
    }
}

pub(super) async fn plan(bed: &Bed, query: &(impl SqlxBinder + Sync)) -> String {
    let steps = bed.rows(&Explained(query)).await;
    steps.iter().map(|step| step.get::<String>("detail").unwrap() + "\n").collect()
}

#[tokio::test]
async fn lists_use_no_index_of_flags() {
    if !is_sqlite() {
        return;
    }
    for bed in beds().await {
        let properties = vec![("os".to_owned(), "linux".to_owned())];
        let query = ImageQuery { filters: Filters { properties, ..Filters::default() }, ..ImageQuery::default() };
        for ctx in [admin(), tenant("a"), anonymous()] {
            let plan = plan(&bed, &image_find::page(bed.pool.dialect(), &ctx, &query, None, 25)).await;
            let by_image = ["ix_image_properties_image_id_name", "sqlite_autoindex_image_prop", "AND image_id=?"];
            assert!(by_image.iter().any(|index| plan.contains(index)), "{plan}");
            for flag in ["ix_image_members_deleted", "ix_image_properties_deleted", "ix_images_deleted", "os_hidden"] {
                assert!(!plan.contains(flag), "{plan}");
            }
        }
    }
}
