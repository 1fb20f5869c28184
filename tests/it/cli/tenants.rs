use super::with_tenant;
use crate::support::Installation;

on_both_databases!(
    async fn a_tenant_is_created_listed_and_changed(installation: Installation) {
        let created = installation.print(&["tenant", "create", "demo"]);
        insta::assert_snapshot!(installation.settled(&created), @"
        id:          ID
        number:      1
        name:        demo
        biz_id:      INST_SYS_001
        status:      ACTIVE
        portal:      SYSTEM
        created_at:  TIME
        updated_at:  TIME
        ");
        let other = ["tenant", "create", "other", "--biz-id", "INST_7", "--portal", "consumer", "--json"];
        insta::assert_snapshot!(installation.settled(&installation.print(&other)), @r#"{"id":"ID","number":2,"name":"other","biz_id":"INST_7","status":"ACTIVE","valid_until":null,"portal":"CONSUMER","schema":null,"created_at":"TIME","updated_at":"TIME"}"#);
        let set = [
            "tenant",
            "set",
            "demo",
            "--rename",
            "demo 2",
            "--status",
            "inactive",
            "--valid-until",
            "2027-01-01T00:00:00Z",
        ];
        insta::assert_snapshot!(installation.settled(&installation.print(&set)), @"
        id:          ID
        number:      1
        name:        demo 2
        biz_id:      INST_SYS_001
        status:      INACTIVE
        valid_until: TIME
        portal:      SYSTEM
        created_at:  TIME
        updated_at:  TIME
        ");
        let listed = installation.print(&["tenant", "list", "--json"]);
        insta::assert_snapshot!(installation.settled(&listed), @r#"
        {"id":"ID","number":1,"name":"demo 2","biz_id":"INST_SYS_001","status":"INACTIVE","valid_until":"TIME","portal":"SYSTEM","schema":null,"created_at":"TIME","updated_at":"TIME"}
        {"id":"ID","number":2,"name":"other","biz_id":"INST_7","status":"ACTIVE","valid_until":null,"portal":"CONSUMER","schema":null,"created_at":"TIME","updated_at":"TIME"}
        "#);
        let ever = installation.json(&["tenant", "set", "demo 2", "--valid-until", "never", "--json"]);
        assert!(ever["valid_until"].is_null());
    }
);

on_both_databases!(
    async fn invalid_arguments_are_refused_in_one_line(installation: Installation) {
        with_tenant(&installation);
        let refused = [
            &["tenant", "create", "demo"][..],
            &["tenant", "create", "other", "--biz-id", "INST_SYS_001"],
            &["tenant", "create", ""],
            &["tenant", "create", " demo"],
            &["tenant", "create", "démo"],
            &["tenant", "create", "other", "--portal", "OPERATORS"],
            &["tenant", "set", "nobody"],
            &["tenant", "set", "demo", "--status", "open"],
            &["tenant", "set", "demo", "--valid-until", "tomorrow"],
        ];
        let lines = refused.map(|arguments| installation.refusal(arguments)).join("\n");
        insta::assert_snapshot!(lines, @"
        selfsame: name: already in use by another
        selfsame: biz_id: already in use by another
        selfsame: name: expected 1 to 128 visible ASCII characters without spaces at the ends
        selfsame: name: expected 1 to 128 visible ASCII characters without spaces at the ends
        selfsame: name: expected 1 to 128 visible ASCII characters without spaces at the ends
        selfsame: invalid value 'OPERATORS' for '--portal <PORTAL>': expected one of SYSTEM, TENANT, PARTNER, CONSUMER
        selfsame: no tenant is named nobody; see `selfsame tenant list`
        selfsame: invalid value 'open' for '--status <STATUS>': expected one of ACTIVE, INACTIVE
        selfsame: valid-until: tomorrow is not a moment such as TIME
        ");
        assert_eq!(installation.print(&["tenant", "list", "--json"]).lines().count(), 1);
    }
);
