//! Serves the pictures that accounts show to every client that knows their name, since pages of any site may embed them.

use axum::extract::rejection::PathRejection;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};

use crate::account::{Cause, Error, RequestFault};
use crate::app::App;
use crate::http::Public;
use crate::picture;

/// A name is never reused, so its picture never changes; but its account may remove it.
const CACHE_CONTROL: HeaderValue = HeaderValue::from_static("public, max-age=300");
/// If a browser ever renders a picture as a page, the page can do nothing.
const CONTENT_SECURITY_POLICY: HeaderValue = HeaderValue::from_static("sandbox; default-src 'none'");
const CROSS_ORIGIN_RESOURCE_POLICY: HeaderName = HeaderName::from_static("cross-origin-resource-policy");

/// Returns the picture with this name, or 304 if the client has it already (RFC 9110 §13.1.2). Not found from the change on
/// that removes or replaces it.
pub(super) async fn show(
    _: Public,
    State(app): State<App>,
    name: Result<Path<String>, PathRejection>,
    headers: HeaderMap,
) -> Result<Response, Error> {
    let Path(name) = name.map_err(|_| RequestFault::NotFound)?;
    let media_type = picture::media_type(&name).ok_or(RequestFault::NotFound)?;
    let tag = format!("\"{name}\"");
    if !app.pictures().is_shown(&name).await? {
        return Err(RequestFault::NotFound.into());
    }
    let mut response = if has(&headers, &tag) {
        StatusCode::NOT_MODIFIED.into_response()
    } else {
        let kept = app.pictures().get(&name).await?.ok_or(RequestFault::NotFound)?;
        let mut response = kept.file.into_response();
        response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static(media_type));
        response
    };
    let headers = response.headers_mut();
    headers.insert(header::ETAG, HeaderValue::try_from(tag).map_err(|error| Error::Internal(Cause::new(error)))?);
    headers.insert(header::CACHE_CONTROL, CACHE_CONTROL);
    headers.insert(header::CONTENT_SECURITY_POLICY, CONTENT_SECURITY_POLICY);
    headers.insert(header::CONTENT_DISPOSITION, HeaderValue::from_static("inline"));
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.insert(CROSS_ORIGIN_RESOURCE_POLICY, HeaderValue::from_static("cross-origin"));
    Ok(response)
}

/// Checks whether `If-None-Match` lists a tag (weak comparison), or is `*`.
fn has(headers: &HeaderMap, tag: &str) -> bool {
    let lists = headers.get_all(header::IF_NONE_MATCH).iter().filter_map(|list| list.to_str().ok());
    let mut tags = lists.flat_map(|list| list.split(',')).map(str::trim);
    tags.any(|listed| listed == "*" || listed.strip_prefix("W/").unwrap_or(listed) == tag)
}
