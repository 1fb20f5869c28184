//! Changing the e-mail address, row by row of the vendor's published documentation.

use std::time::Duration;

use selfsame::account::{Field, Patch, Status};

use super::{Jane, faults};
use crate::support::{Answer, Server, patch};

pub(super) const REQUEST: &str = "/api/v1/auth/me/email/request";
pub(super) const VERIFY: &str = "/api/v1/auth/me/email/verify";
pub(super) const NEW: &str = "jane.smith@example.com";

impl Jane<'_> {
    pub(crate) async fn ask(&self, new_email: &str) -> Answer {
        let body = serde_json::json!({ "new_email": new_email }).to_string();
        self.request("POST", REQUEST).json(body).send().await
    }

    pub(crate) async fn bring(&self, new_email: &str, otp_code: &str) -> Answer {
        let body = serde_json::json!({ "new_email": new_email, "otp_code": otp_code }).to_string();
        self.request("POST", VERIFY).json(body).send().await
    }

    /// Requests a code for an address and returns it.
    pub(crate) async fn code_for(&self, new_email: &str) -> String {
        let answer = self.ask(new_email).await;
        assert_eq!(answer.status, 200, "{answer}");
        // Not simply the newest mail: a notice of an earlier change may arrive at any time.
        let mails = self.server.app.outbox().mailbox().unwrap().mails();
        let mail = mails.into_iter().find(|mail| mail.to == new_email).unwrap();
        assert_eq!(mail.medium, "email");
        mail.text.split_whitespace().find(|word| word.len() == 6 && word.parse::<u32>().is_ok()).unwrap().to_owned()
    }

    /// The current address, and whether it is verified.
    async fn address(&self) -> (Option<String>, bool) {
        let stored = self.stored().await;
        (stored.text(Field::Email).map(str::to_owned), stored.email_verified)
    }
}

pub(super) fn other(code: &str) -> &'static str {
    if code == "111111" { "222222" } else { "111111" }
}

/// Status and code of an error response.
pub(crate) fn refused(answer: &Answer) -> (u16, String) {
    let code = answer.json()["error"]["code"].as_str().unwrap_or_default().to_owned();
    (answer.status.as_u16(), code)
}

fn bad(code: &str) -> (u16, String) {
    (400, code.to_owned())
}

