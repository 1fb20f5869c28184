//! The floors that `bench/run` compares the product with: the same framework, token check and embedded database, without
//! any code of the product.
//!
//! - `floor sign FOLDER COUNT` writes a key set (`jwks.json`) and as many access tokens, one a line (`tokens`).
//! - `floor serve FOLDER` serves the routes of [`http`], prints its address, and ends with its standard input.
//! - `floor read FILE SECONDS` reads accounts of a database of the product, on every core, and prints reads per second.
//! - `floor update FILE SECONDS GROUP BYTES` changes accounts of such a database, so many in a transaction, each with a history
//!   entry of so many bytes, and prints changes per second.

mod http;
mod sqlite;
mod token;

use std::error::Error;
use std::path::Path;
use std::time::Duration;

type Outcome<T = ()> = Result<T, Box<dyn Error + Send + Sync>>;

fn main() -> Outcome {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match arguments.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["sign", folder, count] => token::sign(Path::new(folder), count.parse()?),
        ["serve", folder] => tokio::runtime::Runtime::new()?.block_on(http::serve(Path::new(folder))),
        ["read", file, seconds] => sqlite::read(file, duration(seconds)?),
        ["update", file, seconds, group, bytes] => {
            sqlite::update(file, duration(seconds)?, group.parse()?, bytes.parse()?)
        }
        _ => Err("usage: floor sign FOLDER COUNT | serve FOLDER | read FILE SECONDS | update FILE SECONDS GROUP BYTES"
            .into()),
    }
}

fn duration(seconds: &str) -> Outcome<Duration> {
    Ok(Duration::from_secs(seconds.parse()?))
}
