//! Links to pages of a list. They begin with `/v2/`, from which clients find their way (v2-images §6.3).

use url::form_urlencoded;

use super::Parameters;
use super::parameters::MARKER;
use crate::model::ImageId;

const LIST: &str = "/v2/images";

/// The first page of the list that was asked for.
pub(crate) fn first_link(given: &Parameters) -> String {
    link(given, None)
}

/// The page after the image `last`.
pub(crate) fn next_link(given: &Parameters, last: &ImageId) -> String {
    link(given, Some(last))
}

/// All that was asked for, repeated parameters in their order, but another marker.
fn link(given: &Parameters, marker: Option<&ImageId>) -> String {
    let mut query = form_urlencoded::Serializer::new(String::new());
    query.extend_pairs(given.pairs().filter(|(name, _)| *name != MARKER));
    query.extend_pairs(marker.map(|id| (MARKER, id.as_str())));
    match query.finish() {
        query if query.is_empty() => LIST.to_owned(),
        query => format!("{LIST}?{query}"),
    }
}
