//! Images' data: upload, download, staging (v2-images §8, v2-import-and-tasks §2). Where there is only one store nobody is
//! asked which: `x-image-meta-store` and `prefer` mean nothing then.

use std::io;
use std::net::SocketAddr;

use axum::Extension;
use axum::body::Body;
use axum::extract::{ConnectInfo, Path, State};
use axum::response::{IntoResponse, Response};
use futures_util::{StreamExt as _, stream};
use http::header::{CONTENT_LENGTH, CONTENT_RANGE, CONTENT_TYPE};
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode, Uri};

use super::failure::{Failure, missing, unsupported};
use super::images::{Answer, image_id, no_content};
use super::{Shared, body, query, ranges};
use crate::api::data;
use crate::api::error::ApiError;
use crate::api::range::content_range;
use crate::images::{Download, Error, Requester, Upload};
use crate::model::{ByteStream, Context, ImageId};
use crate::store::Error as Store;

/// How many bytes a client is going to send; wins over `Content-Length`.
const SIZE: HeaderName = HeaderName::from_static("x-openstack-image-size");
/// Which of several stores is to have the data.
const STORE: HeaderName = HeaderName::from_static("x-image-meta-store");
/// Hexadecimal here, whatever RFC 1864 says.
const CONTENT_MD5: HeaderName = HeaderName::from_static("content-md5");

/// `PUT /images/{id}/file`
pub(super) async fn upload(
    State(v2): State<Shared>,
    Extension(ctx): Extension<Context>,
    Path(id): Path<String>,
    headers: HeaderMap,
    body: Body,
) -> Answer {
    let Incoming { data, length } = Incoming::of(&headers, body)?;
    let named = headers.get(STORE).filter(|_| v2.images.stores().is_some());
    let store = named.map(|name| String::from_utf8_lossy(name.as_bytes()).into_owned());
    let upload = Upload { data, length: length.checked(), size: None, checksum: None, store };
    let id = image_id(&id)?;
    v2.images.upload_to(&ctx, &id, upload).await.map_err(|error| match error {
        Error::Store(Store::Duplicate(_)) => conflict(format!(
            "Unable to upload duplicate image data for image {id}: there is data of that name in the store."
        )),
        Error::Refused(refusal) => not_supported(&headers, refusal.to_string()),
        error => length.wrong(error),
    })?;
    Ok(no_content())
}

/// `PUT /images/{id}/stage`
pub(super) async fn stage(
    State(v2): State<Shared>,
    Extension(ctx): Extension<Context>,
    Path(id): Path<String>,
    headers: HeaderMap,
    body: Body,
) -> Answer {
    if !v2.settings.staging {
        let text = "'glance-direct' method is not available at this site.";
        return Err(ApiError::not_found("").explained(text).into());
    }
    let Incoming { data, length } = Incoming::of(&headers, body)?;
    let id = image_id(&id)?;
    v2.images.stage(&ctx, &id, data, length.checked()).await.map_err(|error| match error {
        Error::Store(Store::Duplicate(_)) => conflict(format!("The image {id} has data on staging")),
        // There is no other place to stage anything.
        Error::Store(Store::AddDisabled) => Failure::from(Error::Store(Store::WriteDenied)),
        error => length.wrong(error),
    })?;
    Ok(no_content())
}

/// `GET /images/{id}/file`
pub(super) async fn download(
    State(v2): State<Shared>,
    Extension(ctx): Extension<Context>,
    peer: Option<Extension<ConnectInfo<SocketAddr>>>,
    Path(id): Path<String>,
    uri: Uri,
    headers: HeaderMap,
) -> Answer {
    body::none(&headers)?;
    let requester = Requester { address: peer.map(|Extension(ConnectInfo(peer))| peer.ip().to_string()) };
    let preferred = if v2.images.stores().is_some() { preferred(&uri)? } else { Vec::new() };
    match open(&v2, &ctx, &image_id(&id)?, &headers, &preferred, &requester).await {
        Ok(download) => Ok(answer(download)),
        Err(nothing) => nothing,
    }
}

/// The stores that the data is to be taken from if it is there: `prefer`, separated by commas.
fn preferred(uri: &Uri) -> Result<Vec<String>, Failure> {
    let given = query::Parameters::decode(uri.query().unwrap_or("")).map_err(body::explained)?;
    let ids = given.get("prefer").unwrap_or("").split(',').map(str::trim).filter(|id| !id.is_empty());
    Ok(ids.map(str::to_owned).collect())
}

