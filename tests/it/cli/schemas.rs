use super::{with_account, with_tenant};
use crate::support::Installation;

fn file(installation: &Installation, text: &str) -> String {
    let path = installation.data().join("schema.json");
    std::fs::write(&path, text).unwrap();
    path.to_str().unwrap().to_owned()
}

on_both_databases!(
    async fn a_schema_is_tried_out_set_shown_and_removed(installation: Installation) {
        let id = with_account(&installation);
        let create = ["account", "create", "--tenant", "demo", "--json"];
        let mut ids = Vec::new();
        for number in 0..12 {
            let attributes = format!("attributes={{\"n\":{number},\"s\":[\"x\"]}}");
            let created = installation.json(&[create.as_slice(), &[&attributes]].concat());
            ids.push(created["id"].as_str().unwrap().to_owned());
        }
        let schema = file(&installation, "{\n \"properties\": {\"n\": {\"maximum\": 0.0}, \"s\": {\"items\": false}}}");
        let settled = |text: String| ids.iter().fold(text, |text, id| text.replace(id, "ID"));
        let dry = installation.print(&["tenant", "set-schema", "demo", &schema, "--dry-run"]);
        insta::assert_snapshot!(settled(dry), @"
        account ID: /s/0
        account ID: /n, /s/0
        account ID: /n, /s/0
        account ID: /n, /s/0
        account ID: /n, /s/0
        account ID: /n, /s/0
        account ID: /n, /s/0
        account ID: /n, /s/0
        account ID: /n, /s/0
        account ID: /n, /s/0
        and 2 more
        12 accounts have attributes, 12 of them would not match; nothing was set
        ");
        let show = ["tenant", "show-schema", "demo"];
        insta::assert_snapshot!(installation.refusal(&show), @"selfsame: demo has no schema; `selfsame tenant set-schema demo FILE` sets one");
        insta::assert_snapshot!(installation.print(&["tenant", "set-schema", "demo", &schema]), @"demo has schema 1 now: attributes must match it whenever they change");
        insta::assert_snapshot!(installation.print(&show), @r#"{"properties":{"n":{"maximum":0.0},"s":{"items":false}}}"#);
        assert_eq!(installation.json(&["tenant", "set", "demo", "--json"])["schema"], 1);

        // The schema applies to operators, too.
        let set = |attributes: &str| installation.refusal(&["account", "set", &id, attributes]);
        insta::assert_snapshot!(set("attributes={\"n\":1}"), @"selfsame: attributes do not match the tenant's schema at: /n; see `selfsame tenant show-schema`");
        installation.print(&["account", "set", &id, "attributes={\"n\":-1}"]);
        let new = [create.as_slice(), &["attributes={\"s\":[1]}"]].concat();
        insta::assert_snapshot!(installation.refusal(&new), @"selfsame: attributes do not match the tenant's schema at: /s/0; see `selfsame tenant show-schema`");

        insta::assert_snapshot!(installation.print(&["tenant", "set-schema", "demo", "--remove"]), @"demo no longer has a schema: attributes may be anything");
        installation.print(&["account", "set", &id, "attributes={\"n\":1}"]);
        assert!(installation.json(&["tenant", "set", "demo", "--json"])["schema"].is_null());
    }
);

on_both_databases!(
    async fn an_invalid_schema_is_refused_in_one_line(installation: Installation) {
        with_tenant(&installation);
        let mut lines = Vec::new();
        for text in [
            "type: object",
            r#"{"properties":{"email":{"type":"string"}}}"#,
            r#"{"properties":{"a":{"pattern":"(?=a)"}}}"#,
            r#"{"properties":{"a":{"$ref":"https://example.com/a.json"}}}"#,
            &" ".repeat(70_000),
        ] {
            lines.push(installation.refusal(&["tenant", "set-schema", "demo", &file(&installation, text)]));
        }
        lines.push(installation.refusal(&["tenant", "set-schema", "nobody", "none.json"]));
        lines.push(installation.refusal(&["tenant", "set-schema", "demo", "none.json"]));
        let lines = lines.join("\n").replace(installation.data().to_str().unwrap(), "DATA");
        insta::assert_snapshot!(lines, @r##"
        selfsame: DATA/schema.json: malformed JSON at byte 0: expected a value
        selfsame: DATA/schema.json: property "email" has a name that contracts use themselves; rename it
        selfsame: DATA/schema.json: at /properties/a/pattern: "(?=a)" is not a "regex"; patterns have no look-around and no back-references, and are compiled into at most 1 MiB
        selfsame: DATA/schema.json: at /properties/a: $ref "https://example.com/a.json" is not a JSON Pointer within this document; copy the schema into $defs and refer to it by "#/$defs/NAME"
        selfsame: DATA/schema.json: larger than 65536 bytes; shorten it
        selfsame: no tenant is named nobody; see `selfsame tenant list`
        selfsame: none.json: No such file or directory (os error 2)
        "##);
        assert!(installation.json(&["tenant", "set", "demo", "--json"])["schema"].is_null());
    }
);
