//! The floors that `bench/run` compares the product with: the same framework, token check and embedded database, without
//! any code of the product.
//!
//! `floor serve JWKS` answers `GET /bare` and `GET /token` with a constant body of the size of a profile; `/token` requires
//! a token signed with the first key of the set. It prints its address and ends with its standard input.
//! `floor commit FILE SECONDS` changes one row and commits, one change after the other, and prints changes per second.

use std::error::Error;
use std::io::Read;
use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::Router;
use axum::extract::State;
use axum::http::header::{AUTHORIZATION, CONTENT_TYPE};
use axum::http::{HeaderMap, StatusCode};
use axum::routing::get;
use jsonwebtoken::jwk::JwkSet;
use jsonwebtoken::{Algorithm, DecodingKey};

/// A body of the size of the demo account's profile.
const BODY: [u8; 496] = [b'x'; 496];

type Outcome = Result<(), Box<dyn Error>>;

fn main() -> Outcome {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match arguments.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["serve", jwks] => tokio::runtime::Runtime::new()?.block_on(serve(jwks)),
        ["commit", file, seconds] => commit(file, Duration::from_secs(seconds.parse()?)),
        _ => Err("usage: floor serve JWKS | floor commit FILE SECONDS".into()),
    }
}

async fn serve(jwks: &str) -> Outcome {
    let jwks: JwkSet = serde_json::from_str(jwks)?;
    let key = Arc::new(DecodingKey::from_jwk(jwks.keys.first().ok_or("the key set is empty")?)?);
    let routes = Router::new().route("/bare", get(bare)).route("/token", get(token)).with_state(key);
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
    println!("http://{}", listener.local_addr()?);
    std::thread::spawn(|| {
        let _ = std::io::stdin().read_to_end(&mut Vec::new());
        std::process::exit(0);
    });
    Ok(axum::serve(listener, routes).await?)
}

async fn bare() -> ([(axum::http::HeaderName, &'static str); 1], &'static [u8]) {
    ([(CONTENT_TYPE, "application/json")], &BODY)
}

async fn token(
    State(key): State<Arc<DecodingKey>>,
    headers: HeaderMap,
) -> Result<([(axum::http::HeaderName, &'static str); 1], &'static [u8]), StatusCode> {
    let presented = headers.get(AUTHORIZATION).and_then(|value| value.to_str().ok()?.strip_prefix("Bearer "));
    let parts = presented.and_then(|token| token.rsplit_once('.'));
    let signed = parts.is_some_and(|(message, signature)| {
        jsonwebtoken::crypto::verify(signature, message.as_bytes(), &key, Algorithm::EdDSA).unwrap_or(false)
    });
    if signed { Ok(bare().await) } else { Err(StatusCode::UNAUTHORIZED) }
}

fn commit(file: &str, time: Duration) -> Outcome {
    let connection = rusqlite::Connection::open(file)?;
    connection.pragma_update(None, "journal_mode", "WAL")?;
    connection.pragma_update(None, "synchronous", "FULL")?;
    connection.execute_batch("CREATE TABLE row (id INTEGER PRIMARY KEY, value INTEGER NOT NULL)")?;
    connection.execute_batch("INSERT INTO row VALUES (1, 0)")?;
    let mut update = connection.prepare("UPDATE row SET value = value + 1 WHERE id = 1")?;
    let begin = Instant::now();
    let mut changes = 0;
    while begin.elapsed() < time {
        changes += update.execute([])?;
    }
    println!("{:.0}", changes as f64 / begin.elapsed().as_secs_f64());
    Ok(())
}
