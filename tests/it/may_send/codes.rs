//! One-time codes as people type and paste them, and requests with them that are sent twice.

use std::time::Duration;

use selfsame::account::{Field, Patch};
use serde_json::{Value, json};

use crate::rivergen::{Jane, refused};
use crate::support::{Answer, Person, Server, patch};

/// The same code in other forms.
fn typed(code: &str) -> Vec<String> {
    let (first, last) = code.split_at(3);
    let digits_from = |zero: char| -> String {
        let digit = |digit: u8| char::from_u32(u32::from(zero) + u32::from(digit - b'0')).unwrap();
        code.bytes().map(digit).collect()
    };
    vec![
        format!("{first} {last}"),
        format!("{first}-{last}"),
        format!("{code}\n"),
        format!(" {code}\t"),
        format!("{first}\u{2013}{last}"),
        format!("{first}\u{a0}{last}"),
        format!("\u{202a}{code}\u{202c}"),
        digits_from('\u{ff10}'),
        digits_from('\u{660}'),
        digits_from('\u{966}'),
    ]
}

/// Texts that are no code.
const NO_CODES: [&str; 8] = ["12345", "1234567", "12345a", "abcdef", "123.456", " ", "-", "\u{2460}23456"];

/// A person with a verified address.
async fn person(server: &Server) -> Person<'_> {
    let mut fields = patch(&[(Field::Email, "jane@example.com")]);
    fields.email_verified = Some(true);
    Person::new(server, fields).await
}

/// Has a code for an address sent through CIAM, and returns its token and the code.
async fn sent(person: &Person<'_>, usage: &str, address: &str) -> (String, String) {
    let token = person.client.otp_token(json!({"usage": usage, "email": address})).await;
    (token, person.server.code_to(address))
}

/// Changes the address through CIAM.
async fn change(person: &Person<'_>, address: &str, token: &str, code: &str) -> Answer {
    person.ciam("PATCH", Some(json!({"email": address, "email_otp_token": token, "email_otp": code}))).await
}

/// Signs in through CIAM.
async fn sign_in(person: &Person<'_>, token: &str, code: &str) -> Answer {
    let grant = "http://tencentciam.com/oauth2/grant-type/otp/email";
    let members = json!({"grant_type": grant, "email": "jane@example.com", "otp_token": token, "otp": code});
    person.client.ask(members).await
}

fn error(answer: &Answer) -> (u16, Value) {
    (answer.status.as_u16(), answer.json()["error"].take())
}

on_both_databases!(
    async fn a_code_is_understood_in_every_grouping_and_script_at_rivergen(server: Server) {
        let jane = Jane::new(&server).await;
        for form in 0..typed("123456").len() {
            let address = format!("jane{form}@example.com");
            let code = jane.code_for(&address).await;
            let answer = jane.bring(&address, &typed(&code)[form]).await;
            assert_eq!(answer.status, 200, "{:?}: {answer}", typed(&code)[form]);
        }
    }
);

on_both_databases!(
    async fn a_code_is_understood_in_every_grouping_and_script_at_userinfo(server: Server) {
        let person = person(&server).await;
        for form in 0..typed("123456").len() {
            let address = format!("jane{form}@example.com");
            let (token, code) = sent(&person, "update_userinfo", &address).await;
            let answer = change(&person, &address, &token, &typed(&code)[form]).await;
            assert_eq!(answer.status, 200, "{:?}: {answer}", typed(&code)[form]);
        }
    }
);

on_both_databases!(
    async fn a_code_is_understood_in_every_grouping_and_script_for_tokens(server: Server) {
        let person = person(&server).await;
        for form in 0..typed("123456").len() {
            let (token, code) = sent(&person, "login", "jane@example.com").await;
            let answer = sign_in(&person, &token, &typed(&code)[form]).await;
            assert_eq!(answer.status, 200, "{:?}: {answer}", typed(&code)[form]);
            server.pass(Duration::from_secs(31));
        }
    }
);

on_both_databases!(
    async fn what_is_no_code_costs_no_try(server: Server) {
        let (jane, person) = (Jane::unknown(&server).await, person(&server).await);
        let code = jane.code_for("jo@example.com").await;
        let (token, update_code) = sent(&person, "update_userinfo", "new@example.com").await;
        let (login_token, login_code) = sent(&person, "login", "jane@example.com").await;
        let tries = async || server.database().rows("SELECT max(tries) FROM one_time_code").await;
        for other in NO_CODES {
            let answer = jane.bring("jo@example.com", other).await;
            assert_eq!(refused(&answer), (422, "VALIDATION_ERROR".to_owned()), "{other:?}");
            let answer = change(&person, "new@example.com", &token, other).await;
            assert_eq!(error(&answer), (400, json!("bad_email_otp")), "{other:?}");
            let answer = sign_in(&person, &login_token, other).await;
            assert_eq!(error(&answer), (400, json!("invalid_grant")), "{other:?}");
            assert_eq!(answer.json()["error_description"], "Unknown or expired OTP", "{other:?}");
        }
        // A missing code is no try either.
        let missing = json!({"email": "new@example.com", "email_otp_token": token});
        assert_eq!(error(&person.ciam("PATCH", Some(missing)).await), (400, json!("bad_email_otp")));
        assert_eq!(tries().await, ["0"]);
        // A wrong token is reported all the same.
        assert_eq!(error(&change(&person, "new@example.com", "x", "1").await), (400, json!("bad_email_otp_token")));
        let answer = sign_in(&person, "x", "1").await;
        assert_eq!(answer.json()["error_description"], "Unknown or expired otp_token");
        assert_eq!(jane.bring("jo@example.com", &code).await.status, 200);
        assert_eq!(sign_in(&person, &login_token, &login_code).await.status, 200);
        assert_eq!(change(&person, "new@example.com", &token, &update_code).await.status, 200);
    }
);

