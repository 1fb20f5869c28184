//! Profiles that must match the tenant's schema.

use selfsame::account::{Contract, Field};

use super::{Jane, faults};
use crate::support::{Server, Transcript, patch};

const SCHEMA: &str = r##"{
    "$schema": "https://json-schema.org/draft/2020-12/schema",
    "type": "object",
    "properties": {
        "location": {"type": "string", "maxLength": 20},
        "birthday": {"type": "string", "format": "date"},
        "plan": {"$ref": "#/$defs/plan"},
        "secret": {"type": "string", "writeOnly": true}
    },
    "required": ["location"],
    "additionalProperties": false,
    "$defs": {"plan": {"enum": ["free", "gold"], "readOnly": true}}
}"##;

async fn set(server: &Server, schema: Option<&str>) {
    server.app.store().set_attribute_schema(server.tenant.id, schema, server.app.now()).await.unwrap();
}

fn pair(field: &str, reason: &str) -> (String, String) {
    (field.to_owned(), reason.to_owned())
}

on_both_databases!(
    async fn a_merged_profile_must_match_the_schema(server: Server) {
        let jane = Jane::new(&server).await;
        set(&server, Some(SCHEMA)).await;
        let before = jane.stored().await;
        let mut transcript = Transcript::default();
        for profile in [
            r#"{"birthday":"yesterday"}"#,
            r#"{"location":null}"#,
            r#"{"plan":"gold"}"#,
            r#"{"birthday":1,"plan":"silver","other":true}"#,
        ] {
            transcript.add(profile, &jane.put(format!(r#"{{"display_name":"Jo","profile":{profile}}}"#)).await);
            assert_eq!(jane.stored().await, before);
        }
        insta::assert_snapshot!(transcript, @r#"
        > {"birthday":"yesterday"}
        422 Unprocessable Entity
        content-type: application/json

        {"success":false,"error":{"code":"VALIDATION_ERROR","message":"Request validation failed","details":{"field":"profile/birthday","reason":"does not match the schema"},"timestamp":"2026-03-20T14:30:00Z"},"message":"Request validation failed"}

        > {"location":null}
        422 Unprocessable Entity
        content-type: application/json

        {"success":false,"error":{"code":"VALIDATION_ERROR","message":"Request validation failed","details":{"field":"profile","reason":"does not match the schema"},"timestamp":"2026-03-20T14:30:00Z"},"message":"Request validation failed"}

        > {"plan":"gold"}
        422 Unprocessable Entity
        content-type: application/json

        {"success":false,"error":{"code":"VALIDATION_ERROR","message":"Request validation failed","details":{"field":"profile/plan","reason":"is read-only"},"timestamp":"2026-03-20T14:30:00Z"},"message":"Request validation failed"}

        > {"birthday":1,"plan":"silver","other":true}
        422 Unprocessable Entity
        content-type: application/json

        {"success":false,"error":{"code":"VALIDATION_ERROR","message":"Request validation failed","details":{"field":"profile/plan","reason":"is read-only","errors":[{"field":"profile/plan","reason":"is read-only"},{"field":"profile/birthday","reason":"does not match the schema"},{"field":"profile","reason":"does not match the schema"}]},"timestamp":"2026-03-20T14:30:00Z"},"message":"Request validation failed"}
        "#);
        let merged = jane.merge(r#"{"birthday":"2000-02-29"}"#).await;
        assert_eq!(merged, r#"{"location":"San Francisco","birthday":"2000-02-29"}"#);
    }
);

on_both_databases!(
    async fn a_schema_applies_from_when_it_is_set_until_it_is_removed(server: Server) {
        let jane = Jane::new(&server).await;
        let status = async |profile: &str| jane.put(format!(r#"{{"profile":{profile}}}"#)).await.status.as_u16();
        assert_eq!(status(r#"{"a":1}"#).await, 200);
        set(&server, Some(r#"{"properties":{"a":{"type":"integer"}}}"#)).await;
        assert_eq!((status(r#"{"a":2}"#).await, status(r#"{"a":"x"}"#).await), (200, 422));
        set(&server, Some(r#"{"properties":{"a":{"type":"string"}}}"#)).await;
        assert_eq!((status(r#"{"a":"x"}"#).await, status(r#"{"a":2}"#).await), (200, 422));
        set(&server, None).await;
        assert_eq!(status(r#"{"a":[2]}"#).await, 200);
    }
);

on_both_databases!(
    async fn the_whole_profile_is_checked_and_only_when_it_changes(server: Server) {
        let jane = Jane::of(&server, server.person(&[(Field::Attributes, r#"{"location":7,"bio":"x"}"#)]).await).await;
        set(&server, Some(r#"{"properties":{"location":{"type":"string"}}}"#)).await;
        assert_eq!(jane.put(r#"{"display_name":"Jo"}"#).await.status, 200);
        assert_eq!(jane.put(r#"{"profile":{"bio":"x"}}"#).await.status, 200);
        let refused = jane.put(r#"{"profile":{"bio":"y"}}"#).await;
        assert_eq!(faults(&refused), [pair("profile/location", "does not match the schema")]);
        assert_eq!(jane.merge(r#"{"bio":"y","location":"Oslo"}"#).await, r#"{"location":"Oslo","bio":"y"}"#);
    }
);

on_both_databases!(
    async fn read_only_members_may_be_sent_back_and_are_changed_only_by_operators(server: Server) {
        let jane = Jane::new(&server).await;
        set(&server, Some(SCHEMA)).await;
        let attributes = |plan: &str| format!(r#"{{"location":"Oslo","plan":"{plan}"}}"#);
        server.operate(&jane.account, patch(&[(Field::Attributes, &attributes("gold"))])).await;
        assert_eq!(jane.merge(&attributes("gold")).await, attributes("gold"));
        for profile in [r#"{"plan":"free"}"#, r#"{"plan":null}"#, r#"{"plan":{}}"#] {
            let refused = jane.put(format!(r#"{{"profile":{profile}}}"#)).await;
            assert_eq!(refused.status, 422);
            assert_eq!(faults(&refused), [pair("profile/plan", "is read-only")], "{profile}");
        }
    }
);

on_both_databases!(
    async fn write_only_members_are_stored_and_never_shown(server: Server) {
        let jane = Jane::new(&server).await;
        set(&server, Some(SCHEMA)).await;
        let shown = r#"{"location":"San Francisco"}"#;
        assert_eq!(jane.merge(r#"{"secret":"x"}"#).await, shown);
        let kept = || async { jane.stored().await.attributes().unwrap().to_string() };
        assert_eq!(kept().await, r#"{"location":"San Francisco","secret":"x"}"#);
        assert_eq!(jane.merge(shown).await, shown);
        assert_eq!(kept().await, r#"{"location":"San Francisco","secret":"x"}"#);
        assert_eq!(jane.merge(r#"{"secret":null}"#).await, shown);
        assert_eq!(kept().await, shown);
    }
);

on_both_databases!(
    async fn a_client_may_read_the_schema_that_its_forms_must_follow(server: Server) {
        let jane = Jane::new(&server).await;
        let mut transcript = Transcript::default();
        let ask = |token: String| server.request("GET", "/me/schema").bearer(&token);
        transcript.add("no schema", &ask(jane.token.clone()).send().await);
        set(&server, Some(r#"{"title":"Person","properties":{"z":{"maximum":1.0},"a":{"type":"string"}}}"#)).await;
        let of_system = server.token(&jane.account, Contract::System).await;
        for token in [&jane.token, &of_system] {
            transcript.add("a schema", &ask(token.clone()).send().await);
        }
        transcript.add("no token", &server.request("GET", "/me/schema").send().await);
        transcript.add("no token that holds", &ask("none".to_owned()).send().await);
        transcript.add("another method", &server.request("POST", "/me/schema").bearer(&jane.token).send().await);
        transcript.add("another path", &server.request("GET", "/me/none").bearer(&jane.token).send().await);
        let mut suspended = selfsame::account::Patch::default();
        suspended.status = Some(selfsame::account::Status::Suspended);
        server.operate(&jane.account, suspended).await;
        transcript.add("an account out of use", &ask(jane.token.clone()).send().await);
        insta::assert_snapshot!(transcript, @r#"
        > no schema
        200 OK
        cache-control: private, no-cache
        content-type: application/schema+json

        {}

        > a schema
        > a schema
        200 OK
        cache-control: private, no-cache
        content-type: application/schema+json

        {"title":"Person","properties":{"z":{"maximum":1.0},"a":{"type":"string"}}}

        > no token
        401 Unauthorized
        content-type: application/problem+json
        www-authenticate: Bearer realm="selfsame"

        {"status":401,"title":"Unauthorized","type":"about:blank"}

        > no token that holds
        401 Unauthorized
        content-type: application/problem+json
        www-authenticate: Bearer realm="selfsame", error="invalid_token"

        {"status":401,"title":"Unauthorized","type":"about:blank"}

        > another method
        405 Method Not Allowed
        allow: GET, HEAD, OPTIONS
        content-type: application/problem+json

        {"status":405,"title":"Method Not Allowed","type":"about:blank"}

        > another path
        404 Not Found
        content-type: application/problem+json

        {"status":404,"title":"Not Found","type":"about:blank"}

        > an account out of use
        403 Forbidden
        content-type: application/problem+json

        {"status":403,"title":"Forbidden","type":"about:blank"}
        "#);
    }
);
