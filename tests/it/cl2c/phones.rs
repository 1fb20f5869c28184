//! `phoneNumber`: its form, its removal, and proved numbers of other accounts.

use selfsame::account::{Field, Patch};

use super::{add, id, john, proved};
use crate::support::{Server, Transcript, patch};

/// A change of John's number, in JSON.
fn phone(number: &str) -> String {
    format!(r#"{{"firstName":"John","lastName":"Doe","phoneNumber":{number}}}"#)
}

on_both_databases!(
    async fn a_number_is_an_optional_plus_and_7_to_15_digits_without_a_zero_in_front(server: Server) {
        let john = john(&server).await;
        let back_end = server.back_end(&server.tenant, Some(john.id)).await;
        for number in ["+1234567", "1234567", "+123456789012345", "123456789012345", "8613800138000"] {
            let answer = back_end.put(phone(&format!("{number:?}"))).await;
            assert_eq!((answer.status.as_u16(), &answer.json()["phoneNumber"]), (200, &number.into()));
        }
        let before = server.account(&john).await;
        let mut transcript = Transcript::default();
        for number in [
            r#""abc""#,
            r#""+0123""#,
            r#""+01234567890""#,
            r#""0123456789""#,
            r#""123456""#,
            r#""1234567890123456""#,
            r#""+1234567890123456""#,
            r#"" 1234567890""#,
            r#""1234567890\n""#,
            r#""++1234567890""#,
            r#""+""#,
            r#"" ""#,
            "\"\u{FF11}\u{FF12}\u{FF13}\u{FF14}\u{FF15}\u{FF16}\u{FF17}\"",
            "\"\u{0661}\u{0662}\u{0663}\u{0664}\u{0665}\u{0666}\u{0667}\"",
        ] {
            transcript.add(number, &back_end.put(phone(number)).await);
        }
        for number in ["1234567890", "true", "[]", "{}", r#""1234567\u0000""#] {
            transcript.add(number, &back_end.put(phone(number)).await);
        }
        insta::assert_snapshot!(transcript, @r#"
        > "abc"
        > "+0123"
        > "+01234567890"
        > "0123456789"
        > "123456"
        > "1234567890123456"
        > "+1234567890123456"
        > " 1234567890"
        > "1234567890\n"
        > "++1234567890"
        > "+"
        > " "
        > "１２３４５６７"
        > "١٢٣٤٥٦٧"
        400 Bad Request
        content-type: application/json

        {"type":"https://tools.ietf.org/html/rfc9110#section-15.5.1","title":"Invalid Request","status":400,"detail":"The request parameters are incorrect.","instance":"r1","errors":{"phoneNumber":["Invalid phone number format"]}}

        > 1234567890
        > true
        > []
        > {}
        400 Bad Request
        content-type: application/json

        {"type":"https://tools.ietf.org/html/rfc9110#section-15.5.1","title":"Invalid Request","status":400,"detail":"The request parameters are incorrect.","instance":"r1","errors":{"phoneNumber":["The value must be a string."]}}

        > "1234567\u0000"
        400 Bad Request
        content-type: application/json

        {"type":"https://tools.ietf.org/html/rfc9110#section-15.5.1","title":"Invalid Request","status":400,"detail":"The request parameters are incorrect.","instance":"r1","errors":{"phoneNumber":["The value must not contain control characters."]}}
        "#);
        assert_eq!(server.account(&john).await, before);
    }
);

on_both_databases!(
    async fn null_and_the_empty_string_erase_a_number_and_absence_keeps_it(server: Server) {
        let john = john(&server).await;
        let back_end = server.back_end(&server.tenant, Some(john.id)).await;
        for erased in ["null", r#""""#] {
            let kept = back_end.put(r#"{"firstName":"John","lastName":"Doe"}"#).await;
            assert_eq!(kept.json()["phoneNumber"], "+1234567890");
            let answer = back_end.put(phone(erased)).await;
            assert_eq!((answer.status.as_u16(), &answer.json()["phoneNumber"]), (200, &serde_json::Value::Null));
            assert_eq!(server.account(&john).await.text(Field::Phone), None);
            back_end.put(phone(r#""+1234567890""#)).await;
        }
    }
);

on_both_databases!(
    async fn a_number_that_another_account_of_the_tenant_has_proved_is_refused(server: Server) {
        let john = john(&server).await;
        add(&server, &server.tenant, id(1), proved("+1 (987) 654-321")).await;
        add(&server, &server.tenant, id(2), patch(&[(Field::Phone, "+1555000111")])).await;
        let elsewhere = server.add_tenant("elsewhere").await;
        add(&server, &elsewhere, id(3), proved("+1555000222")).await;
        let back_end = server.back_end(&server.tenant, Some(john.id)).await;
        let mut transcript = Transcript::default();
        transcript.add("proved by a neighbour", &back_end.put(phone(r#""+1987654321""#)).await);
        insta::assert_snapshot!(transcript, @r#"
        > proved by a neighbour
        400 Bad Request
        content-type: application/json

        {"type":"https://tools.ietf.org/html/rfc9110#section-15.5.1","title":"Invalid Request","status":400,"detail":"The request parameters are incorrect.","instance":"r1","errors":{"phoneNumber":["Phone number +1987654321 is already registered."]}}
        "#);
        assert_eq!(server.account(&john).await, john);
        // Unproved; proved in another tenant; proved, but written without the plus, which numbers need to be compared.
        for number in ["+1555000111", "+1555000222", "1987654321"] {
            let answer = back_end.put(phone(&format!("{number:?}"))).await;
            assert_eq!((answer.status.as_u16(), &answer.json()["phoneNumber"]), (200, &number.into()));
        }
    }
);

on_both_databases!(
    async fn ones_own_number_is_never_refused(server: Server) {
        let john = john(&server).await;
        let back_end = server.back_end(&server.tenant, Some(john.id)).await;
        server.operate(&john, proved("+1234567890")).await;
        assert_eq!(back_end.put(phone(r#""+1234567890""#)).await.status, 200);
        assert!(server.account(&john).await.phone_verified);
        // A shown number is accepted back, even though another account has proved it since.
        let mut unproved = Patch::default();
        unproved.phone_verified = Some(false);
        server.operate(&john, unproved).await;
        add(&server, &server.tenant, id(1), proved("+1234567890")).await;
        assert_eq!(back_end.put(phone(r#""+1234567890""#)).await.status, 200);
    }
);
