use super::{Side, encode_query, parse_query};
use crate::model::{Filters, ImageId, ImageQuery, PublicFilter, SortDir, SortKey};
use crate::wire::parse_time;

fn parsed(query: &str, side: Side) -> Result<ImageQuery, String> {
    parse_query(query, side)
}

fn everything() -> ImageQuery {
    ImageQuery {
        filters: Filters {
            name: Some("My + Image & more".to_owned()),
            status: Some("active".to_owned()),
            container_format: Some("ovf".to_owned()),
            disk_format: Some(String::new()),
            min_ram: Some(0),
            min_disk: Some(7),
            size_min: Some(1),
            size_max: Some(1 << 40),
            is_public: PublicFilter::Any,
            protected: Some(false),
            changes_since: parse_time("2012-02-20T18:06:51.000001"),
            deleted: Some(true),
            properties: vec![("arch".to_owned(), "x86 64".to_owned()), ("os".to_owned(), "caf\u{e9}".to_owned())],
        },
        limit: Some(3),
        marker: Some(ImageId::random()),
        sort_key: SortKey::Size,
        sort_dir: SortDir::Asc,
    }
}

#[test]
fn a_query_comes_back_as_it_went() {
    for is_public in [PublicFilter::Unset, PublicFilter::Any, PublicFilter::Only(true), PublicFilter::Only(false)] {
        let mut query = everything();
        query.filters.is_public = is_public;
        assert_eq!(parsed(&encode_query(&query), Side::Registry), Ok(query));
    }
    assert_eq!(parsed("", Side::Api), Ok(ImageQuery::default()));
}

#[test]
fn form_decoding_takes_the_last_value_and_ignores_strangers() {
    let query = parsed("limit=x&name=a&name=b+c%2Bd&limit=2&colour=red", Side::Api).unwrap();
    assert_eq!(query.filters.name.as_deref(), Some("b c+d"));
    assert_eq!(query.limit, Some(2));
}

#[test]
fn only_the_registry_knows_deleted() {
    assert_eq!(parsed("deleted=True", Side::Registry).unwrap().filters.deleted, Some(true));
    assert_eq!(parsed("deleted=no", Side::Registry).unwrap().filters.deleted, Some(false));
    assert_eq!(parsed("deleted=True", Side::Api).unwrap().filters.deleted, None);
}

#[test]
fn booleans_are_words_or_digits_in_any_case() {
    for (text, expected) in [("TRUE", true), ("1", true), ("False", false), ("0", false)] {
        let query = parsed(&format!("protected={text}&is_public={text}"), Side::Api).unwrap();
        assert_eq!(query.filters.protected, Some(expected));
        assert_eq!(query.filters.is_public, PublicFilter::Only(expected));
    }
    assert_eq!(parsed("is_public=NONE", Side::Api).unwrap().filters.is_public, PublicFilter::Any);
}

#[test]
fn messages_of_both_servers() {
    for (query, message) in [
        ("min_ram=-1", "Bad value passed to filter min_ram got -1"),
        ("min_disk=x", "Bad value passed to filter min_disk got x"),
        ("size_min=-1", "Bad value passed to filter size_min got -1"),
        ("size_max=1e3", "Bad value passed to filter size_max got 1e3"),
        ("size_max=99999999999999999999", "Bad value passed to filter size_max got 99999999999999999999"),
        ("protected=none", "protected must be True, or False"),
        ("limit=lots", "limit param must be an integer"),
        ("limit=-1", "limit param must be positive"),
        ("marker=ASDF", "Invalid marker format"),
        (
            "sort_key=asdf",
            "Unsupported sort_key. Acceptable values: name, status, container_format, disk_format, size, id, \
             created_at, updated_at",
        ),
        ("sort_dir=asdf", "Unsupported sort_dir. Acceptable values: asc, desc"),
        ("changes-since=soon", "Unrecognized changes-since value"),
    ] {
        assert_eq!(parsed(query, Side::Api).unwrap_err(), message);
        assert_eq!(parsed(query, Side::Registry).unwrap_err(), message);
    }
}

#[test]
fn messages_that_differ() {
    for (query, api, registry) in [
        ("is_public=maybe", "Bad value passed to filter is_public got maybe", "is_public must be None, True, or False"),
        (
            "protected=imalittleteapot",
            "Bad value passed to filter protected got imalittleteapot",
            "protected must be True, or False",
        ),
    ] {
        assert_eq!(parsed(query, Side::Api).unwrap_err(), api);
        assert_eq!(parsed(query, Side::Registry).unwrap_err(), registry);
    }
}
