//! What a signed-in person's client may ask outside every contract.

use axum::extract::{FromRequestParts, State};
use axum::http::request::Parts;
use axum::http::{HeaderValue, header};
use axum::response::{IntoResponse, Response};

use crate::account::{Error, Rules};
use crate::app::App;
use crate::http::count_source;
use crate::identity::Caller;

/// The schema that the person's attributes are held to: what a client needs to draw a form. Without one the empty schema,
/// which allows everything and defines nothing.
pub(super) async fn schema(State(app): State<App>, Signed(caller): Signed) -> Result<Response, Error> {
    let text = match app.profiles().rules(&caller.tenant).await? {
        Rules::Schema(schema) => schema.text().to_owned(),
        Rules::Unknown | Rules::Free => "{}".to_owned(),
    };
    let headers = [
        (header::CONTENT_TYPE, HeaderValue::from_static("application/schema+json")),
        (header::CACHE_CONTROL, HeaderValue::from_static("private, no-cache")),
    ];
    Ok((headers, text).into_response())
}

/// Whoever has a token of their account that holds, for whichever contract.
pub(super) struct Signed(Caller);

impl FromRequestParts<App> for Signed {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Signed, Error> {
        count_source(app, parts)?;
        let caller = app.authenticator().bearer(&parts.headers, None).await?;
        caller.require_active(app.now())?;
        Ok(Signed(caller))
    }
}
