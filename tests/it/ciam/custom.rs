//! Attributes that the tenant's schema defines, as CIAM claims; RiverGen shows the same ones in `profile`.

use selfsame::account::{Contract, Field};
use serde_json::json;

use super::AppUser;
use crate::support::{Server, Transcript, patch};

const SCHEMA: &str = r##"{
    "type": "object",
    "properties": {
        "badge": {"type": "string", "pattern": "^[A-Z]{3}$"},
        "motto": {"type": "string"},
        "height": {"type": "number", "maximum": 3},
        "floor": {"type": "integer"},
        "member": {"type": "boolean"},
        "birthday": {"type": "string", "format": "date"},
        "city": {"type": "string"},
        "level": {"type": "string", "readOnly": true},
        "pin": {"type": "string", "writeOnly": true},
        "tags": {"type": "array"},
        "home": {"type": "object"},
        "anything": {}
    },
    "required": ["city"]
}"##;

const CLAIMS: [&str; 12] = [
    "tags",
    "home",
    "badge",
    "motto",
    "height",
    "floor",
    "member",
    "birthday",
    "city",
    "level",
    "pin",
    "not_in_schema",
];

async fn jane(server: &Server) -> AppUser<'_> {
    server.app.store().set_attribute_schema(server.tenant.id, Some(SCHEMA), server.app.now()).await.unwrap();
    let stored =
        r#"{"city":"Paris","level":"gold","home":{"street":"x"},"tags":["a",null],"not_in_schema":"hidden","pin":"1"}"#;
    let account = server.person(&[]).await;
    // The attributes are stored while the tenant has no schema.
    server.app.store().set_attribute_schema(server.tenant.id, None, server.app.now()).await.unwrap();
    server.operate(&account, patch(&[(Field::Attributes, stored)])).await;
    server.app.store().set_attribute_schema(server.tenant.id, Some(SCHEMA), server.app.now()).await.unwrap();
    AppUser::of(server.client(selfsame::account::Kind::Web, &CLAIMS).await, account).await
}

