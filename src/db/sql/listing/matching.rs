//! Filters as conditions on a row of `images`.

use sea_query::{Condition, Expr, ExprTrait, Value};

use crate::db::sql::dialect::Dialect;
use crate::db::sql::having;
use crate::db::sql::statement::of_image;
use crate::model::{Comparison, ListFilter, Listing, TextField};

/// All conditions of a list but that the caller may see the images. What nearly all rows have in common is not compared
/// by `=`, for the reason given at `statement::live`.
///
/// `indexed`: it is known that no filter by children leaves few images, so a walk is what is wanted; otherwise the
/// database may find a better way.
pub(super) fn matching(dialect: Dialect, listing: &Listing, indexed: bool) -> Condition {
    let hidden = of_image("os_hidden");
    let base = Condition::all()
        .add(of_image("deleted").ne(true))
        .add(of_image("status").ne("killed"))
        .add(if listing.os_hidden { hidden.eq(true) } else { hidden.ne(true) });
    listing.filters.iter().map(|filter| condition(dialect, filter, indexed)).fold(base, Condition::add)
}

/// The filter has an index of its own, and leaves few images.
pub(super) fn is_sharp(filter: &ListFilter) -> bool {
    use TextField::{Checksum, Id, Name, OsHashValue, Owner};
    matches!(filter, ListFilter::Text(Name | Id | Owner | Checksum | OsHashValue, _) | ListFilter::Nothing)
}

fn condition(dialect: Dialect, filter: &ListFilter, indexed: bool) -> Expr {
    let has = if indexed { having::looked_up } else { Expr::exists };
    match filter {
        ListFilter::Text(field, values) => {
            let column = of_image(field.as_str());
            let column = if is_sharp(filter) { column } else { dialect.unindexed(column) };
            match &values[..] {
                [value] => column.eq(value.as_str()),
                values => column.is_in(values.iter().map(String::as_str)),
            }
        }
        ListFilter::Number(field, comparison, number) => {
            compared(dialect.unindexed(of_image(field.as_str())), *comparison, (*number).into())
        }
        ListFilter::Time(field, comparison, time) => compared(of_image(field.as_str()), *comparison, (*time).into()),
        ListFilter::Protected(protected) => dialect.unindexed(of_image("protected")).eq(*protected),
        ListFilter::Tag(tag) => has(having::tag(tag)),
        ListFilter::Property { name, value } => has(having::property(name, value)),
        ListFilter::Nothing => Expr::val(1).eq(0),
    }
}

fn compared(column: Expr, comparison: Comparison, value: Value) -> Expr {
    match comparison {
        Comparison::Eq => column.eq(value),
        Comparison::Neq => column.ne(value),
        Comparison::Lt => column.lt(value),
        Comparison::Lte => column.lte(value),
        Comparison::Gt => column.gt(value),
        Comparison::Gte => column.gte(value),
    }
}
