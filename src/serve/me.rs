//! Routes outside every contract for the client of a signed-in person.

use axum::extract::State;
use axum::http::{HeaderValue, header};
use axum::response::{IntoResponse, Response};

use crate::account::{Contract, Error, Rules};
use crate::app::App;
use crate::http::{Access, Authenticated};

/// Returns the JSON Schema that the person's attributes must match, which a client needs to draw a form. Without one,
/// returns the empty schema, which allows everything and defines nothing.
pub(super) async fn schema(
    State(app): State<App>,
    Authenticated { caller, .. }: Authenticated<AnyToken>,
) -> Result<Response, Error> {
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

/// Accepts any token of an active account, whatever contract it is valid for.
pub(super) enum AnyToken {}

impl Access for AnyToken {
    const CONTRACT: Option<Contract> = None;
}
