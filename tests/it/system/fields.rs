//! The values that each field accepts.

use selfsame::account::Field;

use super::admin;
use crate::support::{Server, Transcript, patch};

/// The five fields that a person may write, and the most characters that each accepts.
const FIELDS: [(&str, usize); 5] = [
    ("accountName", 126),
    ("accountPhone", 25),
    ("defaultLanguage", 10),
    ("defaultTimezone", 50),
    ("defaultCountry", 10),
];

fn only(field: &str, value: &str) -> String {
    serde_json::json!({ field: value }).to_string()
}

on_both_databases!(
    async fn a_field_accepts_its_longest_text(server: Server) {
        let admin = admin(&server).await;
        for (field, max) in FIELDS {
            let longest = "x".repeat(max);
            let answer = admin.update(only(field, &longest)).await;
            assert_eq!(answer.status, 200, "{answer}");
            assert_eq!(answer.json()["data"][field], longest);
        }
    }
);

on_both_databases!(
    async fn one_character_more_is_refused_with_the_fields_own_range(server: Server) {
        let admin = admin(&server).await;
        let before = admin.read().await.to_string();
        let mut transcript = Transcript::default();
        for (field, max) in FIELDS {
            transcript.add(
                format!("{field}: {} characters", max + 1),
                &admin.update(only(field, &"x".repeat(max + 1))).await,
            );
        }
        insta::assert_snapshot!(transcript, @r#"
        > accountName: 127 characters
        400 Bad Request
        content-language: en
        content-type: application/json
        vary: Accept-Language

        {"success":false,"code":"4000","message":"Invalid request parameters","data":{"accountName":["size must be between 0 and 126"]}}

        > accountPhone: 26 characters
        400 Bad Request
        content-language: en
        content-type: application/json
        vary: Accept-Language

        {"success":false,"code":"4000","message":"Invalid request parameters","data":{"accountPhone":["size must be between 0 and 25"]}}

        > defaultLanguage: 11 characters
        400 Bad Request
        content-language: en
        content-type: application/json
        vary: Accept-Language

        {"success":false,"code":"4000","message":"Invalid request parameters","data":{"defaultLanguage":["size must be between 0 and 10"]}}

        > defaultTimezone: 51 characters
        400 Bad Request
        content-language: en
        content-type: application/json
        vary: Accept-Language

        {"success":false,"code":"4000","message":"Invalid request parameters","data":{"defaultTimezone":["size must be between 0 and 50"]}}

        > defaultCountry: 11 characters
        400 Bad Request
        content-language: en
        content-type: application/json
        vary: Accept-Language

        {"success":false,"code":"4000","message":"Invalid request parameters","data":{"defaultCountry":["size must be between 0 and 10"]}}
        "#);
        assert_eq!(admin.read().await.to_string(), before);
        assert_eq!(admin.history().await, "");
    }
);

on_both_databases!(
    async fn the_longest_names_in_use_fit(server: Server) {
        let admin = admin(&server).await;
        let body = r#"{"defaultLanguage":"zh-Hant-TW","defaultTimezone":"America/Argentina/ComodRivadavia"}"#;
        let answer = admin.update(body).await;
        assert_eq!(answer.json()["data"]["defaultLanguage"], "zh-Hant-TW");
        assert_eq!(answer.json()["data"]["defaultTimezone"], "America/Argentina/ComodRivadavia");
    }
);

on_both_databases!(
    async fn all_errors_of_all_fields_are_reported_together_and_nothing_is_changed(server: Server) {
        let admin = admin(&server).await;
        let before = admin.read().await.to_string();
        let body = serde_json::json!({
            "defaultCountry": "x".repeat(11),
            "accountName": "x".repeat(127),
            "accountPhone": format!("{}\0", "x".repeat(25)),
            "defaultLanguage": 7,
            "defaultTimezone": "Asia/Shanghai",
        });
        insta::assert_snapshot!(admin.update(body.to_string()).await, @r#"
        400 Bad Request
        content-language: en
        content-type: application/json
        vary: Accept-Language

        {"success":false,"code":"4000","message":"Invalid request parameters","data":{"accountName":["size must be between 0 and 126"],"accountPhone":["size must be between 0 and 25","must not contain control characters"],"defaultLanguage":["must be a string"],"defaultCountry":["size must be between 0 and 10"]}}
        "#);
        assert_eq!(admin.read().await.to_string(), before);
    }
);

on_both_databases!(
    async fn characters_are_unicode_scalar_values(server: Server) {
        let admin = admin(&server).await;
        let faces = "\u{1F600}".repeat(126);
        let answer = admin.update(only("accountName", &faces)).await;
        assert_eq!(answer.status, 200, "{answer}");
        assert_eq!(answer.json()["data"]["accountName"], faces);
        assert_eq!(admin.update(only("accountName", &format!("{faces}\u{1F600}"))).await.status, 400);
        // An e and a combining accent are two characters and are not composed into one.
        let accents = "e\u{301}".repeat(63);
        assert_eq!(admin.update(only("accountName", &accents)).await.json()["data"]["accountName"], accents);
        assert_eq!(admin.update(only("accountName", &format!("{accents}e"))).await.status, 400);
    }
);

on_both_databases!(
    async fn a_field_accepts_only_strings(server: Server) {
        let admin = admin(&server).await;
        let mut transcript = Transcript::default();
        for (field, _) in FIELDS {
            for value in ["0", "-1.5e3", "true", "false", "{}", "[]", r#"["x"]"#, r#"{"a":"\u0000"}"#] {
                let body = format!(r#"{{"{field}":{value}}}"#);
                transcript.add(&body, &admin.update(body.clone()).await);
            }
        }
        insta::assert_snapshot!(transcript, @r#"
        > {"accountName":0}
        > {"accountName":-1.5e3}
        > {"accountName":true}
        > {"accountName":false}
        > {"accountName":{}}
        > {"accountName":[]}
        > {"accountName":["x"]}
        > {"accountName":{"a":"\u0000"}}
        400 Bad Request
        content-language: en
        content-type: application/json
        vary: Accept-Language

        {"success":false,"code":"4000","message":"Invalid request parameters","data":{"accountName":["must be a string"]}}

        > {"accountPhone":0}
        > {"accountPhone":-1.5e3}
        > {"accountPhone":true}
        > {"accountPhone":false}
        > {"accountPhone":{}}
        > {"accountPhone":[]}
        > {"accountPhone":["x"]}
        > {"accountPhone":{"a":"\u0000"}}
        400 Bad Request
        content-language: en
        content-type: application/json
        vary: Accept-Language

        {"success":false,"code":"4000","message":"Invalid request parameters","data":{"accountPhone":["must be a string"]}}

        > {"defaultLanguage":0}
        > {"defaultLanguage":-1.5e3}
        > {"defaultLanguage":true}
        > {"defaultLanguage":false}
        > {"defaultLanguage":{}}
        > {"defaultLanguage":[]}
        > {"defaultLanguage":["x"]}
        > {"defaultLanguage":{"a":"\u0000"}}
        400 Bad Request
        content-language: en
        content-type: application/json
        vary: Accept-Language

        {"success":false,"code":"4000","message":"Invalid request parameters","data":{"defaultLanguage":["must be a string"]}}

        > {"defaultTimezone":0}
        > {"defaultTimezone":-1.5e3}
        > {"defaultTimezone":true}
        > {"defaultTimezone":false}
        > {"defaultTimezone":{}}
        > {"defaultTimezone":[]}
        > {"defaultTimezone":["x"]}
        > {"defaultTimezone":{"a":"\u0000"}}
        400 Bad Request
        content-language: en
        content-type: application/json
        vary: Accept-Language

        {"success":false,"code":"4000","message":"Invalid request parameters","data":{"defaultTimezone":["must be a string"]}}

        > {"defaultCountry":0}
        > {"defaultCountry":-1.5e3}
        > {"defaultCountry":true}
        > {"defaultCountry":false}
        > {"defaultCountry":{}}
        > {"defaultCountry":[]}
        > {"defaultCountry":["x"]}
        > {"defaultCountry":{"a":"\u0000"}}
        400 Bad Request
        content-language: en
        content-type: application/json
        vary: Accept-Language

        {"success":false,"code":"4000","message":"Invalid request parameters","data":{"defaultCountry":["must be a string"]}}
        "#);
    }
);

on_both_databases!(
    async fn only_the_length_of_language_time_zone_country_and_phone_is_checked(server: Server) {
        let admin = admin(&server).await;
        let body =
            r#"{"accountPhone":"abc","defaultLanguage":"xx","defaultTimezone":"Mars/Olympus","defaultCountry":"ZZ"}"#;
        insta::assert_snapshot!(admin.update(body).await, @r#"
        200 OK
        cache-control: private, no-cache
        content-language: en
        content-type: application/json
        vary: Accept-Language

        {"success":true,"code":"2000","message":"SUCCESS","data":{"bizId":"ACC_SYS_001","institutionBizId":"INST_SYS_001","accountEmail":"admin@example.com","accountPhone":"abc","accountName":"System Admin","accountRemark":null,"accountPortal":{"code":"SYSTEM","value":10010101,"label":"System"},"accountStatus":{"code":"ACTIVE","value":10010202,"label":"Active"},"createdAt":"2026-01-15T08:00:00Z","updatedAt":"2026-03-20T14:30:00Z","defaultLanguage":"xx","defaultTimezone":"Mars/Olympus","defaultCountry":"ZZ"}}
        "#);
        let stored = admin.stored().await;
        assert_eq!(stored.text(Field::Phone), Some("abc"));
        assert_eq!(stored.text(Field::TimeZone), Some("Mars/Olympus"));
    }
);

on_both_databases!(
    async fn a_nul_is_refused_as_an_error_of_its_field(server: Server) {
        let admin = admin(&server).await;
        let mut transcript = Transcript::default();
        for (field, _) in FIELDS {
            let body = format!(r#"{{"{field}":"a\u0000b"}}"#);
            transcript.add(&body, &admin.update(body.clone()).await);
        }
        insta::assert_snapshot!(transcript, @r#"
        > {"accountName":"a\u0000b"}
        400 Bad Request
        content-language: en
        content-type: application/json
        vary: Accept-Language

        {"success":false,"code":"4000","message":"Invalid request parameters","data":{"accountName":["must not contain control characters"]}}

        > {"accountPhone":"a\u0000b"}
        400 Bad Request
        content-language: en
        content-type: application/json
        vary: Accept-Language

        {"success":false,"code":"4000","message":"Invalid request parameters","data":{"accountPhone":["must not contain control characters"]}}

        > {"defaultLanguage":"a\u0000b"}
        400 Bad Request
        content-language: en
        content-type: application/json
        vary: Accept-Language

        {"success":false,"code":"4000","message":"Invalid request parameters","data":{"defaultLanguage":["must not contain control characters"]}}

        > {"defaultTimezone":"a\u0000b"}
        400 Bad Request
        content-language: en
        content-type: application/json
        vary: Accept-Language

        {"success":false,"code":"4000","message":"Invalid request parameters","data":{"defaultTimezone":["must not contain control characters"]}}

        > {"defaultCountry":"a\u0000b"}
        400 Bad Request
        content-language: en
        content-type: application/json
        vary: Accept-Language

        {"success":false,"code":"4000","message":"Invalid request parameters","data":{"defaultCountry":["must not contain control characters"]}}
        "#);
    }
);

on_both_databases!(
    async fn other_control_characters_are_stored_as_they_are(server: Server) {
        let admin = admin(&server).await;
        let odd: String = (1..=31).chain(127..=159).map(|code| char::from_u32(code).unwrap()).collect();
        let odd = format!("{odd}\u{2028}\u{202e}\u{feff}\u{fffe}\u{10ffff}<&\"\\'/");
        let answer = admin.update(only("accountName", &odd)).await;
        assert_eq!(answer.json()["data"]["accountName"], odd);
        assert_eq!(admin.read().await.json()["data"]["accountName"], odd);
    }
);

on_both_databases!(
    async fn a_shown_value_is_accepted_back_even_beyond_the_limit(server: Server) {
        let admin = admin(&server).await;
        let long = "x".repeat(130);
        server.operate(&admin.account, patch(&[(Field::DisplayName, &long), (Field::Phone, &long)])).await;
        let before = admin.read().await.to_string();
        let all = |country: &str| {
            let body = serde_json::json!({ "accountName": long, "accountPhone": long, "defaultCountry": country });
            body.to_string()
        };
        assert_eq!(admin.update(all("US")).await.to_string(), before);
        let answer = admin.update(all("CN")).await;
        assert_eq!(answer.status, 200, "{answer}");
        assert_eq!(answer.json()["data"]["accountName"], long);
        assert_eq!(answer.json()["data"]["defaultCountry"], "CN");
        // A text of the same length that differs from the shown one.
        assert_eq!(admin.update(only("accountName", &"y".repeat(130))).await.status, 400);
    }
);

on_both_databases!(
    async fn a_long_text_of_another_contract_is_shown_whole(server: Server) {
        let admin = admin(&server).await;
        let long = "Ä".repeat(30_000);
        server.operate(&admin.account, patch(&[(Field::DisplayName, &long)])).await;
        assert_eq!(admin.read().await.json()["data"]["accountName"], long);
    }
);

on_both_databases!(
    async fn a_proved_number_in_another_spelling_stays_proved_and_another_number_does_not(server: Server) {
        let admin = admin(&server).await;
        admin.operate(|patch| patch.phone_verified = Some(true)).await;

        admin.update(only("accountPhone", "+1 (234) 567-890")).await;
        let stored = admin.stored().await;
        assert_eq!((stored.text(Field::Phone), stored.phone_verified), (Some("+1 (234) 567-890"), true));
        admin.update(only("accountName", "Jane Admin")).await;
        assert!(admin.stored().await.phone_verified);
        admin.update(only("accountPhone", "+1234567891")).await;
        assert!(!admin.stored().await.phone_verified);
        admin.update(only("accountPhone", "+1234567890")).await;
        assert!(!admin.stored().await.phone_verified, "an earlier proof still verifies the number");
    }
);

on_both_databases!(
    async fn a_cleared_number_is_not_proved(server: Server) {
        let admin = admin(&server).await;
        admin.operate(|patch| patch.phone_verified = Some(true)).await;
        admin.update(only("accountPhone", "")).await;
        assert!(!admin.stored().await.phone_verified);
    }
);

on_both_databases!(
    async fn a_number_that_another_account_proved_can_be_set_unproved(server: Server) {
        let (one, other) = (admin(&server).await, admin(&server).await);
        one.operate(|patch| patch.phone_verified = Some(true)).await;
        other.update(only("accountPhone", "+1987654321")).await;
        assert_eq!(other.update(only("accountPhone", "+1234567890")).await.status, 200);
        assert!(!other.stored().await.phone_verified);
        assert!(one.stored().await.phone_verified);
    }
);
