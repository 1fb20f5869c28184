//! Changing the account.

use selfsame::account::Field;
use selfsame::account::history::{self, Entry, Metadata, SealedPayload};
use selfsame::profile::audit::Verdict;
use selfsame::store::Update;
use serde_json::json;

use super::pictures::PIXEL;
use super::{Jane, faults};
use crate::support::Server;

on_both_databases!(
    async fn the_published_example_request_gets_the_published_response(server: Server) {
        let jane = Jane::new(&server).await;
        let answer = jane
            .put(
                r#"{
"display_name": "Jane Smith",
"profile_image_url": "https://example.com/avatar.jpg",
"profile": {
"bio": "Software developer"
}
}"#,
            )
            .await;
        insta::assert_snapshot!(answer, @r#"
        200 OK
        cache-control: private, no-cache
        content-type: application/json

        {"success":true,"data":{"user_id":1,"display_name":"Jane Smith","profile_image_url":"https://example.com/avatar.jpg","profile":{"location":"San Francisco","bio":"Software developer"},"updated_at":"2026-03-20T14:30:00Z"},"message":"Profile updated successfully"}
        "#);
        let page = json!({
            "success": true,
            "data": {
                "user_id": jane.account.number,
                "display_name": "Jane Smith",
                "profile_image_url": "https://example.com/avatar.jpg",
                "profile": { "bio": "Software developer", "location": "San Francisco" },
                "updated_at": "2026-03-20T14:30:00Z"
            },
            "message": "Profile updated successfully"
        });
        assert_eq!(answer.json(), page);
    }
);

on_both_databases!(
    async fn an_empty_object_and_nulls_change_nothing(server: Server) {
        let jane = Jane::new(&server).await;
        let before = jane.stored().await;
        server.pass(std::time::Duration::from_secs(90));
        for body in [
            "{}",
            r#"{"display_name":null}"#,
            r#"{"profile_image_url":null}"#,
            r#"{"profile":null}"#,
            r#"{"display_name":null,"profile_image_url":null,"profile":null}"#,
            r#"{"profile":{}}"#,
            r#"{"profile":{"nothing":null}}"#,
            r#"{"display_name":"Jane","profile":{"location":"San Francisco"}}"#,
        ] {
            let answer = jane.put(body).await;
            assert_eq!(answer.status, 200, "{body}: {answer}");
            assert_eq!(answer.json()["data"]["updated_at"], "2026-03-20T14:30:00Z", "{body}");
            assert_eq!(jane.stored().await, before, "{body}");
        }
        assert_eq!(server.app.store().history(jane.account.id, 1, 100).await.unwrap().len(), 0);
    }
);

