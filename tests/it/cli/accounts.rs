use super::{with_account, with_tenant};
use crate::support::Installation;

on_both_databases!(
    async fn an_account_is_created_shown_and_changed(installation: Installation) {
        let id = with_account(&installation);
        insta::assert_snapshot!(installation.settled(&installation.print(&["account", "show", &id, "--json"])), @r#"{"id":"ID","number":1,"biz_id":"ACC_SYS_001","tenant":"demo","portal":"SYSTEM","status":"ACTIVE","display_name":"Jane Admin","given_name":null,"family_name":null,"nickname":null,"username":"jane","email":"jane@example.com","phone":null,"language":null,"time_zone":null,"country":null,"remark":null,"picture":null,"attributes":null,"push_token":null,"wallet_address":null,"auth_location":null,"email_verified":true,"phone_verified":false,"authenticated":true,"auth_valid_until":null,"identities":[],"version":1,"created_at":"TIME","updated_at":"TIME"}"#);
        let set =
            ["account", "set", &id, "display_name=Jane", "phone=+1234567890", "username=", r#"attributes={"a": 1.0}"#];
        insta::assert_snapshot!(installation.settled(&installation.print(&set)), @r#"
        id:               ID
        number:           1
        biz_id:           ACC_SYS_001
        tenant:           demo
        portal:           SYSTEM
        status:           ACTIVE
        display_name:     Jane
        email:            jane@example.com
        phone:            +1234567890
        attributes:       {"a":1.0}
        email_verified:   true
        phone_verified:   false
        authenticated:    true
        identities:       []
        version:          2
        created_at:       TIME
        updated_at:       TIME
        "#);
        let suspended = installation.json(&["account", "set-status", &id, "suspended", "--json"]);
        assert_eq!((&suspended["status"], &suspended["version"]), (&"SUSPENDED".into(), &3.into()));
        let link = ["account", "link", &id, "--issuer", "https://id.example", "--subject", "jane"];
        assert_eq!(installation.print(&link), "");
        let shown = installation.json(&["account", "show", &id, "--json"]);
        assert_eq!(shown["identities"].to_string(), r#"[{"issuer":"https://id.example","subject":"jane"}]"#);
    }
);

on_both_databases!(
    async fn accounts_are_listed_by_tenant(installation: Installation) {
        let id = with_account(&installation);
        installation.print(&["tenant", "create", "other", "--portal", "CONSUMER"]);
        let known = "550e8400-e29b-41d4-a716-446655440000";
        let create = ["account", "create", "--tenant", "other", "--id", known, "--biz-id", "ACC_7", "--json"];
        let created = installation.json(&create);
        assert_eq!(
            (&created["id"], &created["biz_id"], &created["portal"]),
            (&known.into(), &"ACC_7".into(), &"CONSUMER".into())
        );

        let ids = |arguments: &[&str]| -> Vec<String> {
            let printed = installation.print(arguments);
            let accounts = printed.lines().map(|line| serde_json::from_str::<serde_json::Value>(line).unwrap());
            accounts.map(|account| account["id"].as_str().unwrap().to_owned()).collect()
        };
        assert_eq!(ids(&["account", "list", "--tenant", "other", "--json"]), [known]);
        assert_eq!(ids(&["account", "list", "--tenant", "demo", "--json"]), [id.as_str()]);
        assert_eq!(ids(&["account", "list", "--json"]).len(), 2);
        let text = installation.print(&["account", "list", "--tenant", "other"]);
        insta::assert_snapshot!(installation.settled(&text), @"
        id:               ID
        number:           2
        biz_id:           ACC_7
        tenant:           other
        portal:           CONSUMER
        status:           ACTIVE
        email_verified:   false
        phone_verified:   false
        authenticated:    true
        identities:       []
        version:          1
        created_at:       TIME
        updated_at:       TIME
        ");
    }
);

on_both_databases!(
    async fn invalid_arguments_are_refused_in_one_line(installation: Installation) {
        let id = with_account(&installation);
        let create = |more: &[&'static str]| [&["account", "create", "--tenant", "demo"], more].concat();
        let refused = [
            vec!["account", "create", "--tenant", "nobody"],
            create(&["username=JANE"]),
            create(&["email=Jane@Example.com", "email_verified=true"]),
            create(&["--biz-id", "ACC_SYS_001"]),
            create(&["--id", "7"]),
            create(&["--portal", "operators"]),
            create(&["nmae=Jane"]),
            create(&["display_name"]),
            create(&["attributes=[]"]),
            create(&["email_verified=yes"]),
            create(&["auth_valid_until=tomorrow"]),
            vec!["account", "show", "jane"],
            vec!["account", "show", "00000000-0000-0000-0000-000000000000"],
            vec!["account", "list", "--tenant", "nobody"],
            vec!["account", "set-status", &id, "sleeping"],
            vec!["account", "set", &id, "status=sleeping"],
        ];
        let lines: Vec<String> = refused.iter().map(|arguments| installation.refusal(arguments)).collect();
        insta::assert_snapshot!(lines.join("\n"), @r#"
        selfsame: no tenant is named nobody; see `selfsame tenant list`
        selfsame: username: already in use by another
        selfsame: email: already in use by another
        selfsame: biz_id: already in use by another
        selfsame: invalid value '7' for '--id <ID>': expected a UUID (RFC 9562)
        selfsame: invalid value 'operators' for '--portal <PORTAL>': expected one of SYSTEM, TENANT, PARTNER, CONSUMER
        selfsame: invalid value 'nmae=Jane' for '[FIELDS]...': unknown field nmae; known are display_name, given_name, family_name, nickname, username, email, phone, language, time_zone, country, remark, picture, attributes, push_token, wallet_address, auth_location, status, portal, email_verified, phone_verified, authenticated, auth_valid_until
        selfsame: invalid value 'display_name' for '[FIELDS]...': expected field=value, such as display_name="Jane Admin"
        selfsame: attributes: expected a JSON object
        selfsame: email_verified: expected true or false
        selfsame: auth_valid_until: tomorrow is not a moment such as TIME
        selfsame: invalid value 'jane' for '<ID>': expected a UUID (RFC 9562)
        selfsame: no account has the id ID; see `selfsame account list`
        selfsame: no tenant is named nobody; see `selfsame tenant list`
        selfsame: invalid value 'sleeping' for '<STATUS>': expected one of PENDING_APPROVAL, ACTIVE, REJECTED, LOCKED, SUSPENDED, CLOSED
        selfsame: status: expected one of PENDING_APPROVAL, ACTIVE, REJECTED, LOCKED, SUSPENDED, CLOSED
        "#);
        assert_eq!(installation.print(&["account", "list", "--json"]).lines().count(), 1);
    }
);

on_both_databases!(
    async fn an_identity_at_another_provider_belongs_to_one_account(installation: Installation) {
        let id = with_account(&installation);
        let other =
            installation.json(&["account", "create", "--tenant", "demo", "--json"])["id"].as_str().unwrap().to_owned();
        let link = |account| ["account", "link", account, "--issuer", "https://id.example", "--subject", "jane"];
        installation.print(&link(&id));
        insta::assert_snapshot!(installation.refusal(&link(&other)), @"selfsame: identity: already in use by another");
    }
);

#[test]
fn control_characters_do_not_reach_the_terminal() {
    let installation = Installation::new();
    with_tenant(&installation);
    let created = installation.print(&["account", "create", "--tenant", "demo", "display_name=a\u{1b}[31mb\nc"]);
    assert!(created.contains(r"a\u{1b}[31mb\nc") && !created.contains('\u{1b}'), "{created}");
}
