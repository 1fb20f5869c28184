//! The steps of `docs/keycloak.md`, with a provider that writes access tokens as Keycloak does.

use serde_json::json;

use crate::readme::{ADDRESS, assert_printed, blocks, section_of};
use crate::support::Shell;
use crate::support::peer::Peer;
use crate::support::program::listening;
use crate::support::signing::Key;

const PAGE: &str = include_str!("../../../docs/keycloak.md");
/// The realm in the page.
const REALM: &str = "https://keycloak.example.com/realms/corp";

#[tokio::test(flavor = "multi_thread")]
async fn the_steps_to_connect_keycloak_work_as_printed() {
    let style = json!({
        "type": "JWT",
        "claims": {
            "typ": "Bearer", "azp": "app", "nonce": "0f1e2d3c", "session_state": "5c0f6f04-0a0e-4a0a-9d53-0a8b0f2b1b1a",
            "acr": "1", "realm_access": {"roles": ["offline_access"]}, "email_verified": true, "name": "Alice Liddell",
            "preferred_username": "alice", "given_name": "Alice", "family_name": "Liddell", "email": "alice@example.com",
        },
    });
    let peer = Peer::start_as(style, "selfsame", &[&Key::rsa("realm")], "RS256");
    let token = peer.sign_in("alice").await.access_token;
    let section = section_of(PAGE, "In selfsame");
    let (commands, texts, answers) = (blocks(section, "sh"), blocks(section, "text"), blocks(section, "json"));
    assert_eq!((commands.len(), texts.len(), answers.len()), (4, 2, 1));
    let issuer = peer.issuer();
    let mut shell = Shell::new();
    let here = |text: &str| text.replace(REALM, &issuer);
    assert!(shell.run(&here(commands[0])).ends_with(texts[0]));
    shell.run(&format!("printf %s '{token}' > token.txt"));
    assert_printed(&here(texts[1]), &shell.run(commands[1]));
    shell.run(commands[2]);
    let address = listening(&mut shell.errors).to_string();
    assert_printed(answers[0], &shell.run(&commands[3].replace(ADDRESS, &address)));
}
