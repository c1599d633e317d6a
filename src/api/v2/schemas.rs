//! The schemas that clients download (v2-images §13).

use axum::extract::State;
use http::HeaderMap;

use super::images::Answer;
use super::schema::documents;
use super::{Shared, body, views};

/// `GET /schemas/image`
pub(super) async fn image(State(v2): State<Shared>, headers: HeaderMap) -> Answer {
    body::none(&headers)?;
    Ok(views::ok(&v2.schema.image()))
}

/// `GET /schemas/images`
pub(super) async fn images(State(v2): State<Shared>, headers: HeaderMap) -> Answer {
    body::none(&headers)?;
    Ok(views::ok(&v2.schema.images()))
}

/// `GET /schemas/member`
pub(super) async fn member(headers: HeaderMap) -> Answer {
    body::none(&headers)?;
    Ok(views::ok(&documents::member()))
}

/// `GET /schemas/members`
pub(super) async fn members(headers: HeaderMap) -> Answer {
    body::none(&headers)?;
    Ok(views::ok(&documents::members()))
}

/// `GET /schemas/task`
pub(super) async fn task() -> Answer {
    Ok(views::ok(&documents::task()))
}

/// `GET /schemas/tasks`
pub(super) async fn tasks() -> Answer {
    Ok(views::ok(&documents::tasks()))
}
