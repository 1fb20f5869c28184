//! Imports create each account once.

use super::{Home, id, line, people};

on_both_databases!(
    async fn importing_twice_changes_nothing(home: Home) {
        let lines = people(1..=50) + &line(51);
        insta::assert_snapshot!(home.import(&lines, &[]), @"
        51 added, 0 unchanged, 0 refused
        exit Some(0)
        ");
        let before = home.export();
        insta::assert_snapshot!(home.import(&lines, &[]), @"
        0 added, 51 unchanged, 0 refused
        exit Some(0)
        ");
        assert_eq!(home.export(), before);
        insta::assert_snapshot!(home.verified(), @"accounts: 51, entries: 51, erased: 0, broken histories: 0");
    }
);

on_both_databases!(
    async fn a_byte_order_mark_before_the_first_line_is_ignored(home: Home) {
        insta::assert_snapshot!(home.import(&format!("\u{feff}{}", people(1..=2)), &[]), @"
        2 added, 0 unchanged, 0 refused
        exit Some(0)
        ");
        insta::assert_snapshot!(home.import("\u{feff}\n", &[]), @"
        0 added, 0 unchanged, 0 refused
        exit Some(0)
        ");
        // Neither a second one nor one before another line.
        let (twice, later) = (format!("\u{feff}\u{feff}{}", line(3)), format!("{}\u{feff}{}", line(4), line(3)));
        for (lines, counts) in [(twice, "0 added, 0 unchanged, 1 refused"), (later, "1 added, 0 unchanged, 1 refused")]
        {
            let refused = home.import(&lines, &["--keep-going"]);
            assert!(refused.contains(counts), "{refused}");
        }
    }
);

on_both_databases!(
    async fn a_dry_run_changes_nothing(home: Home) {
        let lines = people(1..=20) + &format!(r#"{{"id":"{}","tenant":"demo"}}"#, id(21));
        insta::assert_snapshot!(home.import(&lines, &["--dry-run"]), @"
        21 to add, 0 unchanged, 0 refused
        exit Some(0)
        ");
        assert_eq!(home.export(), "");
        // No account number was drawn either.
        assert_eq!(home.json(&["account", "create", "--tenant", "demo", "--json"])["number"], 1);
    }
);

on_both_databases!(
    async fn an_imported_history_begins_with_one_entry_by_the_system(home: Home) {
        home.import(
            &format!(
                r#"{{"id":"{}","tenant":"demo","email":"jane@example.com","email_verified":true,"updated_at":"2020-01-02T03:04:05Z"}}"#,
                id(1)
            ),
            &[],
        );
        let shown = home.json(&["account", "show", &id(1), "--json"]);
        assert_eq!(shown["version"], 1);
        assert_eq!(shown["updated_at"], "2020-01-02T03:04:05Z");
        assert_eq!(shown["created_at"], "2020-01-02T03:04:05Z");
        let mut entry = home.json(&["audit", "list", "--account", &id(1), "--json"]);
        // The entry has the time of the import, not that of the last change at the origin.
        let at: jiff::Timestamp = entry["at"].as_str().unwrap().parse().unwrap();
        assert!(at > "2026-01-01T00:00:00Z".parse().unwrap(), "{at}");
        entry["at"] = "TIME".into();
        insta::assert_snapshot!(entry, @r#"{"actor":"system","at":"TIME","changes":[{"after":"jane@example.com","before":null,"field":"email"},{"after":true,"before":false,"field":"email_verified"}],"contract":"import","erased":false,"request_id":"","sequence":1}"#);
    }
);

on_both_databases!(
    async fn an_account_without_any_field_has_a_history_too(home: Home) {
        let lines = format!(r#"{{"id":"{}","tenant":"demo"}}"#, id(1));
        insta::assert_snapshot!(home.import(&lines, &[]), @"
        1 added, 0 unchanged, 0 refused
        exit Some(0)
        ");
        insta::assert_snapshot!(home.verified(), @"accounts: 1, entries: 1, erased: 0, broken histories: 0");
    }
);

on_both_databases!(
    async fn members_that_are_absent_or_null_get_what_a_new_account_gets(home: Home) {
        let lines = format!(
            "{{\"id\":\"{}\",\"tenant\":\"demo\"}}\n{{\"id\":\"{}\",\"tenant\":\"demo\",\"number\":null,\"email\":null}}\n",
            id(1),
            id(2)
        );
        home.import(&lines, &[]);
        let mut shown = home.json(&["account", "show", &id(2), "--json"]);
        for time in ["created_at", "updated_at"] {
            shown[time].as_str().unwrap().parse::<jiff::Timestamp>().unwrap();
            shown[time] = "TIME".into();
        }
        insta::assert_snapshot!(shown, @r#"{"attributes":null,"auth_location":null,"auth_valid_until":null,"authenticated":true,"biz_id":"ACC_SYS_002","country":null,"created_at":"TIME","display_name":null,"email":null,"email_verified":false,"family_name":null,"given_name":null,"id":"00000000-0000-7000-8000-000000000002","identities":[],"language":null,"nickname":null,"number":2,"phone":null,"phone_verified":false,"picture":null,"portal":"SYSTEM","push_token":null,"remark":null,"status":"ACTIVE","tenant":"demo","time_zone":null,"updated_at":"TIME","username":null,"version":1,"wallet_address":null}"#);
        insta::assert_snapshot!(home.import(&lines, &[]), @"
        0 added, 2 unchanged, 0 refused
        exit Some(0)
        ");
    }
);

on_both_databases!(
    async fn numbers_that_are_drawn_later_are_higher(home: Home) {
        home.import(&line(500), &[]);
        assert_eq!(home.json(&["account", "create", "--tenant", "demo", "--json"])["number"], 501);
        home.import(&format!(r#"{{"id":"{}","tenant":"demo"}}"#, id(7)), &[]);
        let shown = home.json(&["account", "show", &id(7), "--json"]);
        assert_eq!((&shown["number"], &shown["biz_id"]), (&502.into(), &"ACC_SYS_502".into()));
        home.import(&line(3), &[]);
        assert_eq!(home.json(&["account", "create", "--tenant", "demo", "--json"])["number"], 503);
    }
);

on_both_databases!(
    async fn an_account_that_was_changed_since_is_not_overwritten(home: Home) {
        home.import(&(line(1) + &line(2)), &[]);
        home.print(&["account", "set", &id(1), "display_name=Jane", "email=jane@example.com"]);
        home.print(&["account", "link", &id(2), "--issuer", "https://id.example", "--subject", "2"]);
        let lines = line(1) + &line(2) + &line(3);
        insta::assert_snapshot!(home.import(&lines, &["--keep-going"]), @"
        1 added, 0 unchanged, 2 refused
        line 1: exists with other values (display_name, email); import does not overwrite
        line 2: exists with other values (identities); import does not overwrite
        selfsame: lines with errors were skipped; correct them, then run the import again
        exit Some(1)
        ");
        assert_eq!(home.json(&["account", "show", &id(1), "--json"])["display_name"], "Jane");
    }
);

on_both_databases!(
    async fn imported_unique_values_belong_to_their_account(home: Home) {
        home.import(&people(1..=1), &[]);
        let refused = |fields: &[&str]| {
            let create = [&["account", "create", "--tenant", "demo"], fields].concat();
            String::from_utf8(home.command(&create).output().unwrap().stderr).unwrap()
        };
        insta::assert_snapshot!(refused(&["username=PERSON1"]), @"selfsame: username: already in use by another");
        insta::assert_snapshot!(refused(&["email=Person1@Example.com", "email_verified=true"]), @"selfsame: email: already in use by another");
        insta::assert_snapshot!(refused(&["--biz-id", "ACC_SYS_001"]), @"selfsame: biz_id: already in use by another");
    }
);

on_both_databases!(
    async fn five_thousand_accounts_are_imported(home: Home) {
        insta::assert_snapshot!(home.import(&people(1..=5000), &[]), @"
        5000 added, 0 unchanged, 0 refused
        exit Some(0)
        ");
        assert_eq!(home.export().lines().count(), 5000);
    }
);
