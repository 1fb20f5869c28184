//! How long caches may keep what is published.

use axum::http::HeaderValue;

/// `Cache-Control` of published keys that verify tokens. A new key signs as soon as it is published, and until caches have it,
/// its tokens are refused by clients that read the keys through them.
pub const KEYS: HeaderValue = HeaderValue::from_static("public, max-age=60");
/// `Cache-Control` of a provider's metadata, which changes with the configuration and with new versions.
pub const METADATA: HeaderValue = HeaderValue::from_static("public, max-age=300");
