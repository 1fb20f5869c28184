//! Every error of a line is reported with its line number.

use super::{Home, id, line};

/// A line with identifier, tenant and further members.
fn with(number: u64, members: &str) -> String {
    format!("{{\"id\":\"{}\",\"tenant\":\"demo\",{members}}}\n", id(number))
}

on_both_databases!(
    async fn attributes_that_do_not_match_the_tenants_schema_are_refused(home: Home) {
        let schema = home.data.path().join("schema.json");
        let rule = r#"{"properties":{"plan":{"enum":["free","gold"],"readOnly":true}},"required":["plan"]}"#;
        std::fs::write(&schema, rule).unwrap();
        home.print(&["tenant", "set-schema", "demo", schema.to_str().unwrap()]);
        let lines = [
            with(1, r#""attributes":{"plan":"gold"}"#),
            with(2, r#""attributes":{"plan":"silver"}"#),
            with(3, r#""attributes":{"bio":"x"}"#),
            // A line without attributes is not checked.
            line(4),
        ];
        insta::assert_snapshot!(home.import(&lines.concat(), &["--keep-going"]), @"
        2 added, 0 unchanged, 2 refused
        line 2: attributes/plan: does not match the tenant's schema
        line 3: attributes: does not match the tenant's schema
        selfsame: lines with errors were skipped; correct them, then run the import again
        exit Some(1)
        ");
    }
);

on_both_databases!(
    async fn every_error_of_every_line_is_reported(home: Home) {
        let long = "x".repeat(64 * 1024 + 1);
        let lines = [
            line(1),
            "{\"id\":\n".to_owned(),
            "[1]\n".to_owned(),
            "{}\n".to_owned(),
            "\n".to_owned(),
            with(6, r#""emial":"a@example.com","version":3"#),
            "{\"id\":\"7\",\"tenant\":\"demo\"}\n".to_owned(),
            "{\"id\":\"00000000-0000-0000-0000-000000000000\",\"tenant\":\"nobody\"}\n".to_owned(),
            with(9, r#""number":0"#),
            with(10, r#""number":1.5,"portal":"MOON","status":"GONE""#),
            with(11, r#""number":"11","portal":1,"status":null,"authenticated":"yes""#),
            with(12, r#""created_at":"yesterday","updated_at":5,"auth_valid_until":"2020-13-01T00:00:00Z""#),
            with(13, r#""created_at":"2020-01-02T00:00:00Z","updated_at":"2020-01-01T00:00:00Z""#),
            with(14, r#""display_name":"","nickname":"a\u0000b","remark":{},"biz_id":"""#),
            with(15, &format!(r#""given_name":"{long}","attributes":{{"a":"{long}"}}"#)),
            with(16, r#""email_verified":true,"phone":null,"phone_verified":true"#),
            with(17, r#""attributes":"{}""#),
            with(18, r#""attributes":{"a\u0000":1}"#),
            with(19, r#""identities":{"issuer":"a","subject":"b"}"#),
            with(20, r#""identities":[{"issuer":"a"}]"#),
            with(21, r#""identities":[{"issuer":"a","subject":"b","name":"c"}]"#),
            with(22, r#""identities":[{"issuer":"a","subject":"b"},{"issuer":"a","subject":"b"}]"#),
            with(23, r#""identities":[{"issuer":"","subject":"b"}]"#),
            with(24, r#""email":"\ud800""#),
            with(24, r#""picture":"stored:../secret.key:00""#),
            with(25, "\"a\u{1b}\":1").replace("\u{1b}", "\\u001b"),
        ];
        insta::assert_snapshot!(home.import(&lines.concat(), &["--dry-run"]), @r#"
        1 to add, 0 unchanged, 24 refused
        line 2: malformed JSON at byte 7: the text ends before the value does
        line 3: expected an object, found an array
        line 4: id: must be there
        line 4: tenant: must be there
        line 6: unknown member "emial"; the nearest is "email"
        line 6: unknown member "version"
        line 7: id: expected a UUID such as 0197f0c2-7d51-7c3e-9a44-2f1be6a0d35c
        line 8: id: expected a UUID such as 0197f0c2-7d51-7c3e-9a44-2f1be6a0d35c
        line 9: number: expected a whole number from 1 to 9007199254740991
        line 10: number: expected a whole number from 1 to 9007199254740991
        line 10: portal: expected one of SYSTEM, TENANT, PARTNER, CONSUMER
        line 10: status: expected one of PENDING_APPROVAL, ACTIVE, REJECTED, LOCKED, SUSPENDED, CLOSED
        line 11: number: expected a whole number from 1 to 9007199254740991
        line 11: portal: expected a string, found a number
        line 11: authenticated: expected true or false, found a string
        line 12: auth_valid_until: expected a moment such as 2027-01-01T00:00:00Z
        line 12: created_at: expected a moment such as 2027-01-01T00:00:00Z
        line 12: updated_at: expected a string, found a number
        line 13: updated_at: lies before created_at
        line 14: biz_id: must not be empty
        line 14: display_name: must not be empty
        line 14: nickname: must not contain NUL
        line 14: remark: expected a string, found an object
        line 15: given_name: must be at most 65536 bytes
        line 15: attributes: must be at most 65536 bytes
        line 16: email_verified: must not be true without email
        line 16: phone_verified: must not be true without phone
        line 17: attributes: expected an object, found a string
        line 18: attributes: must not contain NUL
        line 19: identities: expected an array of {"issuer": …, "subject": …}
        line 20: identities: expected an array of {"issuer": …, "subject": …}
        line 21: identities: expected an array of {"issuer": …, "subject": …}
        line 22: identities: names one twice
        line 23: identities: issuer must not be empty
        line 24: malformed JSON at byte 70: a surrogate must be escaped as a pair, high before low
        line 25: picture: expected an http or https address of at most 2048 bytes, or stored:NAME:DIGEST as an export has it
        line 26: unknown member "a\u{1b}"
        selfsame: nothing was changed; correct the lines, then import them
        exit Some(1)
        "#);
        assert_eq!(home.export(), "");
    }
);

on_both_databases!(
    async fn an_unknown_tenant_is_named(home: Home) {
        insta::assert_snapshot!(home.import(&line(1).replace("demo", "dmeo"), &[]), @r#"
        0 added, 0 unchanged, 1 refused
        line 1: tenant: none is named "dmeo"; see `selfsame tenant list`
        selfsame: ended at this line, all before it is kept; correct it, then run the import again
        exit Some(1)
        "#);
    }
);

on_both_databases!(
    async fn a_value_of_two_lines_is_refused_at_the_second(home: Home) {
        let identity = r#""identities":[{"issuer":"https://id.example","subject":"1"}]"#;
        let lines = [
            with(1, r#""number":10,"biz_id":"A""#),
            with(1, r#""number":11"#),
            with(2, r#""number":10"#),
            with(3, r#""number":12,"biz_id":"A""#),
            with(4, r#""number":13,"username":"Jane""#),
            with(5, r#""number":14,"username":"jANE""#),
            with(6, r#""number":15,"email":"jane@example.com","email_verified":true"#),
            with(7, r#""number":16,"email":"JANE@example.com","email_verified":true"#),
            with(8, r#""number":17,"email":"jane@example.com""#),
            with(9, r#""number":18,"phone":"+1987654321","phone_verified":true"#),
            with(10, r#""number":19,"phone":"+1 987 654 321","phone_verified":true"#),
            with(11, &format!(r#""number":20,{identity}"#)),
            with(12, &format!(r#""number":21,{identity}"#)),
            with(13, r#""number":10,"username":"JANE""#),
        ]
        .concat();
        let dry = home.import(&lines, &["--dry-run"]);
        insta::assert_snapshot!(dry, @"
        6 to add, 0 unchanged, 8 refused
        line 2: id: line 1 has it already
        line 3: number: line 1 has it already
        line 4: biz_id: line 1 has it already
        line 6: username: line 5 has it already
        line 8: email: line 7 has it already
        line 11: phone: line 10 has it already
        line 13: identities: line 12 has it already
        line 14: number: line 1 has it already
        line 14: username: line 5 has it already
        selfsame: nothing was changed; correct the lines, then import them
        exit Some(1)
        ");
        // The import reports the same errors as the dry run.
        let faults = |streams: &str| -> Vec<String> {
            streams.lines().filter(|line| line.starts_with("line ")).map(str::to_owned).collect()
        };
        assert_eq!(faults(&home.import(&lines, &["--keep-going"])), faults(&dry));
        assert_eq!(home.export().lines().count(), 6);
        // A second import, when the valid lines are imported: the same lines fail, now because of the stored accounts.
        let lines_of = |faults: Vec<String>| -> Vec<String> {
            faults.iter().map(|fault| fault.split(": ").next().unwrap().to_owned()).collect()
        };
        assert_eq!(lines_of(faults(&home.import(&lines, &["--keep-going"]))), lines_of(faults(&dry)));
        assert_eq!(home.export().lines().count(), 6);
    }
);

on_both_databases!(
    async fn a_value_of_another_account_is_refused(home: Home) {
        let fields = ["username=jane", "email=jane@example.com", "email_verified=true", "phone=+1987654321"];
        let create =
            [&["account", "create", "--tenant", "demo", "--id", &id(1), "phone_verified=true"], fields.as_slice()];
        home.print(&create.concat());
        home.print(&["account", "link", &id(1), "--issuer", "https://id.example", "--subject", "1"]);
        home.print(&["tenant", "create", "other"]);
        let everything = concat!(
            r#""number":1,"biz_id":"ACC_SYS_001","username":"JANE","email":"Jane@example.com","email_verified":true,"#,
            r#""phone":"+1987654321","phone_verified":true,"#,
            r#""identities":[{"issuer":"https://id.example","subject":"1"}]"#
        );
        let lines = with(2, everything) + &with(3, everything).replace("demo", "other");
        insta::assert_snapshot!(home.import(&lines, &["--dry-run"]), @"
        0 to add, 0 unchanged, 2 refused
        line 1: number: account 00000000-0000-7000-8000-000000000001 has it already
        line 1: biz_id: account 00000000-0000-7000-8000-000000000001 has it already
        line 1: email: account 00000000-0000-7000-8000-000000000001 has it already
        line 1: phone: account 00000000-0000-7000-8000-000000000001 has it already
        line 1: username: account 00000000-0000-7000-8000-000000000001 has it already
        line 1: identities: account 00000000-0000-7000-8000-000000000001 has it already
        line 2: number: account 00000000-0000-7000-8000-000000000001 has it already
        line 2: identities: account 00000000-0000-7000-8000-000000000001 has it already
        selfsame: nothing was changed; correct the lines, then import them
        exit Some(1)
        ");
        insta::assert_snapshot!(home.import(&lines, &[]), @"
        0 added, 0 unchanged, 1 refused
        line 1: number: account 00000000-0000-7000-8000-000000000001 has it already
        line 1: biz_id: account 00000000-0000-7000-8000-000000000001 has it already
        line 1: email: account 00000000-0000-7000-8000-000000000001 has it already
        line 1: phone: account 00000000-0000-7000-8000-000000000001 has it already
        line 1: username: account 00000000-0000-7000-8000-000000000001 has it already
        line 1: identities: account 00000000-0000-7000-8000-000000000001 has it already
        selfsame: ended at this line, all before it is kept; correct it, then run the import again
        exit Some(1)
        ");
        assert_eq!(home.export().lines().count(), 1);
    }
);

on_both_databases!(
    async fn a_number_with_and_without_its_country_code_is_one_value(home: Home) {
        let verified = |line, number: &str| with(line, &format!(r#""phone":"{number}","phone_verified":true"#));
        let lines = verified(1, "13800138000") + &verified(2, "+86 138 0013 8000") + &verified(3, "+8613800138000");
        insta::assert_snapshot!(home.import(&lines, &["--dry-run"]), @"
        1 to add, 0 unchanged, 2 refused
        line 2: phone: line 1 has it already
        line 3: phone: line 1 has it already
        selfsame: nothing was changed; correct the lines, then import them
        exit Some(1)
        ");
        home.import(&verified(1, "13800138000"), &[]);
        insta::assert_snapshot!(home.import(&verified(2, "+86 138 0013 8000"), &[]), @"
        0 added, 0 unchanged, 1 refused
        line 1: phone: account 00000000-0000-7000-8000-000000000001 has it already
        selfsame: ended at this line, all before it is kept; correct it, then run the import again
        exit Some(1)
        ");
    }
);

on_both_databases!(
    async fn the_first_error_ends_an_import_and_all_lines_before_it_are_kept(home: Home) {
        let lines = line(1) + &line(2) + "{\"id\":3}\n" + &line(4) + "{}\n";
        insta::assert_snapshot!(home.import(&lines, &[]), @"
        2 added, 0 unchanged, 1 refused
        line 3: id: expected a string, found a number
        line 3: tenant: must be there
        selfsame: ended at this line, all before it is kept; correct it, then run the import again
        exit Some(1)
        ");
        assert_eq!(home.export().lines().count(), 2);
        let taken = line(1).replace(&id(1), &id(9));
        insta::assert_snapshot!(home.import(&(line(5) + &taken + &line(6)), &[]), @"
        1 added, 0 unchanged, 1 refused
        line 2: number: account 00000000-0000-7000-8000-000000000001 has it already
        line 2: biz_id: account 00000000-0000-7000-8000-000000000001 has it already
        selfsame: ended at this line, all before it is kept; correct it, then run the import again
        exit Some(1)
        ");
        assert_eq!(home.export().lines().count(), 3);
    }
);

on_both_databases!(
    async fn invalid_lines_can_be_skipped(home: Home) {
        let lines = line(1) + "{\"id\":3}\n" + &line(4) + "{}\n" + &line(5);
        insta::assert_snapshot!(home.import(&lines, &["--keep-going"]), @"
        3 added, 0 unchanged, 2 refused
        line 2: id: expected a string, found a number
        line 2: tenant: must be there
        line 4: id: must be there
        line 4: tenant: must be there
        selfsame: lines with errors were skipped; correct them, then run the import again
        exit Some(1)
        ");
        assert_eq!(home.export().lines().count(), 3);
    }
);

#[test]
fn a_missing_file_is_named() {
    let home = Home::empty(crate::support::Database::sqlite());
    let output = home.command(&["account", "import", "nowhere.jsonl"]).output().unwrap();
    insta::assert_snapshot!(super::streams(&output), @"
    selfsame: nowhere.jsonl: No such file or directory (os error 2)
    exit Some(1)
    ");
}
