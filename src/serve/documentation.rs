//! The contracts' OpenAPI documents at `/openapi`, and a page at `/docs` that shows them and loads nothing from other
//! servers.

use std::sync::{Arc, LazyLock};

use axum::Router;
use axum::extract::Path;
use axum::http::{HeaderName, HeaderValue, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use bytes::Bytes;
use utoipa_swagger_ui::{Config, Url};

use crate::account::{Contract, Error, RequestFault};
use crate::app::App;
use crate::contract::openapi;
use crate::http::{Public, endpoint};

const READ: &str = "GET, HEAD, OPTIONS";

/// The page. It runs Swagger UI, which a separate script starts, so that the page has no inline script.
const PAGE: &str = r#"<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>selfsame: the contracts</title>
<link rel="stylesheet" href="/docs/swagger-ui.css">
<link rel="stylesheet" href="/docs/index.css">
<link rel="icon" type="image/png" href="/docs/favicon-32x32.png">
</head>
<body>
<div id="swagger-ui"></div>
<script src="/docs/swagger-ui-bundle.js"></script>
<script src="/docs/swagger-ui-standalone-preset.js"></script>
<script src="/docs/swagger-initializer.js"></script>
</body>
</html>
"#;

/// The files of the page, out of all that the library contains.
const PARTS: [&str; 6] = [
    "swagger-ui.css",
    "index.css",
    "favicon-32x32.png",
    "swagger-ui-bundle.js",
    "swagger-ui-standalone-preset.js",
    "swagger-initializer.js",
];

/// Security headers of the page: it may only load from and call this server, and must not be framed. Swagger UI's style
/// sheet embeds its pictures, and its logo has an inline style, which the hash allows.
const POLICY: [(HeaderName, HeaderValue); 4] = [
    (
        header::CONTENT_SECURITY_POLICY,
        HeaderValue::from_static(
            "default-src 'none'; script-src 'self'; style-src 'self' \
             'sha256-RL3ie0nH+Lzz2YNqQN83mnU0J1ot4QL7b99vMdIX99w='; img-src 'self' data:; connect-src 'self'; \
             base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
        ),
    ),
    (header::X_FRAME_OPTIONS, HeaderValue::from_static("DENY")),
    (header::REFERRER_POLICY, HeaderValue::from_static("no-referrer")),
    (HeaderName::from_static("cross-origin-opener-policy"), HeaderValue::from_static("same-origin")),
];

/// Page and documents change only with the program, but a browser must not show those of an older one.
const CACHE: (HeaderName, HeaderValue) = (header::CACHE_CONTROL, HeaderValue::from_static("no-cache"));

/// Returns the routes of the documents and the page.
pub(super) fn routes() -> Router<App> {
    Router::new()
        .route("/openapi/{name}", endpoint(get(document), READ))
        .route("/docs", endpoint(get(page), READ))
        .route("/docs/{part}", endpoint(get(part), READ))
}

async fn document(_: Public, Path(name): Path<String>) -> Result<Response, Error> {
    let name = name.strip_suffix(".json").ok_or(RequestFault::NotFound)?;
    let (_, text) = DRAWN.iter().find(|(contract, _)| contract.name() == name).ok_or(RequestFault::NotFound)?;
    Ok(([CACHE, (header::CONTENT_TYPE, HeaderValue::from_static("application/json"))], text.as_str()).into_response())
}

/// The documents, generated at the first request; they depend only on the program.
static DRAWN: LazyLock<Vec<(Contract, String)>> = LazyLock::new(|| {
    openapi::documented().filter_map(|contract| Some((contract, openapi::document(contract)?))).collect()
});

async fn page(_: Public) -> Response {
    (POLICY, [CACHE, (header::CONTENT_TYPE, HeaderValue::from_static("text/html; charset=utf-8"))], PAGE)
        .into_response()
}

async fn part(_: Public, Path(name): Path<String>) -> Result<Response, Error> {
    let (_, content_type, bytes) = UNPACKED.iter().find(|(part, ..)| *part == name).ok_or(RequestFault::NotFound)?;
    Ok((POLICY, [CACHE, (header::CONTENT_TYPE, content_type.clone())], bytes.clone()).into_response())
}

/// The files of the page, unpacked once, so that a request does not copy them.
static UNPACKED: LazyLock<Vec<(&'static str, HeaderValue, Bytes)>> = LazyLock::new(|| {
    let documents: Vec<(&str, String)> =
        openapi::documented().map(|contract| (contract.name(), format!("/openapi/{}.json", contract.name()))).collect();
    // Without "none" the library would load a badge from another server.
    let config = Config::new(documents.iter().map(|(name, url)| Url::new(name, url))).validator_url("none");
    let config = Arc::new(config);
    let unpack = |name: &'static str| {
        let file = utoipa_swagger_ui::serve(name, config.clone()).ok()??;
        Some((name, HeaderValue::from_str(&file.content_type).ok()?, Bytes::from(file.bytes.into_owned())))
    };
    PARTS.into_iter().filter_map(unpack).collect()
});