on_both_databases!(
    async fn a_request_sends_a_code_and_keeps_the_old_address(server: Server) {
        let jane = Jane::new(&server).await;
        let before = jane.stored().await;
        insta::assert_snapshot!(jane.ask(NEW).await, @r#"
        200 OK
        cache-control: private, no-cache
        content-type: application/json

        {"success":true,"data":{"message":"OTP sent to new email address","new_email":"jane.smith@example.com"},"message":"OTP sent to new email address"}
        "#);
        assert_eq!(jane.stored().await, before);
        assert_eq!(server.app.store().history(jane.account.id, 1, 100).await.unwrap().len(), 0);
    }
);

on_both_databases!(
    async fn the_code_changes_the_address_and_verifies_it(server: Server) {
        let jane = Jane::new(&server).await;
        let code = jane.code_for(NEW).await;
        server.pass(Duration::from_secs(90));
        insta::assert_snapshot!(jane.bring(NEW, &code).await, @r#"
        200 OK
        cache-control: private, no-cache
        content-type: application/json

        {"success":true,"data":{"message":"Email updated successfully","old_email":"jane@example.com","new_email":"jane.smith@example.com"},"message":"Email updated successfully"}
        "#);
        assert_eq!(jane.address().await, (Some(NEW.to_owned()), true));
        let me = jane.get().await.json()["data"].take();
        assert_eq!(me["user"]["primary_email"], NEW);
        assert_eq!(me["user"]["updated_at"], "2026-03-20T14:31:30Z");
        assert_eq!(me["emails"][0]["verified"], true);
    }
);

on_both_databases!(
    async fn the_history_records_the_change_and_no_code(server: Server) {
        let jane = Jane::new(&server).await;
        let code = jane.code_for(NEW).await;
        jane.bring(NEW, &code).await;
        let entries = server.app.store().history(jane.account.id, 1, 100).await.unwrap();
        assert_eq!(entries.len(), 1);
        assert_eq!((&*entries[0].metadata.actor, &*entries[0].metadata.contract), ("owner", "rivergen"));
        let payload = server.app.profiles().payload(&entries[0]).unwrap().to_string();
        let change = format!(r#"{{"field":"email","before":"jane@example.com","after":"{NEW}"}}"#);
        assert!(payload.contains(&change), "{payload}");
        assert!(!payload.contains(&code), "{payload}");
    }
);

on_both_databases!(
    async fn an_account_without_an_address_gets_one(server: Server) {
        let jane = Jane::unknown(&server).await;
        let code = jane.code_for(NEW).await;
        let answer = jane.bring(NEW, &code).await;
        assert_eq!(answer.json()["data"]["old_email"], serde_json::Value::Null);
        assert_eq!(jane.address().await, (Some(NEW.to_owned()), true));
    }
);

on_both_databases!(
    async fn the_present_verified_address_is_refused(server: Server) {
        let jane = Jane::new(&server).await;
        insta::assert_snapshot!(jane.ask("jane@example.com").await, @r#"
        400 Bad Request
        content-type: application/json

        {"success":false,"error":{"code":"EMAIL_UPDATE_REQUEST_FAILED","message":"Request failed","timestamp":"2026-03-20T14:30:00Z"},"message":"Request failed"}
        "#);
    }
);

on_both_databases!(
    async fn an_address_that_another_account_has_proved_is_taken(server: Server) {
        let jane = Jane::new(&server).await;
        let mut theirs = patch(&[(Field::Email, NEW)]);
        let unproved = server.person_with(&server.tenant, theirs.clone()).await;
        let elsewhere = server.add_tenant("elsewhere").await;
        theirs.email_verified = Some(true);
        server.person_with(&elsewhere, theirs.clone()).await;
        jane.code_for(NEW).await;
        server.operate(&unproved, theirs).await;
        for taken in [NEW, "JANE.SMITH@example.com"] {
            insta::assert_snapshot!(jane.ask(taken).await, @r#"
            400 Bad Request
            content-type: application/json

            {"success":false,"error":{"code":"EMAIL_ALREADY_TAKEN","message":"Email already registered","timestamp":"2026-03-20T14:30:00Z"},"message":"Email already registered"}
            "#);
        }
    }
);

on_both_databases!(
    async fn an_address_that_was_taken_meanwhile_is_refused(server: Server) {
        let jane = Jane::new(&server).await;
        let code = jane.code_for(NEW).await;
        let mut theirs = patch(&[(Field::Email, NEW)]);
        theirs.email_verified = Some(true);
        server.person_with(&server.tenant, theirs).await;
        assert_eq!(refused(&jane.bring(NEW, &code).await), bad("EMAIL_UPDATE_VERIFY_FAILED"));
        assert_eq!(jane.address().await, (Some("jane@example.com".to_owned()), true));
    }
);

on_both_databases!(
    async fn a_wrong_code_changes_nothing_and_the_sixth_try_fails(server: Server) {
        let jane = Jane::new(&server).await;
        let code = jane.code_for(NEW).await;
        for _ in 0..5 {
            insta::assert_snapshot!(jane.bring(NEW, other(&code)).await, @r#"
            400 Bad Request
            content-type: application/json

            {"success":false,"error":{"code":"INVALID_OTP","message":"Invalid OTP code","timestamp":"2026-03-20T14:30:00Z"},"message":"Invalid OTP code"}
            "#);
        }
        insta::assert_snapshot!(jane.bring(NEW, &code).await, @r#"
        400 Bad Request
        content-type: application/json

        {"success":false,"error":{"code":"EMAIL_UPDATE_VERIFY_FAILED","message":"Verification failed","timestamp":"2026-03-20T14:30:00Z"},"message":"Verification failed"}
        "#);
        assert_eq!(jane.address().await, (Some("jane@example.com".to_owned()), true));
    }
);

on_both_databases!(
    async fn a_code_is_valid_for_ten_minutes(server: Server) {
        let jane = Jane::new(&server).await;
        let code = jane.code_for(NEW).await;
        server.pass(Duration::from_secs(600));
        insta::assert_snapshot!(jane.bring(NEW, &code).await, @r#"
        400 Bad Request
        content-type: application/json

        {"success":false,"error":{"code":"OTP_EXPIRED","message":"OTP expired","timestamp":"2026-03-20T14:40:00Z"},"message":"OTP expired"}
        "#);
        server.pass(Duration::from_secs(600));
        assert_eq!(refused(&jane.bring(NEW, &code).await), bad("EMAIL_UPDATE_VERIFY_FAILED"));
        let code = jane.code_for(NEW).await;
        server.pass(Duration::from_secs(599));
        assert_eq!(jane.bring(NEW, &code).await.status, 200);
    }
);

on_both_databases!(
    async fn nothing_is_verified_without_a_request_or_for_another_address(server: Server) {
        let jane = Jane::new(&server).await;
        assert_eq!(refused(&jane.bring(NEW, "123456").await), bad("EMAIL_UPDATE_VERIFY_FAILED"));
        let code = jane.code_for(NEW).await;
        assert_eq!(refused(&jane.bring("jo@example.com", &code).await), bad("EMAIL_UPDATE_VERIFY_FAILED"));
        let answer = jane.bring("Jane.Smith@Example.com", &code).await;
        assert_eq!((answer.status.as_u16(), &answer.json()["data"]["new_email"]), (200, &NEW.into()));
        assert_eq!(jane.address().await, (Some(NEW.to_owned()), true));
    }
);

on_both_databases!(
    async fn the_newest_two_codes_are_valid_and_using_one_ends_the_other(server: Server) {
        let jane = Jane::new(&server).await;
        let oldest = jane.code_for("jane.smth@example.com").await;
        let typo = jane.code_for("jane.smiht@example.com").await;
        let right = jane.code_for(NEW).await;
        let answer = jane.bring("jane.smth@example.com", &oldest).await;
        assert_eq!(refused(&answer), bad("EMAIL_UPDATE_VERIFY_FAILED"));
        // Each code is for its own address.
        if typo != right {
            assert_eq!(refused(&jane.bring("jane.smiht@example.com", &right).await), bad("INVALID_OTP"));
        }
        assert_eq!(jane.bring(NEW, &right).await.status, 200);
        let answer = jane.bring("jane.smiht@example.com", &typo).await;
        assert_eq!(refused(&answer), bad("EMAIL_UPDATE_VERIFY_FAILED"));
    }
);

on_both_databases!(
    async fn both_codes_for_one_address_are_accepted_for_it(server: Server) {
        for used in [0, 1] {
            let (jane, address) = (Jane::unknown(&server).await, format!("jane{used}@example.com"));
            let first = jane.code_for(&address).await;
            server.pass(Duration::from_secs(30));
            let second = jane.code_for(&address).await;
            assert_eq!(jane.bring(&address, [&first, &second][used]).await.status, 200);
            assert_eq!(jane.address().await, (Some(address), true));
        }
    }
);

on_both_databases!(
    async fn five_wrong_tries_end_both_codes(server: Server) {
        let jane = Jane::new(&server).await;
        let first = jane.code_for("jo@example.com").await;
        let second = jane.code_for(NEW).await;
        for address in ["jo@example.com", NEW, NEW, "jo@example.com", NEW] {
            assert_eq!(refused(&jane.bring(address, "000000").await), bad("INVALID_OTP"));
        }
        for (address, code) in [("jo@example.com", &first), (NEW, &second)] {
            assert_eq!(refused(&jane.bring(address, code).await), bad("EMAIL_UPDATE_VERIFY_FAILED"));
        }
    }
);

on_both_databases!(
    async fn an_address_gets_one_code_in_thirty_seconds_whichever_account_requests_it(server: Server) {
        let (jane, jo) = (Jane::new(&server).await, Jane::unknown(&server).await);
        let code = jane.code_for(NEW).await;
        for again in [&jane, &jo] {
            insta::assert_snapshot!(again.ask("JANE.SMITH@example.com").await, @r#"
            429 Too Many Requests
            content-type: application/json
            retry-after: 30

            {"success":false,"error":{"code":"RATE_LIMITED","message":"Rate limit exceeded","timestamp":"2026-03-20T14:30:00Z"},"message":"Rate limit exceeded"}
            "#);
        }
        // Another address can be requested at once.
        jane.code_for("jane2@example.com").await;
        server.pass(Duration::from_secs(29));
        assert_eq!(jo.ask(NEW).await.status, 429);
        server.pass(Duration::from_secs(1));
        jo.code_for(NEW).await;
        // The refused requests and the other account's code left the first code as it was.
        assert_eq!(jane.bring(NEW, &code).await.status, 200);
    }
);

on_both_databases!(
    async fn one_of_many_concurrent_requests_for_an_address_sends_a_code(server: Server) {
        let rivals = [Jane::new(&server).await, Jane::unknown(&server).await];
        let body = serde_json::json!({ "new_email": NEW }).to_string();
        let requests: Vec<_> = (0..20)
            .map(|number| tokio::spawn(rivals[number % 2].request("POST", REQUEST).json(body.clone()).send()))
            .collect();
        let mut sent = 0;
        for request in requests {
            let answer = request.await.unwrap();
            sent += usize::from(answer.status == 200);
            assert!([200, 429].contains(&answer.status.as_u16()), "{answer}");
        }
        assert_eq!(sent, 1);
        assert_eq!(server.app.outbox().mailbox().unwrap().mails().len(), 1);
    }
);

on_both_databases!(
    async fn a_code_changes_the_address_once_and_of_its_own_account(server: Server) {
        let jane = Jane::new(&server).await;
        let jo = Jane::unknown(&server).await;
        let code = jane.code_for(NEW).await;
        assert_eq!(refused(&jo.bring(NEW, &code).await), bad("EMAIL_UPDATE_VERIFY_FAILED"));
        assert_eq!(jane.bring(NEW, &code).await.status, 200);
        let changed = jane.stored().await;
        assert_eq!(jane.bring(NEW, &code).await.status, 200);
        assert_eq!(jane.stored().await, changed);
        assert_eq!(refused(&jo.bring(NEW, &code).await), bad("EMAIL_UPDATE_VERIFY_FAILED"));
    }
);

on_both_databases!(
    async fn all_invalid_members_are_named(server: Server) {
        let jane = Jane::new(&server).await;
        let long = format!("{}@example.com", "x".repeat(250));
        for (body, reason) in [
            ("{}".to_owned(), "must not be blank"),
            (r#"{"new_email":null}"#.to_owned(), "must not be blank"),
            (r#"{"new_email":""}"#.to_owned(), "must not be blank"),
            (r#"{"new_email":7}"#.to_owned(), "must be a string"),
            (r#"{"new_email":["a@example.com"]}"#.to_owned(), "must be a string"),
            (r#"{"new_email":"jane"}"#.to_owned(), "must be an e-mail address"),
            (r#"{"new_email":"a@example.com, b@example.com"}"#.to_owned(), "must be an e-mail address"),
            (r#"{"new_email":"a@example.com\r\nBcc: b@example.com"}"#.to_owned(), "must be an e-mail address"),
            (r#"{"new_email":" a@example.com"}"#.to_owned(), "must be an e-mail address"),
            (r#"{"new_email":"a@localhost"}"#.to_owned(), "must be an e-mail address"),
            (r#"{"new_email":"a\u0000@example.com"}"#.to_owned(), "must not contain control characters"),
            (format!(r#"{{"new_email":"{long}"}}"#), "must be an e-mail address"),
        ] {
            let answer = jane.request("POST", REQUEST).json(body.clone()).send().await;
            assert_eq!(refused(&answer), (422, "VALIDATION_ERROR".to_owned()), "{body}");
            assert_eq!(faults(&answer), [("new_email".to_owned(), reason.to_owned())], "{body}");
        }
        for (code, reason) in [
            ("null", "must not be blank"),
            (r#""""#, "must not be blank"),
            ("123456", "must be a string"),
            (r#""12345""#, "must be six digits"),
            (r#""1234567""#, "must be six digits"),
            (r#"" 12345""#, "must be six digits"),
            (r#""12345.6""#, "must be six digits"),
            (r#""12345\u0000""#, "must not contain control characters"),
        ] {
            let body = format!(r#"{{"new_email":"jane","otp_code":{code}}}"#);
            let answer = jane.request("POST", VERIFY).json(body).send().await;
            assert_eq!(answer.status, 422);
            let email = ("new_email".to_owned(), "must be an e-mail address".to_owned());
            assert_eq!(faults(&answer), [email, ("otp_code".to_owned(), reason.to_owned())], "{code}");
        }
        assert_eq!(server.app.outbox().mailbox().unwrap().mails().len(), 0);
    }
);

on_both_databases!(
    async fn bodies_methods_and_credentials_are_as_in_the_rest_of_the_contract(server: Server) {
        let jane = Jane::new(&server).await;
        for path in [REQUEST, VERIFY] {
            let post = || jane.request("POST", path);
            let answers = [
                (post().json("").send().await, (422, "VALIDATION_ERROR")),
                (post().json("[]").send().await, (422, "VALIDATION_ERROR")),
                (post().json("{").send().await, (422, "VALIDATION_ERROR")),
                (post().json(r#"{"x":"\u0000"}"#).send().await, (422, "VALIDATION_ERROR")),
                (post().json("x".repeat(64 * 1024 + 1)).send().await, (413, "PAYLOAD_TOO_LARGE")),
                (post().body("{}").send().await, (415, "UNSUPPORTED_MEDIA_TYPE")),
                (server.request("POST", path).json("{}").send().await, (401, "UNAUTHORIZED")),
                (server.request("POST", path).bearer("x").json("{}").send().await, (401, "UNAUTHORIZED")),
                (jane.request("PUT", path).json("{}").send().await, (405, "METHOD_NOT_ALLOWED")),
                (jane.request("GET", path).send().await, (405, "METHOD_NOT_ALLOWED")),
            ];
            for (answer, (status, code)) in answers {
                assert_eq!(refused(&answer), (status, code.to_owned()), "{path}: {answer}");
            }
            assert_eq!(jane.request("GET", path).send().await.header("allow"), "POST, OPTIONS");
        }
    }
);

on_both_databases!(
    async fn a_suspended_account_is_not_changed(server: Server) {
        let jane = Jane::new(&server).await;
        let code = jane.code_for(NEW).await;
        let mut suspend = Patch::default();
        suspend.status = Some(Status::Suspended);
        server.operate(&jane.account, suspend).await;
        for answer in [jane.ask("jo@example.com").await, jane.bring(NEW, &code).await] {
            assert_eq!(refused(&answer), (403, "PERMISSION_DENIED".to_owned()));
        }
        assert_eq!(jane.address().await.0.as_deref(), Some("jane@example.com"));
    }
);

on_both_databases!(
    async fn an_address_and_an_account_get_50_codes_a_day(server: Server) {
        let jane = Jane::new(&server).await;
        for _ in 0..49 {
            jane.code_for(NEW).await;
            server.pass(Duration::from_secs(30));
        }
        let jo = Jane::unknown(&server).await;
        jo.code_for(NEW).await;
        server.pass(Duration::from_secs(30));
        insta::assert_snapshot!(jo.ask(NEW).await, @r#"
        429 Too Many Requests
        content-type: application/json
        retry-after: 84900

        {"success":false,"error":{"code":"RATE_LIMITED","message":"Rate limit exceeded","timestamp":"2026-03-20T14:55:00Z"},"message":"Rate limit exceeded"}
        "#);
        jane.code_for("jane1@example.com").await;
        assert_eq!(jane.ask("jane2@example.com").await.status, 429);
        jo.code_for("jane2@example.com").await;
        server.pass(Duration::from_secs(24 * 3600));
        let token = server.token(&jane.account, selfsame::account::Contract::RiverGen).await;
        let jane = Jane { token, ..jane };
        let code = jane.code_for(NEW).await;
        assert_eq!(jane.bring(NEW, &code).await.status, 200);
    }
);

on_both_databases!(
    async fn the_message_is_in_the_language_of_the_person_or_else_of_the_request(server: Server) {
        let jane = Jane::new(&server).await;
        let subject = async |language: &str| {
            let body = format!(r#"{{"new_email":"{NEW}"}}"#);
            jane.request("POST", REQUEST).header("Accept-Language", language).json(body).send().await;
            server.pass(Duration::from_secs(30));
            server.app.outbox().mailbox().unwrap().mails().remove(0).subject.unwrap()
        };
        assert_eq!(subject("en").await, "Your code");
        assert_eq!(subject("vi").await, "Mã xác thực của bạn");
        server.operate(&jane.account, patch(&[(Field::Language, "zh-TW")])).await;
        assert_eq!(subject("vi").await, "您的驗證碼");
    }
);

on_both_databases!(
    async fn the_previous_verified_address_gets_a_notice(server: Server) {
        let jane = Jane::new(&server).await;
        let code = jane.code_for(NEW).await;
        jane.bring(NEW, &code).await;
        let mailbox = server.app.outbox().mailbox().unwrap();
        crate::support::until(async || mailbox.mails().len() == 2).await;
        let notice = mailbox.mails().remove(0);
        assert_eq!((notice.medium, notice.to.as_str()), ("email", "jane@example.com"));
        assert_eq!(notice.subject.as_deref(), Some("Your e-mail address was removed"));
        // The notice names neither the new address nor the person.
        assert!(!notice.text.contains('@') && !notice.text.contains("Jane"), "{}", notice.text);
    }
);

on_both_databases!(
    async fn a_code_presented_with_another_spelling_verifies_the_requested_spelling(server: Server) {
        for (asked_for, brought) in [
            ("\u{212a}im@example.com", "kim@example.com"),
            ("stra\u{1e9e}e@example.com", "stra\u{df}e@example.com"),
            ("\u{1112}\u{1161}\u{11ab}@example.com", "\u{d55c}@example.com"),
            ("jo@xn--bcher-kva.example", "jo@b\u{fc}cher.example"),
        ] {
            let jane = Jane::unknown(&server).await;
            let code = jane.code_for(asked_for).await;
            let answer = jane.bring(brought, &code).await;
            assert_eq!((answer.status.as_u16(), &answer.json()["data"]["new_email"]), (200, &asked_for.into()));
            assert_eq!(jane.address().await, (Some(asked_for.to_owned()), true));
        }
    }
);
