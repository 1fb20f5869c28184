//! The contracts' documents at `/openapi`, and a page at `/docs` that shows them and asks nobody else for anything.

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
use crate::http::endpoint;

const READ: &str = "GET, HEAD, OPTIONS";

/// The page. Its script is Swagger UI's, started by a script of its own, so that no script stands in the page.
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

/// The parts of the page, of the many that the library brings.
const PARTS: [&str; 6] = [
    "swagger-ui.css",
    "index.css",
    "favicon-32x32.png",
    "swagger-ui-bundle.js",
    "swagger-ui-standalone-preset.js",
    "swagger-initializer.js",
];

/// The page may load from this server and call it, nothing else may happen, and nobody may frame it. Swagger UI's style sheet
/// has its pictures inside, and its logo a style, which the hash names.
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

/// Both change only with the program, but a browser must not show yesterday's.
const CACHE: (HeaderName, HeaderValue) = (header::CACHE_CONTROL, HeaderValue::from_static("no-cache"));

/// The routes of the documents and the page.
pub(super) fn routes() -> Router<App> {
    Router::new()
        .route("/openapi/{name}", endpoint(get(document), READ))
        .route("/docs", endpoint(get(page), READ))
        .route("/docs/{part}", endpoint(get(part), READ))
}

async fn document(Path(name): Path<String>) -> Result<Response, Error> {
    let name = name.strip_suffix(".json").ok_or(RequestFault::NotFound)?;
    let (_, text) = DRAWN.iter().find(|(contract, _)| contract.name() == name).ok_or(RequestFault::NotFound)?;
    Ok(([CACHE, (header::CONTENT_TYPE, HeaderValue::from_static("application/json"))], text.as_str()).into_response())
}

/// Drawn at the first request: nothing in them depends on anything but the program.
static DRAWN: LazyLock<Vec<(Contract, String)>> = LazyLock::new(|| {
    openapi::documented().filter_map(|contract| Some((contract, openapi::document(contract)?))).collect()
});

async fn page() -> Response {
    (POLICY, [CACHE, (header::CONTENT_TYPE, HeaderValue::from_static("text/html; charset=utf-8"))], PAGE)
        .into_response()
}

async fn part(Path(name): Path<String>) -> Result<Response, Error> {
    let (_, content_type, bytes) = UNPACKED.iter().find(|(part, ..)| *part == name).ok_or(RequestFault::NotFound)?;
    Ok((POLICY, [CACHE, (header::CONTENT_TYPE, content_type.clone())], bytes.clone()).into_response())
}

/// Unpacked once: a request for a part must not cost a copy of it.
static UNPACKED: LazyLock<Vec<(&'static str, HeaderValue, Bytes)>> = LazyLock::new(|| {
    let documents: Vec<(&str, String)> =
        openapi::documented().map(|contract| (contract.name(), format!("/openapi/{}.json", contract.name()))).collect();
    // Without "none" the library would show a badge that a server elsewhere draws.
    let config = Config::new(documents.iter().map(|(name, url)| Url::new(name, url))).validator_url("none");
    let config = Arc::new(config);
    let unpack = |name: &'static str| {
        let file = utoipa_swagger_ui::serve(name, config.clone()).ok()??;
        Some((name, HeaderValue::from_str(&file.content_type).ok()?, Bytes::from(file.bytes.into_owned())))
    };
    PARTS.into_iter().filter_map(unpack).collect()
});
