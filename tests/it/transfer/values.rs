//! Values that are imported or assigned by a command follow the rules of the contracts that write them.

use super::{Home, id, line};

const DIGEST: &str = "c414cd0e204de974f73753c7e28d7638e7b3691bb8b1a2bab6b25bb7fed7ce77.70";

/// The internal form of a stored picture whose name consists of one digit.
fn stored(digit: char) -> String {
    format!("stored:{}.png:{DIGEST}", digit.to_string().repeat(32))
}

/// A line with one text of a field.
fn with(number: u64, field: &str, text: &str) -> String {
    let member = serde_json::json!({ field: text }).to_string();
    format!("{{\"id\":\"{}\",\"tenant\":\"demo\",{}\n", id(number), &member[1..])
}

/// The reported errors.
fn faults(printed: &str) -> Vec<&str> {
    printed.lines().filter(|line| line.starts_with("line ")).collect()
}

on_both_databases!(
    async fn values_that_no_contract_writes_are_refused(home: Home) {
        let long = |length: usize| "\u{e9}".repeat(length);
        let name = "abababababababababababababababab.png";
        let lines = [
            with(1, "picture", "javascript:alert(1)"),
            with(2, "picture", "data:image/png;base64,iVBORw0KGgo="),
            with(3, "picture", "https://user@example.com/"),
            with(4, "picture", &format!("https://example.com/{}", "a".repeat(2029))),
            with(5, "picture", &format!("stored:{name}:00")),
            with(6, "picture", &format!("stored:a{name}:{DIGEST}")),
            with(7, "picture", "stored::"),
            with(8, "display_name", &long(127)),
            with(9, "given_name", &long(76)),
            with(10, "family_name", &long(76)),
            with(11, "nickname", &long(129)),
            with(12, "username", &long(129)),
            with(13, "username", "jane\u{200b}"),
            with(14, "email", "jane@example.com\r\nBcc: jo@example.com"),
            with(15, "email", "jane\u{200b}@example.com"),
            with(16, "phone", &long(26)),
            with(17, "language", &long(36)),
            with(18, "time_zone", &long(51)),
            with(19, "country", &long(11)),
            with(20, "push_token", &long(4097)),
            with(21, "email", " jane@example.com").replace("}\n", ",\"email_verified\":true}\n"),
            with(22, "phone", "1987654321").replace("}\n", ",\"phone_verified\":true}\n"),
            with(23, "phone", "1987654321"),
        ]
        .concat();
        let dry = home.import(&lines, &["--dry-run"]);
        insta::assert_snapshot!(dry, @"
        1 to add, 0 unchanged, 22 refused
        line 1: picture: expected an http or https address of at most 2048 bytes, or stored:NAME:DIGEST as an export has it
        line 2: picture: expected an http or https address of at most 2048 bytes, or stored:NAME:DIGEST as an export has it
        line 3: picture: expected an http or https address of at most 2048 bytes, or stored:NAME:DIGEST as an export has it
        line 4: picture: expected an http or https address of at most 2048 bytes, or stored:NAME:DIGEST as an export has it
        line 5: picture: expected an http or https address of at most 2048 bytes, or stored:NAME:DIGEST as an export has it
        line 6: picture: expected an http or https address of at most 2048 bytes, or stored:NAME:DIGEST as an export has it
        line 7: picture: expected an http or https address of at most 2048 bytes, or stored:NAME:DIGEST as an export has it
        line 8: display_name: expected at most 126 characters
        line 9: given_name: expected at most 75 characters
        line 10: family_name: expected at most 75 characters
        line 11: nickname: expected at most 128 characters
        line 12: username: expected at most 128 characters
        line 13: username: expected no control character
        line 14: email: expected an e-mail address
        line 15: email: expected an e-mail address
        line 16: phone: expected at most 25 characters
        line 17: language: expected at most 35 characters
        line 18: time_zone: expected at most 50 characters
        line 19: country: expected at most 10 characters
        line 20: push_token: expected at most 4096 characters
        line 21: email: expected an e-mail address
        line 21: email_verified: must not be true without email
        line 22: phone_verified: must not be true without a number such as +14155550123 (E.164)
        selfsame: nothing was changed; correct the lines, then import them
        exit Some(1)
        ");
        let imported = home.import(&lines, &["--keep-going"]);
        assert_eq!(faults(&imported), faults(&dry));
        assert_eq!(home.export().lines().count(), 1);
    }
);

on_both_databases!(
    async fn what_contracts_write_is_imported_and_exported_again(home: Home) {
        let long = |length: usize| "\u{e9}".repeat(length);
        let lines = [
            with(1, "picture", &format!("https://example.com/{}", "a".repeat(2028))),
            with(2, "display_name", &long(126)),
            with(3, "given_name", &long(75)),
            with(4, "nickname", &long(128)),
            with(5, "username", &long(128)),
            with(6, "phone", &long(25)),
            with(7, "language", &long(35)),
            with(8, "time_zone", &long(50)),
            with(9, "country", &long(10)),
            with(10, "push_token", &long(4096)),
            with(11, "remark", &long(5000)),
            with(12, "picture", &stored('a')),
        ]
        .concat();
        insta::assert_snapshot!(home.import(&lines, &[]), @"
        12 added, 0 unchanged, 0 refused
        exit Some(0)
        ");
        let first = home.export();
        insta::assert_snapshot!(home.import(&first, &[]), @"
        0 added, 12 unchanged, 0 refused
        exit Some(0)
        ");
        assert_eq!(home.export(), first);
    }
);

on_both_databases!(
    async fn a_stored_picture_is_imported_by_one_account_only(home: Home) {
        let lines = with(1, "picture", &stored('a')) + &with(2, "picture", &stored('a')) + &line(3);
        let dry = home.import(&lines, &["--dry-run"]);
        insta::assert_snapshot!(dry, @"
        2 to add, 0 unchanged, 1 refused
        line 2: picture: line 1 has it already
        selfsame: nothing was changed; correct the lines, then import them
        exit Some(1)
        ");
        assert_eq!(faults(&home.import(&lines, &["--keep-going"])), faults(&dry));
        let later = with(4, "picture", &stored('a')) + &with(5, "picture", &stored('b'));
        insta::assert_snapshot!(home.import(&later, &["--keep-going"]), @"
        1 added, 0 unchanged, 1 refused
        line 1: picture: account 00000000-0000-7000-8000-000000000001 has it already
        selfsame: lines with errors were skipped; correct them, then run the import again
        exit Some(1)
        ");
        // A picture that was replaced stays the account's own.
        home.print(&["account", "set", &id(1), "picture="]);
        assert!(home.import(&with(4, "picture", &stored('a')), &[]).contains("has it already"));
        home.print(&["account", "set", &id(1), &format!("picture={}", stored('a'))]);
    }
);

on_both_databases!(
    async fn commands_assign_what_imports_take(home: Home) {
        home.import(&(with(1, "picture", &stored('a')) + &line(2)), &[]);
        let refused = |fields: &[&str]| {
            let account = id(2);
            let set = [&["account", "set", &account], fields].concat();
            let output = home.command(&set).output().unwrap();
            assert!(!output.status.success(), "{fields:?}");
            String::from_utf8(output.stderr).unwrap()
        };
        let mut lines = String::new();
        for fields in [
            vec!["picture=javascript:alert(1)"],
            vec!["picture=stored:a:b"],
            vec!["email=jane"],
            vec!["email=jane\u{200b}@example.com", "email_verified=true"],
            vec!["phone=1987654321", "phone_verified=true"],
            vec!["time_zone=xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"],
            vec![&*format!("picture={}", stored('a'))],
        ] {
            lines.push_str(&refused(&fields));
        }
        insta::assert_snapshot!(lines, @"
        selfsame: picture: expected an http or https address of at most 2048 bytes, or stored:NAME:DIGEST as an export has it
        selfsame: picture: expected an http or https address of at most 2048 bytes, or stored:NAME:DIGEST as an export has it
        selfsame: email: expected an e-mail address
        selfsame: email: expected an e-mail address
        selfsame: invalid fields: phone_verified: expected a phone number
        selfsame: time_zone: expected at most 50 characters
        selfsame: invalid fields: picture: expected a picture of this account
        ");
        let create = ["account", "create", "--tenant", "demo", &format!("picture={}", stored('a'))];
        assert!(!home.command(&create).output().unwrap().status.success());
        assert_eq!(home.export().lines().count(), 2);
    }
);
