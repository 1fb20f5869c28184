//! Rules for all members.

use selfsame::account::Field;

use super::{JOHN, john};
use crate::support::{Server, Transcript};

on_both_databases!(
    async fn a_push_token_is_stored_and_never_shown(server: Server) {
        let john = john(&server).await;
        let back_end = server.back_end(&server.tenant, Some(john.id)).await;
        let token = |token: &str| format!(r#"{{"firstName":"John","lastName":"Doe","pushToken":{token}}}"#);
        let longest = "t".repeat(4096);
        for (written, kept) in [
            (r#""push_token_example""#.to_owned(), Some("push_token_example")),
            (format!("{longest:?}"), Some(&*longest)),
            ("null".to_owned(), None),
            (r#""again""#.to_owned(), Some("again")),
            (r#""""#.to_owned(), None),
            (r#"" ""#.to_owned(), Some(" ")),
        ] {
            let answer = back_end.put(token(&written)).await;
            assert_eq!(answer.status, 200, "{answer}");
            assert!(!answer.body.to_lowercase().contains("push"), "{answer}");
            assert_eq!(server.account(&john).await.text(Field::PushToken), kept);
        }
        insta::assert_snapshot!(back_end.put(token(&format!("{:?}", longest + "t"))).await, @r#"
        400 Bad Request
        content-type: application/json

        {"type":"https://tools.ietf.org/html/rfc9110#section-15.5.1","title":"Invalid Request","status":400,"detail":"The request parameters are incorrect.","instance":"r1","errors":{"pushToken":["Push token must be 4096 characters or fewer"]}}
        "#);
        assert!(!back_end.get(JOHN).await.body.contains("pushToken"));
    }
);

on_both_databases!(
    async fn errors_of_several_members_are_reported_together(server: Server) {
        let john = john(&server).await;
        let back_end = server.back_end(&server.tenant, Some(john.id)).await;
        let answer = back_end.put(r#"{"firstName":"","phoneNumber":"abc","pushToken":7}"#).await;
        insta::assert_snapshot!(answer, @r#"
        400 Bad Request
        content-type: application/json

        {"type":"https://tools.ietf.org/html/rfc9110#section-15.5.1","title":"Invalid Request","status":400,"detail":"The request parameters are incorrect.","instance":"r1","errors":{"firstName":["First name is required"],"lastName":["Last name is required"],"phoneNumber":["Invalid phone number format"],"pushToken":["The value must be a string."]}}
        "#);
        assert_eq!(server.account(&john).await, john);
    }
);

on_both_databases!(
    async fn values_that_are_not_strings_are_refused(server: Server) {
        let john = john(&server).await;
        let back_end = server.back_end(&server.tenant, Some(john.id)).await;
        let mut transcript = Transcript::default();
        for value in ["7", "1e3", "true", r#"["John"]"#, r#"{"a":"John"}"#] {
            let body =
                format!(r#"{{"firstName":{value},"lastName":{value},"phoneNumber":{value},"pushToken":{value}}}"#);
            transcript.add(value, &back_end.put(body).await);
        }
        insta::assert_snapshot!(transcript, @r#"
        > 7
        > 1e3
        > true
        > ["John"]
        > {"a":"John"}
        400 Bad Request
        content-type: application/json

        {"type":"https://tools.ietf.org/html/rfc9110#section-15.5.1","title":"Invalid Request","status":400,"detail":"The request parameters are incorrect.","instance":"r1","errors":{"firstName":["The value must be a string."],"lastName":["The value must be a string."],"phoneNumber":["The value must be a string."],"pushToken":["The value must be a string."]}}
        "#);
        assert_eq!(server.account(&john).await, john);
    }
);

on_both_databases!(
    async fn members_that_cannot_be_written_are_ignored(server: Server) {
        let john = john(&server).await;
        let back_end = server.back_end(&server.tenant, Some(john.id)).await;
        let body = r#"{"firstName":"John","lastName":"Doe","email":"other@example.com","userName":"other",
            "walletAddress":"0x0","emailConfirmed":false,"authenticated":false,"authValidUpto":"2030-01-01T00:00:00Z",
            "authLocation":"CHN","displayName":"Other","tenant":"elsewhere","nickname":["a",{"b":null}],"":1}"#;
        assert_eq!(back_end.put(body).await.status, 200);
        assert_eq!(server.account(&john).await, john);
        // Members that are not read must not contain a NUL either.
        for hidden in [r#""note":"a\u0000b""#, r#""note":[{"a":"\u0000"}]"#, r#""no\u0000te":1"#] {
            let answer = back_end.put(format!(r#"{{"firstName":"John","lastName":"Doe",{hidden}}}"#)).await;
            assert!(answer.body.contains(r#""errors":{"$":["The request body is not valid JSON."]}"#), "{answer}");
        }
    }
);

on_both_databases!(
    async fn an_exact_member_name_takes_precedence_over_other_capitalisations(server: Server) {
        let john = john(&server).await;
        let back_end = server.back_end(&server.tenant, None).await;
        let answer = back_end
            .put(format!(
                r#"{{"ID":"{JOHN}","FirstName":"Jane","LASTNAME":"Roe","phonenumber":"+1555000111","PUSHTOKEN":"t"}}"#
            ))
            .await;
        let shown = answer.json();
        let shown = [&shown["firstName"], &shown["lastName"], &shown["phoneNumber"]];
        assert_eq!(shown, ["Jane", "Roe", "+1555000111"], "{answer}");
        assert_eq!(server.account(&john).await.text(Field::PushToken), Some("t"));

        let both = r#"{"firstName":"Exact","FirstName":"Other","lastName":"Doe","id":"ID"}"#.replace("ID", JOHN);
        assert_eq!(back_end.put(both).await.json()["firstName"], "Exact");
        let neither = r#"{"FIRSTNAME":"One","FirstName":"Two","lastName":"Doe","id":"ID"}"#.replace("ID", JOHN);
        assert_eq!(back_end.put(neither).await.json()["firstName"], "Two");
        let twice = r#"{"firstName":"One","firstName":"Two","lastName":"Doe","id":"ID"}"#.replace("ID", JOHN);
        assert_eq!(back_end.put(twice).await.json()["firstName"], "Two");
    }
);

on_both_databases!(
    async fn a_repeated_change_has_the_same_response_and_writes_nothing(server: Server) {
        let john = john(&server).await;
        let back_end = server.back_end(&server.tenant, Some(john.id)).await;
        let body = r#"{"firstName":"Jane","lastName":"Roe","phoneNumber":null,"pushToken":"t"}"#;
        let first = back_end.put(body).await;
        let after = server.account(&john).await;
        server.pass(std::time::Duration::from_secs(60));
        let second = back_end.put(body).await;
        assert_eq!(first.to_string(), second.to_string());
        assert_eq!(server.account(&john).await, after);
        assert_eq!(after.version, john.version + 1);
    }
);

on_both_databases!(
    async fn the_history_records_the_owner_and_this_contract(server: Server) {
        let john = john(&server).await;
        let back_end = server.back_end(&server.tenant, Some(john.id)).await;
        let answer = back_end.put(r#"{"firstName":"Jane","lastName":"Roe"}"#).await;
        let history = server.app.store().history(john.id, 1, 10).await.unwrap();
        let [entry] = history.as_slice() else { panic!("{} entries", history.len()) };
        let metadata = &entry.metadata;
        let id = answer.header("x-request-id");
        assert_eq!([&*metadata.actor, &*metadata.contract, &*metadata.request_id], ["owner", "cl2c", id]);
        let payload = server.app.profiles().payload(entry).unwrap().to_text();
        insta::assert_snapshot!(payload, @r#"{"changes":[{"field":"given_name","before":"John","after":"Jane"},{"field":"family_name","before":"Doe","after":"Roe"}],"source_address":"127.0.0.1"}"#);
    }
);
