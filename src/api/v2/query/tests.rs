use super::{MAX_FILTERS, Parameters, first_link, next_link, parse_listing};
use crate::db::sql::PageLimits;
use crate::model::{
    Comparison, ImageId, ListFilter, ListOrder, Listing, MemberFilter, NumberField, SortDir, SortKey, TextField,
    TimeField, Visibility, VisibilityFilter,
};
use crate::wire::parse_time;

fn parsed(query: &str) -> Result<Listing, String> {
    parse_listing(&Parameters::decode(query)?, PageLimits { default: 25, max: 1000 })
}

fn listing(query: &str) -> Listing {
    parsed(query).unwrap()
}

fn refusal(query: &str) -> String {
    parsed(query).unwrap_err()
}

fn only_filter(query: &str) -> ListFilter {
    let mut filters = listing(query).filters;
    assert_eq!(filters.len(), 1, "{query}");
    filters.remove(0)
}

fn property(name: &str, value: &str) -> ListFilter {
    ListFilter::Property { name: name.to_owned(), value: value.to_owned() }
}

fn text(field: TextField, values: &[&str]) -> ListFilter {
    ListFilter::Text(field, values.iter().map(|value| (*value).to_owned()).collect())
}

#[test]
fn nothing_asked_for_is_the_first_page_of_all() {
    assert_eq!(listing(""), Listing { limit: 25, ..Listing::default() });
    assert_eq!(listing("&&deleted=true"), listing(""), "was never obeyed");
}

#[test]
fn limits_have_a_default_and_a_maximum() {
    for (query, limit) in [
        ("limit=0", 0),
        ("limit=7", 7),
        ("limit=+7+", 7),
        ("limit=1&limit=2", 2),
        ("limit=1001", 1000),
        ("limit=99999999999999999999999", 1000),
    ] {
        assert_eq!(listing(query).limit, limit, "{query}");
    }
    for query in ["limit=", "limit=x", "limit=1.5"] {
        assert_eq!(refusal(query), "limit param must be an integer");
    }
    assert_eq!(refusal("limit=-1"), "limit param must be positive");
}

#[test]
fn markers_are_taken_as_given() {
    assert_eq!(listing("marker=a%2Fb").marker.as_deref(), Some("a/b"));
}

#[test]
fn both_ways_to_sort_are_understood() {
    use SortDir::{Asc, Desc};
    use SortKey::{DiskFormat, Id, Name, Size};
    for (query, wanted, rest) in [
        ("sort=name", &[(Name, Desc)][..], Desc),
        ("sort=name:asc", &[(Name, Asc)], Asc),
        ("sort=+name+:+asc+,size", &[(Name, Asc), (Size, Desc)], Desc),
        ("sort=name:", &[(Name, Desc)], Desc),
        ("sort_key=name", &[(Name, Desc)], Desc),
        ("sort_key=name&sort_dir=asc", &[(Name, Asc)], Asc),
        ("sort_key=name&sort_key=size&sort_dir=asc", &[(Name, Asc), (Size, Asc)], Asc),
        ("sort_key=name&sort_dir=asc&sort_key=id&sort_dir=desc", &[(Name, Asc), (Id, Desc)], Desc),
        ("sort_key=+disk_format+", &[(DiskFormat, Desc)], Desc),
        ("sort_dir=asc", &[], Asc),
    ] {
        assert_eq!(listing(query).order, ListOrder::new(wanted, rest), "{query}");
    }
}

#[test]
fn bad_orders_are_refused_with_the_words_of_glance() {
    let unknown = |key| {
        format!(
            "Invalid sort key: {key}. It must be one of the following: \
             name, status, container_format, disk_format, size, id, created_at, updated_at."
        )
    };
    assert_eq!(refusal("sort=owner"), unknown("owner"));
    assert_eq!(refusal("sort="), unknown(""));
    assert_eq!(refusal("sort=name,"), unknown(""));
    assert_eq!(refusal("sort_key=min_ram"), unknown("min_ram"));
    for query in ["sort=name:up", "sort_dir=up"] {
        assert_eq!(refusal(query), "Invalid sort direction: up");
    }
    for query in ["sort=name&sort_key=id", "sort=name&sort_dir=asc"] {
        assert_eq!(refusal(query), "Old and new sorting syntax cannot be combined");
    }
    for query in ["sort_dir=asc&sort_dir=asc", "sort_key=id&sort_key=name&sort_key=size&sort_dir=asc&sort_dir=desc"] {
        assert_eq!(refusal(query), "Number of sort dirs does not match the number of sort keys");
    }
}