/// The data, or the answer where there is none.
async fn open(
    v2: &Shared,
    ctx: &Context,
    id: &ImageId,
    headers: &HeaderMap,
    preferred: &[String],
    requester: &Requester,
) -> Result<Download, Answer> {
    let refused = |error| match error {
        // Not yet, or no more.
        Error::NoData(_) => Ok(StatusCode::NO_CONTENT.into_response()),
        Error::Read(source) if matches!(*source, Store::NotFound(_)) => {
            tracing::error!("the data of image {id} is missing: {source}");
            Ok(StatusCode::NO_CONTENT.into_response())
        }
        error => Err(missing(error, |id| format!("No image found with ID {id}"))),
    };
    let image = v2.images.downloadable(ctx, id, preferred).await.map_err(refused)?;
    // What v1 calls 0 bytes may be any number, where nobody saw the data.
    let size = image.size.filter(|size| *size > 0 || image.checksum.is_some());
    let wanted = ranges::wanted(headers, size).map_err(|error| Err(error.into()))?;
    v2.images.open(ctx, image, wanted, preferred, requester).await.map_err(refused)
}

fn answer(download: Download) -> Response {
    let mut headers = HeaderMap::new();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/octet-stream"));
    if let Some(Ok(checksum)) = download.image.checksum.as_deref().map(HeaderValue::from_str) {
        headers.insert(CONTENT_MD5, checksum);
    }
    let (status, length) = match (download.size, download.part) {
        (Some(size), Some(part)) => {
            headers.insert(CONTENT_RANGE, content_range(&part, size));
            (StatusCode::PARTIAL_CONTENT, Some(part.end - part.start))
        }
        (size, _) => (StatusCode::OK, size),
    };
    if let Some(length) = length {
        headers.insert(CONTENT_LENGTH, HeaderValue::from(length));
    }
    (status, headers, Body::from_stream(download.data)).into_response()
}

/// Data on its way in.
struct Incoming {
    data: ByteStream,
    length: Length,
}

impl Incoming {
    fn of(headers: &HeaderMap, body: Body) -> Result<Self, Failure> {
        let content_type = data::content_type(headers);
        // In this very spelling, as Glance has it.
        if data::media_type(content_type) != "application/octet-stream" {
            return Err(not_supported(headers, format!("Invalid content type {content_type}")));
        }
        let chunked = data::is_chunked(headers)?;
        let length = match headers.get(SIZE) {
            Some(size) => Length::named(size)?,
            None if chunked => Length(0),
            None => Length(data::content_length(headers).and_then(|length| length.try_into().ok()).unwrap_or(0)),
        };
        Ok(Self { data: length.guard(data::stream(body)), length })
    }
}

/// The number of bytes that a client says it sends; 0: it does not say.
#[derive(Debug, Clone, Copy)]
struct Length(i64);

impl Length {
    fn named(size: &HeaderValue) -> Result<Self, ApiError> {
        let size = size.to_str().ok().and_then(|text| text.trim().parse().ok());
        size.map(Self).ok_or_else(|| body::explained("Invalid or missing image size in request headers."))
    }

    /// The bytes that must come, if any number must. Of less than nothing already the first byte is too many.
    fn checked(self) -> Option<u64> {
        (self.0 != 0).then(|| u64::try_from(self.0).unwrap_or(0))
    }

    /// `data`, which never comes to an end if it cannot be as short as it is said to be.
    fn guard(self, data: ByteStream) -> ByteStream {
        if self.0 >= 0 {
            return data;
        }
        Box::pin(data.chain(stream::iter([Err(io::ErrorKind::UnexpectedEof.into())])))
    }

    /// The refusal of data, which may be of another length.
    fn wrong(self, error: Error) -> Failure {
        let Self(announced) = self;
        let error = match error {
            Error::BrokenUpload(_) if announced < 0 => Error::WrongLength { announced: 0, arrived: 0 },
            error => error,
        };
        match error {
            Error::WrongLength { arrived, .. } => {
                let exceeds = i64::try_from(arrived).is_ok_and(|arrived| arrived > announced);
                let wrong = if exceeds { "Size exceeds" } else { "Size mismatch" };
                body::explained(format!("{wrong}: expected {announced} bytes, got {arrived} bytes")).into()
            }
            error => error.into(),
        }
    }
}

fn conflict(text: String) -> Failure {
    ApiError::conflict("").explained(text).into()
}

/// 415: this kind of data is not taken.
fn not_supported(headers: &HeaderMap, detail: String) -> Failure {
    let refusal = ApiError::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, detail);
    refusal.explained(unsupported(data::content_type(headers))).into()
}