on_both_databases!(
    async fn a_try_with_six_digits_is_counted_in_every_form(server: Server) {
        let person = person(&server).await;
        let (token, code) = sent(&person, "update_userinfo", "new@example.com").await;
        let wrong = if code == "000000" { "111111" } else { "000000" };
        for form in &typed(wrong)[..5] {
            let answer = change(&person, "new@example.com", &token, form).await;
            assert_eq!(error(&answer), (400, json!("bad_email_otp")), "{form:?}");
        }
        for last in [code.as_str(), "1"] {
            let answer = change(&person, "new@example.com", &token, last).await;
            assert_eq!(error(&answer), (400, json!("bad_email_otp_token")));
        }
    }
);

on_both_databases!(
    async fn a_verification_that_is_sent_twice_is_answered_twice(server: Server) {
        let jane = Jane::new(&server).await;
        let code = jane.code_for("new@example.com").await;
        let first = jane.bring("new@example.com", &code).await;
        assert_eq!((first.status.as_u16(), &first.json()["data"]["old_email"]), (200, &json!("jane@example.com")));
        let stored = jane.stored().await;
        server.pass(Duration::from_secs(300));
        // As it was sent, in another form, and with the address in another case.
        for (address, code) in
            [("new@example.com", code.clone()), ("new@example.com", typed(&code).remove(0)), ("NEW@example.com", code)]
        {
            let again = jane.bring(address, &code).await;
            assert_eq!(again.to_string(), first.to_string());
        }
        assert_eq!(jane.stored().await, stored);
        assert_eq!(server.app.store().history(stored.id, 1, 100).await.unwrap().len(), 1);
        let mails = server.app.outbox().mailbox().unwrap().mails();
        assert!(mails.iter().filter(|mail| mail.to == "jane@example.com").count() <= 1, "a second notice");
        let waiting = server.database().rows("SELECT count(*) FROM notice").await;
        assert!(["0", "1"].contains(&waiting[0].as_str()), "a second notice");
    }
);

on_both_databases!(
    async fn a_code_that_changed_nothing_is_answered_twice_too(server: Server) {
        let mut fields = patch(&[(Field::Email, "jane@example.com")]);
        fields.email_verified = Some(false);
        let jane = Jane::of(&server, server.person_with(&server.tenant, fields).await).await;
        let code = jane.code_for("jane@example.com").await;
        let mut verified = Patch::default();
        verified.email_verified = Some(true);
        server.operate(&jane.account, verified).await;
        let first = jane.bring("jane@example.com", &code).await;
        assert_eq!(first.status, 200, "{first}");
        assert_eq!(jane.bring("jane@example.com", &code).await.to_string(), first.to_string());
    }
);

on_both_databases!(
    async fn two_equal_verifications_at_once_are_both_answered(server: Server) {
        for round in 0..10 {
            let jane = Jane::unknown(&server).await;
            let address = format!("jane{round}@example.com");
            let code = jane.code_for(&address).await;
            let (one, other) = tokio::join!(jane.bring(&address, &code), jane.bring(&address, &code));
            assert_eq!(one.status, 200, "{one}");
            assert_eq!(one.to_string(), other.to_string());
            assert_eq!(server.app.store().history(jane.account.id, 1, 100).await.unwrap().len(), 1);
        }
    }
);

on_both_databases!(
    async fn a_used_code_is_answered_again_only_for_what_it_did_and_in_its_time(server: Server) {
        let (jane, jo) = (Jane::new(&server).await, Jane::unknown(&server).await);
        let failed = (400, "EMAIL_UPDATE_VERIFY_FAILED".to_owned());
        let code = jane.code_for("new@example.com").await;
        let wrong = if code == "000000" { "111111" } else { "000000" };
        assert_eq!(jane.bring("new@example.com", &code).await.status, 200);
        assert_eq!(refused(&jane.bring("new@example.com", wrong).await), failed);
        assert_eq!(refused(&jane.bring("other@example.com", &code).await), failed);
        assert_eq!(refused(&jo.bring("new@example.com", &code).await), failed);
        // A newer code does not end it, and neither does a wrong try of that.
        let newer = jane.code_for("newer@example.com").await;
        assert_eq!(jane.bring("new@example.com", &code).await.status, 200);
        // The account has another address.
        assert_eq!(jane.bring("newer@example.com", &newer).await.status, 200);
        assert_eq!(refused(&jane.bring("new@example.com", &code).await), failed);
        assert_eq!(jane.bring("newer@example.com", &newer).await.status, 200);
        server.pass(Duration::from_secs(599));
        assert_eq!(jane.bring("newer@example.com", &newer).await.status, 200);
        server.pass(Duration::from_secs(1));
        assert_eq!(refused(&jane.bring("newer@example.com", &newer).await), failed);
    }
);

on_both_databases!(
    async fn a_code_of_ciam_is_answered_once(server: Server) {
        let person = person(&server).await;
        let (token, code) = sent(&person, "update_userinfo", "new@example.com").await;
        assert_eq!(change(&person, "new@example.com", &token, &code).await.status, 200);
        let again = change(&person, "new@example.com", &token, &code).await;
        assert_eq!(error(&again), (400, json!("bad_email_otp_token")));
    }
);
