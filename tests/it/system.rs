//! The System portal's contract, row by row, at the wire.

use selfsame::account::{Account, Field};
use selfsame::contract::Contract;

use crate::support::Server;

/// The person on the vendor's page.
async fn admin(server: &Server) -> Account {
    let fields = [
        (Field::Email, "admin@example.com"),
        (Field::Phone, "+1234567890"),
        (Field::DisplayName, "System Admin"),
        (Field::Language, "en"),
        (Field::TimeZone, "America/New_York"),
        (Field::Country, "US"),
    ];
    server.person(&fields).await
}

on_both_databases!(
    async fn the_profile_reads_as_the_page_shows_it(server: Server) {
        let account = admin(&server).await;
        let token = server.token(&account, Contract::System).await;
        let answer =
            server.request("GET", "/web/v1/system/profile").bearer(&token).header("X-Client-Hash", "d1").send().await;
        insta::assert_snapshot!(answer, @r#""#);
    }
);
