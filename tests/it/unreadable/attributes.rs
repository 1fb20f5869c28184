//! Attributes are parsed at first use; a value that is not a JSON object must not be treated as an empty one.

use selfsame::account::{Field, Kind};
use serde_json::json;

use super::{causes, rename, written};
use crate::support::{Log, Person, Server, Side, patch};

const UNREADABLE: [&str; 5] = [r#"{"bio":"#, "[1,2]", "null", "bio", "{\"bio\":\"\u{fffd}\"} {}"];

on_both_databases!(
    async fn unreadable_attributes_are_never_shown_as_empty_and_never_overwritten(server: Server) {
        let schema = Some(r#"{"properties":{"bio":{"type":"string"}}}"#);
        server.app.store().set_attribute_schema(server.tenant.id, schema, server.app.now()).await.unwrap();
        let names = [(Field::GivenName, "Jane"), (Field::FamilyName, "Roe"), (Field::Attributes, r#"{"bio":"x"}"#)];
        let person = Person::new(&server, patch(&names)).await;
        let application = server.client(Kind::Web, &["bio"]).await;
        let claims = application.token(&person.account).await;
        let mut seen = 0;
        for text in UNREADABLE {
            let stored = server.database().bytes(text.as_bytes());
            server.database().execute(&format!("UPDATE account SET attributes = {stored}")).await;
            let before = written(&server).await;
            let answers = [
                person.river("GET", "/api/v1/auth/me", None).await,
                person.write(Side::RiverGen, "profile", json!({"bio": "y"})).await,
                server.request("GET", "/userinfo").bearer(&claims).send().await,
                person.write(Side::Ciam, "bio", "y").await,
                rename(&person, Side::System).await,
                rename(&person, Side::Cl2c).await,
                rename(&person, Side::RiverGen).await,
                rename(&person, Side::Ciam).await,
            ];
            for (number, answer) in answers.iter().enumerate() {
                assert_eq!(answer.status, 500, "request {number} on {text}: {answer}");
            }
            let cause = format!("account {}: attributes: not a JSON object", person.account.id);
            assert_eq!(causes(&Log::of_this_test(), &mut seen), vec![cause; answers.len()], "{text}");
            assert_eq!(written(&server).await, before, "{text}");
        }
    }
);

on_both_databases!(
    async fn a_contract_that_shows_no_attributes_still_shows_the_account(server: Server) {
        let person = Person::new(&server, patch(&[(Field::DisplayName, "Jane")])).await;
        let stored = server.database().bytes(b"{");
        server.database().execute(&format!("UPDATE account SET attributes = {stored}")).await;
        assert_eq!(person.read(Side::System).await["accountName"], "Jane");
        assert_eq!(person.read(Side::Cl2c).await["id"], person.account.id.to_string());
        assert_eq!(person.read(Side::Ciam).await["name"], "Jane");
    }
);
