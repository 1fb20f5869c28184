//! The commands that manage applications.

use selfsame::account::Kind;
use serde_json::json;

use crate::support::{Installation, Server};

on_both_databases!(
    async fn an_application_is_created_listed_changed_and_deleted(installation: Installation) {
        installation.print(&["tenant", "create", "acme"]);
        let create = [
            "client",
            "create",
            "--tenant",
            "acme",
            "--name",
            "Shop",
            "--claims",
            "email,name",
            "--auto-signup",
            "--id",
            "shop",
            "--json",
        ];
        let created = installation.json(&create);
        let secret = created["client_secret"].as_str().unwrap();
        assert!(secret.starts_with("ssc_") && secret.len() == 68);
        let line = installation.print(&["client", "list", "--tenant", "acme", "--json"]);
        insta::assert_snapshot!(installation.settled(&line), @r#"{"client_id":"shop","name":"Shop","kind":"web","grants":["sms","email","refresh_token"],"claims":["email","name"],"writes":null,"origins":[],"auto_signup":true,"token_lifetime":600,"created_at":"TIME","updated_at":"TIME"}"#);
        installation.print(&["client", "set-claims", "shop", "--claims", "nickname"]);
        let changes: [(&[&str], serde_json::Value); 4] = [
            (&["--writes", "name,locale"], json!(["name", "locale"])),
            (&[], json!([])),
            (&["--all"], json!(null)),
            (&["--writes", "nickname"], json!(["nickname"])),
        ];
        for (arguments, writes) in changes {
            installation.print(&[["client", "set-writes", "shop"].as_slice(), arguments].concat());
            let listed = installation.json(&["client", "list", "--tenant", "acme", "--json"]);
            assert_eq!((&listed["writes"], &listed["claims"]), (&writes, &json!(["nickname"])));
        }
        let rotated = installation.print(&["client", "rotate-secret", "shop"]);
        assert_ne!(rotated.trim(), secret);
        let listed = installation.json(&["client", "list", "--tenant", "acme", "--json"]);
        assert_eq!((&listed["claims"], &listed["auto_signup"]), (&json!(["nickname"]), &json!(true)));
        installation.print(&["client", "delete", "shop"]);
        assert_eq!(installation.print(&["client", "list", "--tenant", "acme", "--json"]), "");
    }
);

on_both_databases!(
    async fn each_kind_has_the_secret_and_the_grants_that_it_needs(installation: Installation) {
        installation.print(&["tenant", "create", "acme"]);
        for (kind, secret, grants) in [
            ("web", true, json!(["sms", "email", "refresh_token"])),
            ("spa", false, json!(["sms", "email", "refresh_token"])),
            ("mobile", false, json!(["sms", "email", "refresh_token"])),
            ("m2m", true, json!(["sms", "email", "refresh_token", "client_credentials"])),
        ] {
            let create = [
                "client",
                "create",
                "--tenant",
                "acme",
                "--name",
                kind,
                "--kind",
                kind,
                "--origin",
                "https://a.example",
                "--json",
            ];
            let created = installation.json(&create);
            assert_eq!(
                (created["client_secret"].is_string(), &created["grants"], &created["origins"]),
                (secret, &grants, &json!(["https://a.example"]))
            );
        }
    }
);

on_both_databases!(
    async fn an_origin_given_twice_is_stored_once(installation: Installation) {
        installation.print(&["tenant", "create", "acme"]);
        let origins =
            ["--origin", "https://b.example", "--origin", "https://a.example", "--origin", "https://b.example"];
        let create = [&["client", "create", "--tenant", "acme", "--name", "x", "--json"], origins.as_slice()].concat();
        let created = installation.json(&create);
        assert_eq!(created["origins"], json!(["https://b.example", "https://a.example"]));
        let listed = installation.json(&["client", "list", "--tenant", "acme", "--json"]);
        assert_eq!(listed["origins"], json!(["https://a.example", "https://b.example"]));
    }
);

on_both_databases!(
    async fn invalid_arguments_are_refused_in_one_line(installation: Installation) {
        installation.print(&["tenant", "create", "acme"]);
        let mut said = String::new();
        for more in [
            vec!["--kind", "desktop"],
            vec!["--id", "system"],
            vec!["--id", "a b"],
            vec!["--origin", "https://a.example/"],
            vec!["--origin", "HTTPS://A.example"],
            vec!["--kind", "spa", "--grants", "client_credentials"],
            vec!["--token-lifetime", "0s"],
            vec!["--token-lifetime", "9000h"],
            vec!["--claims", "a b"],
        ] {
            let arguments = [vec!["client", "create", "--tenant", "acme", "--name", "x"], more].concat();
            said.push_str(&(installation.refusal(&arguments) + "\n"));
        }
        said.push_str(&(installation.refusal(&["client", "rotate-secret", "none"]) + "\n"));
        said.push_str(&(installation.refusal(&["client", "delete", "none"]) + "\n"));
        said.push_str(
            &(installation.refusal(&[
                "token",
                "issue",
                "--account",
                "0190a0a0-0000-7000-8000-000000000000",
                "--contract",
                "ciam",
            ]) + "\n"),
        );
        insta::assert_snapshot!(said, @"
        selfsame: invalid value 'desktop' for '--kind <KIND>': expected one of web, spa, mobile, m2m
        selfsame: invalid value 'system' for '--id <ID>': expected 1 to 128 visible ASCII characters, and not the name of a contract
        selfsame: invalid value 'a b' for '--id <ID>': expected 1 to 128 visible ASCII characters, and not the name of a contract
        selfsame: invalid value 'https://a.example/' for '--origin <ORIGIN>': expected an origin such as https://app.example.com, without a path or a slash at its end
        selfsame: invalid value 'HTTPS://A.example' for '--origin <ORIGIN>': expected an origin such as https://app.example.com, without a path or a slash at its end
        selfsame: --grants: client_credentials requires an application with a secret: --kind web or m2m
        selfsame: invalid value '0s' for '--token-lifetime <DURATION>': expected a duration such as 90d, 12h or 30m
        selfsame: --token-lifetime: must be at most issuer.max_token_lifetime, 720h
        selfsame: invalid value 'a b' for '--claims <CLAIMS>': expected 1 to 128 bytes without spaces and control characters
        selfsame: no application has the id none; see `selfsame client list`
        selfsame: no application has the id none; see `selfsame client list`
        selfsame: invalid value 'ciam' for '--contract <CONTRACT>': expected one of system, rivergen
        ");
    }
);

on_both_databases!(
    async fn the_key_for_applications_is_rotated_separately(installation: Installation) {
        let first = installation.print(&["issuer", "rotate", "--applications"]);
        let second = installation.print(&["issuer", "rotate", "--applications"]);
        assert_eq!((first.trim().len(), second.trim().len()), (43, 43));
        assert_ne!(first, second);
    }
);

on_both_databases!(
    async fn an_application_cannot_have_the_identifier_of_an_account(installation: Installation) {
        installation.print(&["tenant", "create", "acme"]);
        let account = installation.json(&["account", "create", "--tenant", "acme", "--json", "display_name=Jane"]);
        let id = account["id"].as_str().unwrap();
        for id in [id.to_owned(), id.to_uppercase(), format!("urn:uuid:{id}"), format!("{{{id}}}")] {
            let create = ["client", "create", "--tenant", "acme", "--name", "x", "--kind", "m2m", "--id", &id];
            let refusal = installation.refusal(&create);
            assert_eq!(refusal, "selfsame: id: an account has this identifier; choose another one for the application");
        }
        let other = "0190a0a0-0000-7000-8000-000000000000";
        installation.print(&["client", "create", "--tenant", "acme", "--name", "x", "--kind", "m2m", "--id", other]);
    }
);

on_both_databases!(
    async fn an_application_that_has_the_identifier_of_an_account_gets_no_token_for_itself(server: Server) {
        let account = server.person(&[]).await;
        for id in [account.id.to_string(), account.id.to_string().to_uppercase()] {
            let client = server.client_with(Kind::M2m, &[], |application| application.id = id).await;
            let answer = client.ask(json!({"grant_type": "client_credentials"})).await;
            assert_eq!((answer.status.as_u16(), answer.body.as_str()), (400, r#"{"error":"unauthorized_client"}"#));
        }
    }
);