on_both_databases!(
    async fn attributes_in_the_schema_are_shown_by_name_whatever_their_type(server: Server) {
        let jane = jane(&server).await;
        insta::assert_snapshot!(jane.get().await.body.replace(&jane.account.id.to_string(), "SUB"), @r#"{"sub":"SUB","city":"Paris","home":{"street":"x"},"level":"gold","tags":["a",null]}"#);
        server.app.store().set_attribute_schema(server.tenant.id, None, server.app.now()).await.unwrap();
        assert_eq!(jane.get().await.body, format!(r#"{{"sub":"{}"}}"#, jane.account.id));
        assert_eq!(jane.patch(r#"{"city":"Rome"}"#).await.json()["error_description"], "Unknown attribute(s) found.");
    }
);

on_both_databases!(
    async fn single_values_must_match_their_type_and_pattern(server: Server) {
        let jane = jane(&server).await;
        for (name, good, bad) in [
            ("badge", vec![json!("ABC")], vec![json!("abc"), json!("ABCD"), json!(1), json!(null), json!("")]),
            ("height", vec![json!(1.75), json!(2)], vec![json!("1.75"), json!(4), json!(true), json!([1])]),
            ("floor", vec![json!(-1)], vec![json!(1.5), json!("1")]),
            ("member", vec![json!(true), json!(false)], vec![json!("true"), json!(0), json!(null)]),
            ("birthday", vec![json!("2000-02-29")], vec![json!("2001-02-29"), json!("yesterday"), json!(2000)]),
            ("motto", vec![json!("x".repeat(1024))], vec![json!("x".repeat(1025)), json!("a\u{0}b"), json!({})]),
            ("city", vec![json!("Rome")], vec![json!("")]),
        ] {
            for value in good {
                let answer = jane.patch(json!({name: value}).to_string()).await;
                assert_eq!((answer.status.as_u16(), &answer.json()[name]), (200, &value), "{name}: {answer}");
            }
            let before = jane.stored().await;
            for value in bad {
                let answer = jane.patch(json!({"nickname": "J", name: value}).to_string()).await;
                assert_eq!(
                    (answer.status.as_u16(), answer.body.as_str()),
                    (400, r#"{"error":"illegal_parameter_value"}"#),
                    "{name}: {value}"
                );
            }
            assert_eq!(jane.stored().await, before);
        }
    }
);

on_both_databases!(
    async fn objects_arrays_and_read_only_attributes_cannot_be_changed(server: Server) {
        let jane = jane(&server).await;
        let before = jane.stored().await;
        let mut transcript = Transcript::default();
        for body in [
            r#"{"level":"silver"}"#,
            r#"{"level":"gold"}"#,
            r#"{"tags":["b"]}"#,
            r#"{"home":{"street":"y"}}"#,
            r#"{"home":null}"#,
            r#"{"anything":"x"}"#,
            r#"{"city":"Rome","not_in_schema":"x"}"#,
        ] {
            transcript.add(body, &jane.patch(body).await);
        }
        insta::assert_snapshot!(transcript, @r#"
        > {"level":"silver"}
        > {"level":"gold"}
        > {"tags":["b"]}
        > {"home":{"street":"y"}}
        > {"home":null}
        > {"anything":"x"}
        400 Bad Request
        cache-control: no-store
        content-type: application/json;charset=UTF-8

        {"error":"invalid_request","error_description":"Unsupported user attribute(s) found."}

        > {"city":"Rome","not_in_schema":"x"}
        400 Bad Request
        cache-control: no-store
        content-type: application/json;charset=UTF-8

        {"error":"invalid_request","error_description":"Unknown attribute(s) found."}
        "#);
        assert_eq!(jane.stored().await, before);
    }
);

on_both_databases!(
    async fn an_empty_text_removes_the_attribute_and_keeps_the_others(server: Server) {
        let jane = jane(&server).await;
        jane.patch(r#"{"motto":"Carpe diem","height":1.50}"#).await;
        let answer = jane.patch(r#"{"motto":"","height":""}"#).await;
        assert_eq!(
            (answer.status.as_u16(), answer.json().get("motto"), answer.json().get("height")),
            (200, None, None)
        );
        assert_eq!(
            jane.stored().await.attributes().unwrap().to_string(),
            r#"{"city":"Paris","level":"gold","home":{"street":"x"},"tags":["a",null],"not_in_schema":"hidden","pin":"1"}"#
        );
    }
);

on_both_databases!(
    async fn ciam_and_rivergen_show_each_others_changes(server: Server) {
        let jane = jane(&server).await;
        let river = server.token(&jane.account, Contract::RiverGen).await;
        jane.patch(r#"{"badge":"ABC","height":1.750}"#).await;
        let me = server.request("GET", "/api/v1/auth/me").bearer(&river).send().await;
        assert!(me.body.contains(r#""badge":"ABC","height":1.750"#), "{me}");
        let merge = server.request("PUT", "/api/v1/auth/me/profile").bearer(&river);
        merge.json(r#"{"profile":{"badge":"XYZ"}}"#).send().await;
        assert_eq!(jane.get().await.json()["badge"], "XYZ");
    }
);

on_both_databases!(
    async fn attributes_and_addresses_change_together_or_not_at_all(server: Server) {
        let jane = jane(&server).await;
        let proof = jane.proof("email", "new@example.com").await;
        let mut body = AppUser::proved("email", "new@example.com", &proof);
        body["badge"] = json!("bad");
        assert_eq!(jane.patch(body.to_string()).await.body, r#"{"error":"illegal_parameter_value"}"#);
        body["badge"] = json!("ABC");
        assert_eq!(jane.patch(body.to_string()).await.status, 200);
        let stored = jane.stored().await;
        assert_eq!((stored.email_verified, stored.version), (true, 3));
        assert!(stored.attributes().unwrap().contains_key("badge"));
    }
);