#[test]
fn who_may_have_shared_what() {
    for (word, status) in [
        ("pending", MemberFilter::Pending),
        ("accepted", MemberFilter::Accepted),
        ("rejected", MemberFilter::Rejected),
        ("all", MemberFilter::All),
    ] {
        assert_eq!(listing(&format!("member_status={word}")).member_status, status);
    }
    assert_eq!(listing("").member_status, MemberFilter::Accepted);
    assert_eq!(refusal("member_status=All"), "Invalid status: All");
    for (word, visibility) in [
        ("public", VisibilityFilter::Only(Visibility::Public)),
        ("private", VisibilityFilter::Only(Visibility::Private)),
        ("shared", VisibilityFilter::Only(Visibility::Shared)),
        ("community", VisibilityFilter::Only(Visibility::Community)),
        ("all", VisibilityFilter::All),
    ] {
        assert_eq!(listing(&format!("visibility={word}")).visibility, visibility);
    }
    assert_eq!(refusal("visibility=x"), "Invalid visibility value: x");
}

#[test]
fn flags_are_words() {
    assert!(listing("os_hidden=True").os_hidden && !listing("os_hidden=FALSE").os_hidden);
    assert_eq!(only_filter("protected=true"), ListFilter::Protected(true));
    let refused =
        |value, name| format!("Invalid value '{value}' for '{name}' filter. Valid values are 'true' or 'false'.");
    assert_eq!(refusal("os_hidden=Yes"), refused("yes", "os_hidden"));
    for value in ["True", "1", ""] {
        assert_eq!(refusal(&format!("protected={value}")), refused(value, "protected"));
    }
}

#[test]
fn tags_and_properties_must_all_hold() {
    let tag = |tag: &str| ListFilter::Tag(tag.to_owned());
    assert_eq!(listing("tag=+a+b&x=1&tag=c").filters, [tag("a b"), property("x", "1"), tag("c")]);
    assert_eq!(listing("x=1&y=a:b&x=2").filters, [property("y", "a:b"), property("x", "2")], "the last counts");
    for name in ["properties", "locations", "members", "tags", "is_public", "deleted_at", "property-x"] {
        assert_eq!(only_filter(&format!("{name}=v")), property(name, "v"));
    }
    assert_eq!(only_filter("flag"), property("flag", ""));
    assert_eq!(only_filter("%C3%A4+b=%2B%26%3D"), property("ä b", "+&="));
}

#[test]
fn some_texts_take_operators() {
    use TextField::{Checksum, ContainerFormat, DiskFormat, Id, Name, OsHashAlgo, OsHashValue, Owner, Status};
    for (name, field) in [
        ("name", Name),
        ("id", Id),
        ("status", Status),
        ("container_format", ContainerFormat),
        ("disk_format", DiskFormat),
    ] {
        assert_eq!(only_filter(&format!("{name}=v")), text(field, &["v"]));
        assert_eq!(only_filter(&format!("{name}=eq:in:v")), text(field, &["in:v"]));
        assert_eq!(only_filter(&format!("{name}=in:v,w")), text(field, &["v", "w"]));
        assert_eq!(refusal(&format!("{name}=neq:v")), "Unable to filter by unknown operator 'neq'.");
        assert_eq!(refusal(&format!("{name}=:v")), "Unable to filter by unknown operator ''.");
    }
    for (name, field) in
        [("owner", Owner), ("checksum", Checksum), ("os_hash_value", OsHashValue), ("os_hash_algo", OsHashAlgo)]
    {
        assert_eq!(only_filter(&format!("{name}=in:v,w")), text(field, &["in:v,w"]));
    }
    assert_eq!(only_filter("name=2020-01-01T00:00:00Z"), text(Name, &["2020-01-01T00:00:00Z"]));
}

