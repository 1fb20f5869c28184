//! The framework alone: each route answers with the same body, which has the size of a profile.
//!
//! | route | what it checks |
//! |---|---|
//! | `/fixed` | nothing |
//! | `/remembered` | the access token at its first use; after that only whether it has expired |
//! | `/checked` | the access token |

use std::collections::HashMap;
use std::fs;
use std::io::Read as _;
use std::path::Path;
use std::sync::{Arc, PoisonError, RwLock};

use axum::Router;
use axum::extract::State;
use axum::http::header::{AUTHORIZATION, CONTENT_TYPE, HeaderName};
use axum::http::{HeaderMap, StatusCode};
use axum::routing::get;
use bytes::Bytes;
use jsonwebtoken::get_current_timestamp;

use super::Outcome;
use super::token::Verifier;

type Answer = ([(HeaderName, &'static str); 1], Bytes);

struct Floor {
    body: Bytes,
    verifier: Verifier,
    /// Token: when it expires. `bench/run` uses a bounded number of tokens.
    remembered: RwLock<HashMap<String, u64>>,
}

/// Serves on a free port of loopback with the key set (`jwks.json`) and the body (`body`) of a folder, prints the address, and
/// ends the process with its standard input.
pub(super) async fn serve(folder: &Path) -> Outcome {
    let body = fs::read(folder.join("body"))?.into();
    let floor = Arc::new(Floor { body, verifier: Verifier::read(folder)?, remembered: RwLock::default() });
    let routes = Router::new()
        .route("/fixed", get(fixed))
        .route("/remembered", get(remembered))
        .route("/checked", get(checked))
        .with_state(floor);
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
    println!("http://{}", listener.local_addr()?);
    std::thread::spawn(|| {
        let _ = std::io::stdin().read_to_end(&mut Vec::new());
        std::process::exit(0);
    });
    Ok(axum::serve(listener, routes).await?)
}

async fn fixed(State(floor): State<Arc<Floor>>) -> Answer {
    floor.answer()
}

async fn remembered(State(floor): State<Arc<Floor>>, headers: HeaderMap) -> Result<Answer, StatusCode> {
    let token = bearer(&headers)?;
    let found = floor.remembered.read().unwrap_or_else(PoisonError::into_inner).get(token).copied();
    let expires = match found {
        Some(expires) => expires,
        None => {
            let expires = floor.verifier.verify(token).ok_or(StatusCode::UNAUTHORIZED)?;
            let mut remembered = floor.remembered.write().unwrap_or_else(PoisonError::into_inner);
            remembered.insert(token.to_owned(), expires);
            expires
        }
    };
    if expires <= get_current_timestamp() {
        return Err(StatusCode::UNAUTHORIZED);
    }
    Ok(floor.answer())
}

async fn checked(State(floor): State<Arc<Floor>>, headers: HeaderMap) -> Result<Answer, StatusCode> {
    floor.verifier.verify(bearer(&headers)?).ok_or(StatusCode::UNAUTHORIZED)?;
    Ok(floor.answer())
}

fn bearer(headers: &HeaderMap) -> Result<&str, StatusCode> {
    let value = headers.get(AUTHORIZATION).and_then(|value| value.to_str().ok());
    value.and_then(|value| value.strip_prefix("Bearer ")).ok_or(StatusCode::UNAUTHORIZED)
}

impl Floor {
    fn answer(&self) -> Answer {
        ([(CONTENT_TYPE, "application/json")], self.body.clone())
    }
}
