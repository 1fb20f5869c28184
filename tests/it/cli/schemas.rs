use super::{with_account, with_tenant};
use crate::support::Installation;

fn file(installation: &Installation, text: &str) -> String {
    let path = installation.data().join("schema.json");
    std::fs::write(&path, text).unwrap();
    path.to_str().unwrap().to_owned()
}

on_both_databases!(
    async fn a_schema_is_tried_out_set_shown_and_taken_away(installation: Installation) {
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
        insta::assert_snapshot!(settled(dry), @"");
        let show = ["tenant", "show-schema", "demo"];
        insta::assert_snapshot!(installation.refusal(&show), @"");
        insta::assert_snapshot!(installation.print(&["tenant", "set-schema", "demo", &schema]), @"");
        insta::assert_snapshot!(installation.print(&show), @"");
        assert_eq!(installation.json(&["tenant", "set", "demo", "--json"])["schema"], 1);

        // Operators are held to it too.
        let set = |attributes: &str| installation.refusal(&["account", "set", &id, attributes]);
        insta::assert_snapshot!(set("attributes={\"n\":1}"), @"");
        installation.print(&["account", "set", &id, "attributes={\"n\":-1}"]);
        let new = [create.as_slice(), &["attributes={\"s\":[1]}"]].concat();
        insta::assert_snapshot!(installation.refusal(&new), @"");

        insta::assert_snapshot!(installation.print(&["tenant", "set-schema", "demo", "--remove"]), @"");
        installation.print(&["account", "set", &id, "attributes={\"n\":1}"]);
        assert!(installation.json(&["tenant", "set", "demo", "--json"])["schema"].is_null());
    }
);

on_both_databases!(
    async fn what_is_no_schema_is_refused_in_one_line(installation: Installation) {
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
        insta::assert_snapshot!(lines, @"");
        assert!(installation.json(&["tenant", "set", "demo", "--json"])["schema"].is_null());
    }
);