#[test]
fn lists_of_values_may_be_quoted() {
    for (list, values) in [
        ("", &[][..]),
        ("a", &["a"]),
        ("a,b", &["a", "b"]),
        ("a,,b,", &["a", "", "b"]),
        (",a", &["", "a"]),
        ("\"a,b\",c", &["a,b", "c"]),
        ("c,\"a, b\"", &["c", "a, b"]),
        ("\"\",\"x\"", &["", "x"]),
        (r#""a\"b""#, &[r#"a\"b"#]),
        ("ä,ö", &["ä", "ö"]),
    ] {
        assert_eq!(only_filter(&format!("name=in:{list}")), text(TextField::Name, values), "{list}");
    }
    for (list, what) in [
        ("a\"b\"", "There is no comma before opening quotation mark."),
        ("\"a\"b", "There is no comma after closing quotation mark."),
        ("\"a\"\"b\"", "There is no comma after closing quotation mark."),
        ("a,\"b", "The quote is not closed."),
        ("\"", "The quote is not closed."),
    ] {
        assert_eq!(refusal(&format!("name=in:{list}")), format!("Invalid filter value {list}. {what}"));
    }
}

#[test]
fn times_take_comparisons() {
    let time = parse_time("2020-01-02T03:04:05").unwrap();
    for (name, field) in [("created_at", TimeField::CreatedAt), ("updated_at", TimeField::UpdatedAt)] {
        for (operator, comparison) in [
            ("", Comparison::Eq),
            ("eq:", Comparison::Eq),
            ("neq:", Comparison::Neq),
            ("lt:", Comparison::Lt),
            ("lte:", Comparison::Lte),
            ("gt:", Comparison::Gt),
            ("gte:", Comparison::Gte),
        ] {
            let query = format!("{name}={operator}2020-01-02T03:04:05Z");
            assert_eq!(only_filter(&query), ListFilter::Time(field, comparison, time), "{query}");
        }
        for value in ["", "x", "lt:x", "lt:", "in:x"] {
            assert_eq!(
                refusal(&format!("{name}={value}")),
                format!("Bad \"{name}\" query filter format. Use ISO 8601 DateTime notation.")
            );
        }
        assert_eq!(refusal(&format!("{name}=in:2020-01-02")), "Unable to filter on a unknown operator.");
    }
    for query in ["changes-since=2020-01-02", "changes-since="] {
        assert_eq!(refusal(query), "The \"changes-since\" filter is no longer available on v2.");
    }
}

#[test]
fn numbers_are_equal_or_in_a_range() {
    use NumberField::{MinDisk, MinRam, Size, VirtualSize};
    for (name, field) in [("size", Size), ("min_ram", MinRam), ("min_disk", MinDisk), ("virtual_size", VirtualSize)] {
        let number = |comparison, number| ListFilter::Number(field, comparison, number);
        assert_eq!(only_filter(&format!("{name}=5")), number(Comparison::Eq, 5));
        assert_eq!(only_filter(&format!("{name}=big")), ListFilter::Nothing);
        assert_eq!(only_filter(&format!("{name}_min=-1")), number(Comparison::Gte, -1));
        assert_eq!(only_filter(&format!("{name}_max=99999999999999999999")), number(Comparison::Lte, i64::MAX));
    }
    for query in ["size_min=", "size_max=x", "min_ram_min=1.5", "color_max=x"] {
        assert_eq!(refusal(query), "Unable to filter on a range with a non-numeric value.");
    }
    assert_eq!(refusal("color_min=1"), "Unable to filter on a range of 'color'.");
}

#[test]
fn what_is_no_text_is_refused() {
    for query in ["name=%ff", "%c3=1", "name=%00"] {
        assert!(
            refusal(query).starts_with("Error decoding your request. Either the URL or the request body contained")
        );
    }
    assert_eq!(only_filter("a=100%"), property("a", "100%"));
}

#[test]
fn queries_have_an_end() {
    let filters = |count: usize| (0..count).map(|n| format!("p{n}=v&")).collect::<String>();
    assert_eq!(listing(&filters(MAX_FILTERS)).filters.len(), MAX_FILTERS);
    assert_eq!(refusal(&filters(MAX_FILTERS + 1)), "At most 64 filters can be given.");
    assert_eq!(refusal(&"tag=x&".repeat(65)), "At most 64 filters can be given.");
    assert_eq!(
        refusal(&format!("name=in:{}", "x,".repeat(129))),
        "At most 128 values can be given to the filter name."
    );
}

#[test]
fn what_can_be_asked_for_can_be_gone_on_with() {
    let id = ImageId::parse("71c675ab-d94f-49cd-a114-e12490b328d9").unwrap();
    // What a query may hold as it is, links spell with three bytes each.
    for query in [format!("a={}", "x".repeat(32766)), format!("a={}", "!".repeat(10922)), "\"".repeat(10922)] {
        let given = Parameters::decode(&query).unwrap();
        let link = next_link(&given, &id);
        let next = listing(link.split_once('?').unwrap().1);
        assert_eq!(next, Listing { marker: Some(id.to_string()), ..listing(&query) });
        let text = "The query string must not be longer than 32768 bytes when it is encoded.";
        assert_eq!(refusal(&format!("{query}!")), text);
    }
}

#[test]
fn links_keep_everything_but_the_marker() {
    let links = |query: &str| {
        let given = Parameters::decode(query).unwrap();
        let id = ImageId::parse("71c675ab-d94f-49cd-a114-e12490b328d9").unwrap();
        (first_link(&given), next_link(&given, &id))
    };
    let marker = "marker=71c675ab-d94f-49cd-a114-e12490b328d9";
    assert_eq!(links(""), ("/v2/images".to_owned(), format!("/v2/images?{marker}")));
    assert_eq!(links("marker=x").0, "/v2/images");
    let kept = "tag=a&sort_key=name&tag=b%2C+%C3%A4&sort_key=size&limit=2";
    let (first, next) = links(&format!("marker=x&{kept}"));
    assert_eq!(first, format!("/v2/images?{kept}"));
    assert_eq!(next, format!("/v2/images?{kept}&{marker}"));
}
