//! Which claims can be changed, and which values are valid.

use selfsame::account::{Field, Patch};
use serde_json::json;

use super::{ALL, AppUser};
use crate::support::{Server, Transcript, patch};

on_both_databases!(
    async fn an_empty_object_changes_nothing(server: Server) {
        let jane = AppUser::new(&server).await;
        let before = jane.stored().await;
        let answer = jane.patch("{}").await;
        assert_eq!((answer.status.as_u16(), &answer.body), (200, &jane.get().await.body));
        assert_eq!(jane.stored().await, before);
    }
);

on_both_databases!(
    async fn one_unknown_member_refuses_the_whole_request(server: Server) {
        let jane = AppUser::new(&server).await;
        let before = jane.stored().await;
        let mut transcript = Transcript::default();
        for body in [
            r#"{"address":"Shanghai"}"#,
            r#"{"nickname":"J","address":"Shanghai"}"#,
            r#"{"Nickname":"J"}"#,
            r#"{"":"J"}"#,
            r#"{"address":null}"#,
            r#"{"given_name":"Jane"}"#,
            r#"{"sub":"me","address":1,"phone_number":"1"}"#,
        ] {
            transcript.add(body, &jane.patch(body).await);
        }
        insta::assert_snapshot!(transcript, @r#"
        > {"address":"Shanghai"}
        > {"nickname":"J","address":"Shanghai"}
        > {"Nickname":"J"}
        > {"":"J"}
        > {"address":null}
        > {"given_name":"Jane"}
        > {"sub":"me","address":1,"phone_number":"1"}
        400 Bad Request
        cache-control: no-store
        content-type: application/json;charset=UTF-8

        {"error":"invalid_request","error_description":"Unknown attribute(s) found."}
        "#);
        assert_eq!(jane.stored().await, before);
    }
);

on_both_databases!(
    async fn one_read_only_member_refuses_the_whole_request(server: Server) {
        let jane = AppUser::new(&server).await;
        let mut transcript = Transcript::default();
        for name in [
            "sub",
            "username",
            "status",
            "picture",
            "email_verified",
            "phone_number_verified",
            "created_at",
            "updated_at",
            "groups",
            "wechat_union_id",
        ] {
            let body = json!({"nickname": "J", "phone_number": "malformed", name: "x"}).to_string();
            transcript.add(name, &jane.patch(body).await);
        }
        // Even the current value is refused.
        transcript.add("its own sub", &jane.patch(json!({"sub": jane.account.id.to_string()}).to_string()).await);
        insta::assert_snapshot!(transcript, @r#"
        > sub
        > username
        > status
        > picture
        > email_verified
        > phone_number_verified
        > created_at
        > updated_at
        > groups
        > wechat_union_id
        > its own sub
        400 Bad Request
        cache-control: no-store
        content-type: application/json;charset=UTF-8

        {"error":"invalid_request","error_description":"Unsupported user attribute(s) found."}
        "#);
        assert_eq!(jane.stored().await.text(Field::Nickname), None);
    }
);

on_both_databases!(
    async fn time_zones_are_names_of_the_database_in_their_own_spelling(server: Server) {
        let jane = AppUser::with(&server, Patch::default(), &["zoneinfo"]).await;
        for zone in ["Asia/Shanghai", "Europe/Paris", "UTC", "PRC", "America/Argentina/ComodRivadavia"] {
            let answer = jane.patch(json!({"zoneinfo": zone}).to_string()).await;
            assert_eq!((answer.status.as_u16(), &answer.json()["zoneinfo"]), (200, &json!(zone)), "{zone}");
        }
        refuses(
            &jane,
            "zoneinfo",
            &[json!("Asia/Nowhere"), json!("asia/shanghai"), json!("GMT+8"), json!(" UTC"), json!("Factory")],
        )
        .await;
    }
);

on_both_databases!(
    async fn languages_are_well_formed_tags(server: Server) {
        let jane = AppUser::with(&server, Patch::default(), &["locale"]).await;
        for (sent, shown) in [
            ("zh-CN", "zh-CN"),
            ("en-US", "en-US"),
            ("zh-Hant-TW", "zh-Hant-TW"),
            ("zh_CN", "zh-CN"),
            ("zh", "zh"),
            ("de-CH-x-phonebk", "de-CH-x-phonebk"),
        ] {
            let answer = jane.patch(json!({"locale": sent}).to_string()).await;
            assert_eq!((answer.status.as_u16(), &answer.json()["locale"]), (200, &json!(shown)), "{sent}");
        }
        let long = format!("de-x-{}", "abcdefgh-".repeat(4) + "a");
        assert!(long.len() > 35);
        refuses(&jane, "locale", &[json!("x"), json!("en--US"), json!(long), json!("e n")]).await;
    }
);

on_both_databases!(
    async fn values_of_the_wrong_type_are_refused(server: Server) {
        let jane = AppUser::new(&server).await;
        let odd = [json!(null), json!(1), json!(true), json!([]), json!({}), json!("a\u{0}b")];
        for name in ["name", "nickname", "zoneinfo", "locale", "phone_number", "email"] {
            let odd = if ["phone_number", "email"].contains(&name) { &odd[..5] } else { &odd[..] };
            refuses(&jane, name, odd).await;
        }
    }
);

on_both_databases!(
    async fn an_empty_text_clears_its_member(server: Server) {
        let patch = patch(&[
            (Field::DisplayName, "Jane"),
            (Field::Nickname, "J"),
            (Field::TimeZone, "UTC"),
            (Field::Language, "en"),
        ]);
        let jane = AppUser::with(&server, patch, &ALL).await;
        let answer = jane.patch(r#"{"name":"","nickname":"","zoneinfo":"","locale":""}"#).await;
        assert_eq!(answer.body, format!(r#"{{"sub":"{}"}}"#, jane.account.id));
        let malformed = jane.patch(r#"{"phone_number":""}"#).await;
        assert_eq!(malformed.body, r#"{"error":"malformed_phone_number"}"#);
        assert_eq!(jane.patch(r#"{"email":""}"#).await.body, r#"{"error":"malformed_email"}"#);
    }
);

on_both_databases!(
    async fn lengths_count_unicode_scalar_values(server: Server) {
        let jane = AppUser::new(&server).await;
        for (name, limit) in [("name", 126), ("nickname", 128)] {
            for letter in ["x", "\u{1F600}", "\u{20BB7}"] {
                let body = json!({name: letter.repeat(limit)}).to_string();
                let answer = jane.patch(body).await;
                assert_eq!((answer.status.as_u16(), &answer.json()[name]), (200, &json!(letter.repeat(limit))));
                refuses(&jane, name, &[json!(letter.repeat(limit + 1))]).await;
            }
        }
    }
);

on_both_databases!(
    async fn member_names_that_the_published_documentation_misspells_are_accepted(server: Server) {
        let jane = AppUser::new(&server).await;
        let answer = jane.patch(r#"{"Name":"Janet"}"#).await;
        assert_eq!(answer.json()["name"], "Janet");
        assert_eq!(jane.patch(r#"{"Name":"ignored","name":"Joan"}"#).await.json()["name"], "Joan");
        let (token, code) = jane.proof("phone_number", "13800138000").await;
        let body = json!({"phone_number": "13800138000", "hone_number_otp_token": token, "phone_number_otp": code});
        assert_eq!(jane.patch(body.to_string()).await.json()["phone_number"], "13800138000");
    }
);

on_both_databases!(
    async fn the_current_value_is_accepted_even_if_it_breaks_a_limit(server: Server) {
        let long = "x".repeat(200);
        let jane = AppUser::with(&server, patch(&[(Field::DisplayName, &long), (Field::Nickname, &long)]), &ALL).await;
        let before = jane.stored().await;
        let answer = jane.patch(json!({"name": long, "nickname": long}).to_string()).await;
        assert_eq!(answer.status, 200, "{answer}");
        assert_eq!(jane.stored().await, before);
        refuses(&jane, "name", &[json!("y".repeat(200))]).await;
    }
);

on_both_databases!(
    async fn a_change_is_in_the_history(server: Server) {
        let jane = AppUser::new(&server).await;
        jane.patch(r#"{"nickname":"J"}"#).await;
        let entries = server.app.store().history(jane.account.id, 1, 10).await.unwrap();
        let metadata = &entries[0].metadata;
        assert_eq!((metadata.actor.as_str(), metadata.contract.as_str(), entries.len()), ("owner", "ciam", 1));
        assert_eq!(jane.patch(r#"{"nickname":"J"}"#).await.status, 200);
        assert_eq!(jane.stored().await.version, 2);
    }
);

/// Checks that values are refused and change nothing.
async fn refuses(jane: &AppUser<'_>, name: &str, values: &[serde_json::Value]) {
    let before = jane.stored().await;
    for value in values {
        let answer = jane.patch(json!({"nickname": "other", name: value}).to_string()).await;
        let expected = (400, r#"{"error":"illegal_parameter_value"}"#);
        assert_eq!((answer.status.as_u16(), answer.body.as_str()), expected, "{name}: {value}");
    }
    assert_eq!(jane.stored().await, before, "{name}");
}
