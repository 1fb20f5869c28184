//! What one may send: inputs as providers, phones, libraries and people really write them. Each of them was refused once, or
//! ended wrong, and ends well.

mod addresses;
mod applications;
mod bodies;
mod browsers;
mod codes;
mod hosts;
mod json;
mod keycloak;
mod numbers;
mod pictures;
mod providers;
mod refresh;
mod rendering;
mod request_ids;
mod tokens;
mod values;

use crate::issuers::{REFUSED, World, on_sqlite};

/// Proves that a token is refused, where the server takes other tokens than the tests' own: another test proves that.
fn refused_alone(settings: &[(&str, &str)], make: impl FnOnce(&World) -> String) {
    on_sqlite(async |database| {
        let world = World::with(database, settings).await;
        assert_eq!(world.read(&make(&world)).await.to_string(), REFUSED);
    });
}
