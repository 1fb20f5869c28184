//! An export equals the import, to the byte.

use super::{Home, id, line, people};

/// An account with every member set, in the form in which it is exported.
fn full() -> String {
    let attributes = r#"{"z":[1.0,-0,1e2,9007199254740993],"a":{"é😀":null,"q":"\"\\\n"},"b":[]}"#;
    format!(
        concat!(
            r#"{{"id":"{}","number":7,"biz_id":"客户-7","tenant":"demo","portal":"CONSUMER","status":"SUSPENDED","#,
            r#""display_name":"José 山田 👩‍👩‍👧","given_name":"Jose\u0001\t","family_name":"山田","nickname":"Pepe\"\\","#,
            r#""username":"josé","email":"José@Bücher.example","phone":"+1 (987) 654-321","language":"zh-Hant-TW","#,
            r#""time_zone":"Mars/Olympus","country":"XX","remark":" spaces ","picture":"https://example.com/a?b=c#d","#,
            r#""attributes":{},"push_token":"token","wallet_address":"0xabc","auth_location":"Ōsaka","#,
            r#""email_verified":true,"phone_verified":true,"authenticated":false,"#,
            r#""auth_valid_until":"2031-01-01T00:00:00.000001Z","identities":[{{"issuer":"https://a.example","#,
            r#""subject":"é"}},{{"issuer":"https://b.example","subject":"1"}},{{"issuer":"https://b.example","#,
            r#""subject":"2"}}],"created_at":"1999-12-31T23:59:59.999999Z","updated_at":"2020-02-29T12:00:00.5Z"}}"#,
            "\n"
        ),
        id(7),
        attributes
    )
}

on_both_databases!(
    async fn an_account_with_every_member_is_exported_as_it_was_imported(home: Home) {
        insta::assert_snapshot!(home.import(&full(), &[]), @"
        1 added, 0 unchanged, 0 refused
        exit Some(0)
        ");
        assert_eq!(home.export(), full());
        insta::assert_snapshot!(home.verified(), @"accounts: 1, entries: 1, erased: 0, broken histories: 0");
        insta::assert_snapshot!(home.import(&full(), &[]), @"
        0 added, 1 unchanged, 0 refused
        exit Some(0)
        ");
    }
);

on_both_databases!(
    async fn an_export_is_imported_into_another_installation_and_exported_the_same(home: Home) {
        home.import(
            &(people(1..=30) + &full().replace(r#""number":7,"#, r#""number":77,"#).replace(&id(7), &id(77))),
            &[],
        );
        home.print(&["account", "set", &id(3), "attributes={\"changed\": [1.50]}", "phone=+1987654321"]);
        let first = home.export();
        let other = home.another();
        insta::assert_snapshot!(other.import(&first, &[]), @"
        31 added, 0 unchanged, 0 refused
        exit Some(0)
        ");
        assert_eq!(other.export(), first);
    }
);

on_both_databases!(
    async fn attributes_may_be_as_deep_as_a_document(home: Home) {
        let deep = |depth: usize| {
            let attributes = format!("{}0{}", r#"{"a":"#.repeat(depth), "}".repeat(depth));
            line(1).replace(r#""number":1"#, &format!(r#""number":1,"attributes":{attributes}"#))
        };
        insta::assert_snapshot!(home.import(&deep(64), &[]), @"
        1 added, 0 unchanged, 0 refused
        exit Some(0)
        ");
        let first = home.export();
        assert!(first.contains(&format!("{}0", r#"{"a":"#.repeat(64))), "{first}");
        insta::assert_snapshot!(home.import(&first, &[]), @"
        0 added, 1 unchanged, 0 refused
        exit Some(0)
        ");
        insta::assert_snapshot!(home.import(&deep(65), &[]), @"
        0 added, 0 unchanged, 1 refused
        line 1: malformed JSON at byte 389: at most 64 arrays and objects may be nested
        selfsame: ended at this line, all before it is kept; correct it, then run the import again
        exit Some(1)
        ");
    }
);

on_both_databases!(
    async fn one_tenant_can_be_exported_alone(home: Home) {
        home.print(&["tenant", "create", "other"]);
        let elsewhere = line(2).replace("demo", "other");
        home.import(&(line(1) + &elsewhere + &line(3)), &[]);
        let ids = |exported: String| -> Vec<String> {
            let of = |line: &str| {
                serde_json::from_str::<serde_json::Value>(line).unwrap()["id"].as_str().unwrap().to_owned()
            };
            exported.lines().map(of).collect()
        };
        assert_eq!(ids(home.print(&["account", "export", "--tenant", "other"])), [id(2)]);
        assert_eq!(ids(home.export()), [id(1), id(2), id(3)]);
    }
);
