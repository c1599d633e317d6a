//! Query strings of lists, and the links that repeat them.

use fuzzing::Target;

use super::filters::MAX_VALUES;
use super::{MAX_FILTERS, Parameters, first_link, next_link, parse_listing};
use crate::api::v2::fuzz::kind;
use crate::db::sql::PageLimits;
use crate::model::{ImageId, ListFilter, Listing};

const PAGE: PageLimits = PageLimits { default: 25, max: 1000 };
const WORDS: [&str; 34] = [
    "&",
    "=",
    "in:",
    "eq:",
    "gte:",
    "neq:",
    ":asc",
    ":desc",
    ",",
    "%22",
    "%5C%22",
    "%2C",
    "+",
    "%F0%9F%A6%A2",
    "sort=",
    "sort_key=",
    "sort_dir=",
    "limit=",
    "marker=",
    "tag=",
    "visibility=public",
    "member_status=all",
    "os_hidden=TRUE",
    "protected=true",
    "deleted=",
    "changes-since=",
    "name=",
    "status=",
    "size_min=",
    "min_disk_max=",
    "created_at=",
    "2026-01-02T03:04:05Z",
    "+23:59",
    "checksum=",
];

#[test]
fn lists_want_what_was_asked_for_and_their_links_ask_again() {
    let target = Target::new(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/corpus/query"));
    let id = ImageId::parse("71c675ab-d94f-49cd-a114-e12490b328d9").unwrap();
    target.words(WORDS).run(|input| {
        let query = String::from_utf8_lossy(input);
        let given = match Parameters::decode(&query) {
            Ok(given) => given,
            Err(refusal) => return kind(&refusal),
        };
        let asked = parse_listing(&given, PAGE);
        let followed = |link: String| {
            let query = link.strip_prefix("/v2/images").unwrap();
            let given = Parameters::decode(query.strip_prefix('?').unwrap_or(query)).unwrap();
            parse_listing(&given, PAGE)
        };
        let (first, next) = (followed(first_link(&given)), followed(next_link(&given, &id)));
        match asked {
            Ok(listing) => {
                check(&listing, &given);
                assert_eq!(first.as_ref(), Ok(&Listing { marker: None, ..listing.clone() }));
                assert_eq!(next.as_ref(), Ok(&Listing { marker: Some(id.to_string()), ..listing.clone() }));
                let kinds = listing.filters.iter().take(4).map(|filter| kind(&format!("{filter:?}")));
                kinds.chain([format!("{:?}{:?}", listing.visibility, listing.order.keys().len())]).collect()
            }
            Err(refusal) => {
                assert!(!refusal.is_empty());
                assert_eq!((first, next), (Err(refusal.clone()), Err(refusal.clone())));
                kind(&refusal)
            }
        }
    });
}

/// No more than the limits, and no text that was not said.
fn check(listing: &Listing, given: &Parameters) {
    assert!(listing.limit <= PAGE.max && listing.filters.len() <= MAX_FILTERS);
    let said = |text: &str| {
        assert!(!text.contains('\0'));
        let mut texts = given.pairs().flat_map(|(name, value)| [name, value]);
        assert!(texts.any(|whole| without_some_of(text, whole)), "{text:?} was not said");
    };
    listing.marker.iter().for_each(|marker| said(marker));
    for filter in &listing.filters {
        match filter {
            ListFilter::Text(_, values) => {
                assert!(values.len() <= MAX_VALUES);
                values.iter().for_each(|value| said(value));
            }
            ListFilter::Tag(tag) => said(tag),
            ListFilter::Property { name, value } => {
                said(name);
                said(value);
            }
            _ => {}
        }
    }
}

/// Whether `text` is `whole`, but for characters that were left out: quotes, and what stands around.
fn without_some_of(text: &str, whole: &str) -> bool {
    let mut rest = whole.chars();
    text.chars().all(|c| rest.any(|other| other == c))
}
