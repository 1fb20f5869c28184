//! The unique keys and the marks that earlier versions made, after an upgrade.

use selfsame::account::AccountId;

use super::{Old, id, number};

/// Replaces the identifiers of accounts by names.
fn named(text: &str, names: &[(&str, AccountId)]) -> String {
    names.iter().fold(text.to_owned(), |text, (name, id)| text.replace(&id.to_string(), name))
}

/// The rows of the table of unique keys that are not those of phone numbers.
async fn other_keys(old: &Old) -> Vec<String> {
    let rows = old.database().all_rows().await.into_iter();
    rows.filter(|row| row.starts_with("unique_key ") && !row.contains("phone")).collect()
}

on_both_databases!(
    async fn of_equal_numbers_the_one_verified_first_keeps_its_mark_and_the_others_lose_it_by_the_system(old: Old) {
        let without = old.with("13800138000").await;
        let later = old.with("+86 138-0013-8000").await;
        let with = old.with("+8613900139000").await;
        let bare = old.with("13900139000").await;
        let alone = old.with("13700137000").await;
        let foreign = old.with("+1 (987) 654-321").await;
        let national = old.with("4155550123").await;
        old.end().await;
        let names = [
            ("WITHOUT", without),
            ("LATER", later),
            ("WITH", with),
            ("BARE", bare),
            ("ALONE", alone),
            ("FOREIGN", foreign),
            ("NATIONAL", national),
        ];
        let (before, others) = (old.database().all_rows().await, other_keys(&old).await);
        let previewed = old.installation.print(&["migrate", "--dry-run"]);
        insta::assert_snapshot!(named(&previewed, &names), @"
        account LATER: its phone number would lose the verified mark: account WITHOUT verified the same number first
        account BARE: its phone number would lose the verified mark: account WITH verified the same number first
        account NATIONAL: its phone number would lose the verified mark: the number has no E.164 form
        unique keys of phone numbers to rebuild: 2, verified marks to remove: 3
        ");
        assert_eq!(old.database().all_rows().await, before);

        assert_eq!(old.installation.print(&["migrate"]), "");
        for (id, number) in
            [(without, "+8613800138000"), (with, "+8613900139000"), (alone, "+8613700137000"), (foreign, "+1987654321")]
        {
            assert!(old.is_verified(id).await, "{number}");
            assert_eq!(old.owner(number).await, Some(id), "{number}");
            assert_eq!(old.account(id).await.version, 2);
        }
        assert_eq!(old.account(without).await.phone().unwrap().0, "13800138000", "the text stays as typed");
        for (id, number) in [(later, "+86 138-0013-8000"), (bare, "13900139000"), (national, "4155550123")] {
            let account = old.account(id).await;
            assert_eq!((account.phone().unwrap().0, account.phone_verified, account.version), (number, false, 3));
            assert_eq!(old.actors(id).await, ["operator", "operator", "system"]);
        }
        for text in ["13800138000", "13900139000", "13700137000", "4155550123"] {
            assert_eq!(old.owner(text).await, None, "{text}");
        }
        let keys = old.database().rows("SELECT count(*) FROM unique_key WHERE kind = 'phone'").await;
        assert_eq!(keys, ["4"]);
        assert_eq!(other_keys(&old).await, others);
        assert_eq!(old.database().rows("SELECT medium FROM notice").await, ["sms"; 3]);
        assert_eq!(old.broken_histories(), "0");
        let listed = old.installation.print(&["audit", "list", "--account", &later.to_string(), "--json"]);
        let last: serde_json::Value = serde_json::from_str(listed.lines().last().unwrap()).unwrap();
        insta::assert_snapshot!(last["changes"], @r#"[{"after":false,"before":true,"field":"phone_verified"}]"#);
        assert_eq!(last["contract"], "migration");

        let previewed = old.installation.print(&["migrate", "--dry-run"]);
        insta::assert_snapshot!(previewed, @"unique keys of phone numbers to rebuild: 0, verified marks to remove: 0");
        let rows = old.database().all_rows().await;
        assert_eq!(old.installation.print(&["migrate"]), "");
        assert_eq!(old.database().all_rows().await, rows, "a finished pass writes nothing");
    }
);

on_both_databases!(
    async fn a_dry_run_lists_the_accounts_before_the_tables_are_migrated_too(old: Old) {
        let first = old.with("13800138000").await;
        let later = old.with("+86 138-0013-8000").await;
        old.end().await;
        // Columns that a later migration added, which a dry run must not read.
        for column in ["day_began_at", "picture_bytes", "history_bytes"] {
            old.execute(&format!("ALTER TABLE account DROP COLUMN {column}")).await;
        }
        old.execute("DELETE FROM refinery_schema_history WHERE NOT version BETWEEN 0 AND 12").await;
        let previewed =
            named(&old.installation.print(&["migrate", "--dry-run"]), &[("FIRST", first), ("LATER", later)]);
        let of_accounts: Vec<&str> =
            previewed.lines().filter(|line| !line.starts_with("pending migration: ")).collect();
        assert!(previewed.starts_with("pending migration: V13__daily_usage\n"), "{previewed}");
        insta::assert_snapshot!(of_accounts.join("\n"), @"
        account LATER: its phone number would lose the verified mark: account FIRST verified the same number first
        unique keys of phone numbers to rebuild: 1, verified marks to remove: 1
        ");
    }
);

on_both_databases!(
    async fn the_history_decides_which_account_verified_a_number_first(old: Old) {
        let (older, younger) = (old.person().await, old.person().await);
        let younger = old.verify(younger, "13800138000").await;
        let older = old.verify(older, "+8613800138000").await;
        old.end().await;
        old.installation.print(&["migrate"]);
        assert_eq!((old.is_verified(older).await, old.is_verified(younger).await), (false, true));
        assert_eq!(old.owner("+8613800138000").await, Some(younger));
        assert_eq!(old.broken_histories(), "0");
    }
);

on_both_databases!(
    async fn if_the_history_does_not_show_it_the_older_account_keeps_its_mark(old: Old) {
        let (older, younger) = (old.person().await, old.person().await);
        let younger = old.verify(younger, "13800138000").await;
        let older = old.verify(older, "+8613800138000").await;
        // Not even the entries are there; an erased one still has its time.
        old.execute("DELETE FROM history").await;
        old.end().await;
        old.installation.print(&["migrate"]);
        assert_eq!((old.is_verified(older).await, old.is_verified(younger).await), (true, false));
        assert_eq!(old.owner("+8613800138000").await, Some(older));
    }
);

on_both_databases!(
    async fn accounts_of_different_tenants_keep_one_number(old: Old) {
        let mut old = old;
        let one = old.with("13800138000").await;
        let first = old.tenant.clone();
        old.tenant.id = selfsame::account::TenantId(old.app.new_id());
        (old.tenant.number, old.tenant.name, old.tenant.biz_id) = (99, "other".to_owned(), "OTHER".to_owned());
        old.app.store().add_tenant(&old.tenant).await.unwrap();
        let other = old.with("+8613800138000").await;
        old.end().await;
        old.installation.print(&["migrate"]);
        assert_eq!(old.owner("+8613800138000").await, Some(other));
        old.tenant = first;
        assert_eq!(old.owner("+8613800138000").await, Some(one));
        assert!(old.is_verified(one).await && old.is_verified(other).await);
    }
);

on_both_databases!(
    async fn a_mark_without_its_key_and_a_key_without_its_mark_are_repaired(old: Old) {
        let without_key = old.with("+8613800138000").await;
        old.execute("DELETE FROM unique_key WHERE kind = 'phone'").await;
        let without_mark = old.with("+8613900139000").await;
        let mark = format!("UPDATE account SET phone_verified = false WHERE id = [{}]", without_mark.0.simple());
        old.execute(&mark).await;
        let marked = old.with("13900139000").await;
        old.end().await;
        old.installation.print(&["migrate"]);
        assert_eq!(old.owner("+8613800138000").await, Some(without_key));
        assert_eq!(old.owner("+8613900139000").await, Some(marked));
        assert!(old.is_verified(marked).await);
    }
);

on_both_databases!(
    async fn a_command_does_not_run_on_keys_of_an_earlier_version(old: Old) {
        old.with("13800138000").await;
        let other = old.person().await.id.to_string();
        old.end().await;
        let set = ["account", "set", &other, "phone=+8613800138000", "phone_verified=true"];
        insta::assert_snapshot!(old.installation.refusal(&set), @"selfsame: phone: already in use by another");
        assert_eq!(old.progress().await.as_deref(), Some("done"));
    }
);

on_both_databases!(
    async fn migrate_needs_the_master_key_of_the_database_and_creates_none(old: Old) {
        old.with("13800138000").await;
        old.end().await;
        let rows = old.database().all_rows().await;
        let elsewhere = tempfile::tempdir().unwrap();
        let data = elsewhere.path().to_str().unwrap();
        for arguments in [["migrate", "--data", data].as_slice(), &["migrate", "--dry-run", "--data", data]] {
            let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_selfsame"));
            command.env_clear().env("SELFSAME__DATABASE__ALLOW_UNSAFE_DURABILITY", "true");
            let output = command.args(arguments).args(["--database", old.database().url()]).output().unwrap();
            let errors = String::from_utf8(output.stderr).unwrap();
            assert_eq!(output.status.code(), Some(1), "{errors}");
            let expected = format!("selfsame: master key: {data}/secret.key: No such file or directory (os error 2)\n");
            assert_eq!(errors, expected);
        }
        assert!(!elsewhere.path().join("secret.key").exists());
        assert_eq!(old.database().all_rows().await, rows);
    }
);

on_both_databases!(
    async fn a_row_that_cannot_be_read_is_named_and_nothing_is_changed(old: Old) {
        let (bare, broken, unverified) =
            (old.with("13800138000").await, old.with("13900139000").await, old.person().await);
        let breaking = format!(
            "UPDATE account SET phone = <ff> WHERE id IN ([{}], [{}])",
            broken.0.simple(),
            unverified.id.0.simple()
        );
        old.execute(&breaking).await;
        old.end().await;
        let rows = old.database().all_rows().await;
        for arguments in [["migrate"].as_slice(), &["migrate", "--dry-run"], &["tenant", "list"]] {
            let refused = old.installation.run(arguments);
            assert_eq!(refused.code, Some(1), "{refused}");
            assert!(refused.errors.contains(&format!("account {broken}: phone: not UTF-8")), "{refused}");
        }
        assert_eq!(old.database().all_rows().await, rows);
        old.execute(&format!("UPDATE account SET phone_verified = false WHERE id = [{}]", broken.0.simple())).await;
        old.installation.print(&["migrate"]);
        assert_eq!(old.owner("+8613800138000").await, Some(bare));
    }
);

on_both_databases!(
    async fn more_marks_are_removed_than_one_batch_may_remove(old: Old) {
        const ACCOUNTS: u64 = 450;
        old.import((1..=ACCOUNTS).map(|line| (id(line), format!("+86{}", number(line)))));
        let shorten =
            format!("UPDATE account SET phone = <{}>; DELETE FROM unique_key WHERE kind = 'phone'", "34".repeat(7));
        old.execute(&shorten).await;
        old.end().await;
        let previewed = old.installation.print(&["migrate", "--dry-run"]);
        let (last, lost) = (previewed.lines().last().unwrap(), previewed.lines().count() - 1);
        assert_eq!(last, "unique keys of phone numbers to rebuild: 0, verified marks to remove: 450");
        assert_eq!(lost, 450);
        old.installation.print(&["migrate"]);
        let count = "SELECT count(*) FROM history WHERE actor = 'system' AND contract = 'migration'";
        assert_eq!(old.database().rows(count).await, ["450"]);
        assert_eq!(old.database().rows("SELECT count(*) FROM account WHERE phone_verified").await, ["0"]);
        assert_eq!(old.broken_histories(), "0");
    }
);

on_both_databases!(
    async fn numbers_whose_form_is_another_than_in_the_version_before_get_their_keys_again(old: Old) {
        // The version before left the zero in, so that both could be verified.
        let first = old.with("+44 (0)20 7946 0018").await;
        let later = old.with("+442079460018").await;
        let other = old.with("+49 (0)30 123456").await;
        for (number, owner) in [("+4402079460018", first), ("+442079460018", later), ("+49030123456", other)] {
            assert_eq!(old.owner(number).await, Some(owner), "{number}");
        }
        old.end().await;
        // That version had finished its own pass.
        old.execute("INSERT INTO installation VALUES ('phone_keys', 'done')").await;
        let previewed = old.installation.print(&["migrate", "--dry-run"]);
        insta::assert_snapshot!(named(&previewed, &[("FIRST", first), ("LATER", later)]), @"
        account LATER: its phone number would lose the verified mark: account FIRST verified the same number first
        unique keys of phone numbers to rebuild: 2, verified marks to remove: 1
        ");
        old.installation.print(&["migrate"]);
        for (number, owner) in [
            ("+442079460018", Some(first)),
            ("+4402079460018", None),
            ("+4930123456", Some(other)),
            ("+49030123456", None),
        ] {
            assert_eq!(old.owner(number).await, owner, "{number}");
        }
        assert!(old.is_verified(first).await && !old.is_verified(later).await);
        assert_eq!(old.actors(later).await, ["operator", "operator", "system"]);
        assert_eq!(old.broken_histories(), "0");
        assert_eq!(old.progress().await.as_deref(), Some("done"));
    }
);