on_both_databases!(
    async fn each_member_changes_alone(server: Server) {
        let jane = Jane::new(&server).await;
        let mut expected = jane.put("{}").await.json()["data"].take();
        for (body, member, value) in [
            (r#"{"display_name":"Jo"}"#, "display_name", json!("Jo")),
            (r#"{"profile_image_url":"http://example.com/a"}"#, "profile_image_url", json!("http://example.com/a")),
            (r#"{"profile":{"location":"Oslo"}}"#, "profile", json!({"location": "Oslo"})),
        ] {
            expected[member] = value;
            assert_eq!(jane.put(body).await.json()["data"], expected, "{body}");
        }
    }
);

on_both_databases!(
    async fn members_that_cannot_be_written_are_ignored(server: Server) {
        let jane = Jane::new(&server).await;
        let before = jane.stored().await;
        let body = r#"{"email":"other@example.com","primary_email":"o@example.com","is_system_admin":true,"user_id":99,"id":99,"disabled_at":"2020-01-01T00:00:00Z","user_metadata":{"a":1},"unknown":[1]}"#;
        assert_eq!(jane.put(body).await.status, 200);
        assert_eq!(jane.stored().await, before);
        assert_eq!(jane.get().await.json()["data"]["user"]["is_system_admin"], false);
    }
);

on_both_databases!(
    async fn a_display_name_has_1_to_126_characters_and_loses_the_white_space_around_it(server: Server) {
        let jane = Jane::new(&server).await;
        let put = async |name: &str| jane.put(json!({ "display_name": name }).to_string()).await;
        let emoji = "\u{1F600}".repeat(126);
        let padded = format!("\u{3000} {} \n", "y".repeat(126));
        for (name, kept) in
            [(&*"x".repeat(126), &*"x".repeat(126)), (&emoji, &emoji), (&padded, &"y".repeat(126)), (" J  S ", "J  S")]
        {
            let answer = put(name).await;
            assert_eq!((answer.status.as_u16(), &answer.json()["data"]["display_name"]), (200, &json!(kept)));
            assert_eq!(jane.stored().await.text(Field::DisplayName), Some(kept));
        }
        for (name, reason) in [
            ("", "must not be blank"),
            (" \t\u{3000}", "must not be blank"),
            (&*"x".repeat(127), "must be at most 126 characters"),
            (&*"\u{1F600}".repeat(127), "must be at most 126 characters"),
            ("a\0b", "must not contain control characters"),
        ] {
            let answer = put(name).await;
            assert_eq!(answer.status, 422, "{answer}");
            assert_eq!(faults(&answer), [("display_name".to_owned(), reason.to_owned())]);
        }
        assert_eq!(jane.stored().await.text(Field::DisplayName), Some("J  S"));
    }
);

on_both_databases!(
    async fn a_name_that_another_contract_allows_may_be_sent_back(server: Server) {
        let long = format!(" {} ", "x".repeat(200));
        let jane = Jane::of(&server, server.person(&[(Field::DisplayName, &long)]).await).await;
        let before = jane.stored().await;
        assert_eq!(jane.put(json!({ "display_name": long }).to_string()).await.status, 200);
        assert_eq!(jane.stored().await, before);
    }
);

on_both_databases!(
    async fn the_history_names_what_changed_and_contains_no_picture(server: Server) {
        let jane = Jane::new(&server).await;
        let body = json!({
            "display_name": "Jo", "profile_image_url": PIXEL, "profile": { "bio": "x" }
        });
        assert_eq!(jane.put(body.to_string()).await.status, 200);
        let entries = server.app.store().history(jane.account.id, 1, 100).await.unwrap();
        assert_eq!(entries.len(), 1);
        let payload = server.app.profiles().payload(&entries[0]).unwrap().to_string();
        let attributes = r#"{"field":"attributes","before":{},"after":{"bio":"x"}}"#;
        for named in [r#""field":"display_name","before":"Jane","after":"Jo""#, attributes] {
            assert!(payload.contains(named), "{payload}");
        }
        // The history records the picture by its hash and its length.
        let digest = r#".png:c414cd0e204de974f73753c7e28d7638e7b3691bb8b1a2bab6b25bb7fed7ce77.70""#;
        assert!(payload.contains(digest), "{payload}");
        for hidden in ["base64", "iVBOR", &jane.token] {
            assert!(!payload.contains(hidden), "{payload}");
        }
    }
);

on_both_databases!(
    async fn the_history_has_the_members_of_the_profile_that_changed_and_no_others(server: Server) {
        let jane = Jane::new(&server).await;
        jane.merge(r#"{"work":{"title":"Pilot","years":[1,2]},"bio":"old"}"#).await;
        jane.merge(r#"{"work":{"title":null,"years":[1,2,3],"home":"Oslo"},"bio":"new"}"#).await;
        let entries = server.app.store().history(jane.account.id, 2, 100).await.unwrap();
        let payload = server.app.profiles().payload(&entries[0]).unwrap();
        let changes = payload.as_object().unwrap().get("changes").unwrap().to_text();
        let before = r#"{"work":{"title":"Pilot","years":[1,2]},"bio":"old"}"#;
        let after = r#"{"work":{"years":[1,2,3],"home":"Oslo"},"bio":"new"}"#;
        assert_eq!(changes, format!(r#"[{{"field":"attributes","before":{before},"after":{after}}}]"#));
    }
);

on_both_databases!(
    async fn a_change_of_many_members_below_long_names_takes_as_much_history_as_profile(server: Server) {
        let jane = Jane::new(&server).await;
        let nested = |value: u8| {
            let members: Vec<String> = (0..3000).map(|at| format!(r#""{at}":{value}"#)).collect();
            let open = format!(r#"{{"{}":"#, "n".repeat(128)).repeat(15);
            format!(r#"{{"profile":{open}{{{}}}{}}}"#, members.join(","), "}".repeat(15))
        };
        for value in [1, 2] {
            assert_eq!(jane.put(nested(value)).await.status, 200);
        }
        let entries = server.app.store().history(jane.account.id, 2, 100).await.unwrap();
        let length = entries[0].bytes();
        assert!(length < 2 * nested(1).len() + 1000, "{length}");
    }
);

on_both_databases!(
    async fn an_entry_of_an_earlier_version_is_shown_and_verified(server: Server) {
        let jane = Jane::new(&server).await;
        let old = r#"{"changes":[{"field":"attributes/bio","before":null,"after":"x"}]}"#;
        let keys = server.app.keys().clone();
        let add = move |current: &selfsame::account::Account| {
            let mut account = current.clone();
            account.version += 1;
            let metadata = Metadata {
                account_id: account.id,
                sequence: account.version,
                at: account.updated_at,
                actor: "owner".to_owned(),
                contract: "rivergen".to_owned(),
                request_id: String::new(),
            };
            let place = [account.id.0.as_bytes().as_slice(), &account.version.to_be_bytes()].concat();
            let payload = keys.history().seal([7; 12], &place, old.as_bytes());
            let commitment = history::commit(&[7; 32], old.as_bytes());
            account.history_head = history::link(account.history_head, &metadata, commitment);
            let link = account.history_head;
            let sealed = Some(SealedPayload { key: 1, payload, salt: [7; 32] });
            let entry = Entry { metadata, commitment, link, sealed };
            let (release, claim, effects) = (Vec::new(), Vec::new(), Vec::new());
            Ok(Some(Update { account, entry, release, claim, nonce: None, effects }))
        };
        server.app.store().commit(jane.stored().await, std::sync::Arc::new(add)).await.unwrap();
        jane.merge(r#"{"bio":"y"}"#).await;
        let entries = server.app.store().history(jane.account.id, 1, 100).await.unwrap();
        assert_eq!(server.app.profiles().payload(&entries[0]).unwrap().to_text(), old);
        let verdict = server.app.profiles().verify(&jane.stored().await).await.unwrap();
        assert_eq!(verdict, Verdict::Whole { entries: 3, erased: 0 });
    }
);
