//! Addresses that compare equal share one unique key, but are two mailboxes: a code proves only the one it was sent to.

use std::time::Duration;

use selfsame::account::{Account, Field, Kind, Patch};
use serde_json::{Value, json};

use super::{AppUser, USERINFO};
use crate::support::applications::Client;
use crate::support::{Answer, Server, patch, until};

const EMAIL: &str = "http://tencentciam.com/oauth2/grant-type/otp/email";
const SMS: &str = "http://tencentciam.com/oauth2/grant-type/otp/sms";

/// An address and, with U+212A KELVIN SIGN, another one that compares equal.
const KIM: &str = "kim@example.org";
const KELVIN: &str = "\u{212a}im@example.org";

/// Pairs that compare equal: by lower case, by composition, by the form of the domain, by ASCII case.
const EQUAL: [(&str, &str); 6] = [
    (KIM, KELVIN),
    ("stra\u{df}e@example.org", "stra\u{1e9e}e@example.org"),
    ("\u{e5}sa@example.org", "\u{212b}sa@example.org"),
    ("\u{d55c}@example.org", "\u{1112}\u{1161}\u{11ab}@example.org"),
    ("jo@b\u{fc}cher.example", "jo@xn--bcher-kva.example"),
    ("jane@example.org", "JANE@Example.ORG"),
];

/// A patch by which operators give an account a verified address.
fn verified(email: &str) -> Patch {
    let mut patch = patch(&[(Field::Email, email)]);
    patch.email_verified = Some(true);
    patch
}

async fn owner(server: &Server, email: &str) -> Account {
    server.person_with(&server.tenant, verified(email)).await
}

/// An application with automatic sign-up.
async fn opening(server: &Server) -> Client<'_> {
    server.client_with(Kind::Web, &["email", "email_verified"], |application| application.auto_signup = true).await
}

/// The recipient of the newest message.
fn recipient(server: &Server) -> Option<String> {
    server.app.outbox().mailbox().unwrap().mails().into_iter().next().map(|mail| mail.to)
}

/// Requests a sign-in code, which must go to `sent_to`, and returns the body of the token request that uses it.
async fn grant(client: &Client<'_>, typed: &str, sent_to: &str) -> Value {
    let token = client.otp_token(json!({"email": typed})).await;
    assert_eq!(recipient(client.server).as_deref(), Some(sent_to), "{typed}");
    json!({"grant_type": EMAIL, "email": typed, "otp_token": token, "otp": client.server.code_to(sent_to)})
}

/// The claims that the access token of an answer reads.
async fn claims(server: &Server, answer: &Answer) -> Value {
    assert_eq!(answer.status, 200, "{answer}");
    let token = answer.json()["access_token"].as_str().unwrap().to_owned();
    server.request("GET", USERINFO).bearer(&token).send().await.json()
}

async fn accounts(server: &Server) -> String {
    server.database().rows("SELECT count(*) FROM account").await.remove(0)
}

const NOT_FOUND: &str = r#"{"error":"invalid_grant","error_description":"User not found"}"#;

on_both_databases!(
    async fn a_code_to_sign_in_goes_to_the_stored_address_and_comes_back_with_the_typed_one(server: Server) {
        let client = server.client(Kind::Web, &[]).await;
        for (number, pair) in EQUAL.into_iter().enumerate() {
            for (order, (stored, typed)) in [pair, (pair.1, pair.0)].into_iter().enumerate() {
                let [stored, typed] = [stored, typed].map(|address| format!("{number}{order}{address}"));
                let owner = owner(&server, &stored).await;
                let grant = grant(&client, &typed, &stored).await;
                let shown = claims(&server, &client.ask(grant).await).await;
                assert_eq!(shown["sub"], owner.id.to_string(), "{typed}");
            }
        }
    }
);

on_both_databases!(
    async fn a_code_to_reset_a_password_goes_to_the_stored_address(server: Server) {
        let client = server.client(Kind::Web, &[]).await;
        for (stored, typed) in EQUAL {
            owner(&server, stored).await;
            client.otp_token(json!({"usage": "reset_password", "email": typed})).await;
            assert_eq!(recipient(&server).as_deref(), Some(stored), "{typed}");
        }
    }
);

on_both_databases!(
    async fn an_address_that_only_looks_like_a_stored_one_gets_no_code(server: Server) {
        let client = server.client(Kind::Web, &[]).await;
        owner(&server, "mike@example.org").await;
        for typed in ["m\u{131}ke@example.org", "m\u{ed}ke@example.org", "\u{ff4d}ike@example.org"] {
            for usage in ["login", "reset_password"] {
                client.otp_token(json!({"usage": usage, "email": typed})).await;
                server.pass(Duration::from_secs(31));
            }
        }
        assert_eq!(recipient(&server), None);
    }
);

on_both_databases!(
    async fn a_code_does_not_open_an_account_whose_spelling_has_changed(server: Server) {
        let client = opening(&server).await;
        let kim = owner(&server, KIM).await;
        let good = grant(&client, KELVIN, KIM).await;
        server.operate(&kim, verified(KELVIN)).await;
        for (typed, auto_signup) in [(KELVIN, false), (KIM, false), (KIM, true)] {
            let mut grant = good.clone();
            (grant["email"], grant["auto_signup"]) = (json!(typed), json!(auto_signup));
            let answer = client.ask(grant).await;
            assert_eq!((answer.status.as_u16(), answer.body.as_str()), (400, NOT_FOUND));
        }
        assert_eq!(accounts(&server).await, "1");
        // The code was not used up, and the mailbox is the account's again, in another letter case.
        server.operate(&kim, verified("Kim@Example.ORG")).await;
        assert_eq!(claims(&server, &client.ask(good).await).await["sub"], kim.id.to_string());
    }
);

on_both_databases!(
    async fn a_code_opens_only_the_account_that_has_its_mailbox(server: Server) {
        let client = server.client(Kind::Web, &[]).await;
        let (first, second) = (owner(&server, KIM).await, server.person(&[]).await);
        let grant = grant(&client, KIM, KIM).await;
        // An unverified address belongs to no account.
        let mut unproved = Patch::default();
        unproved.email_verified = Some(false);
        server.operate(&first, unproved).await;
        assert_eq!(client.ask(grant.clone()).await.body, NOT_FOUND);
        server.operate(&second, verified(KELVIN)).await;
        assert_eq!(client.ask(grant.clone()).await.body, NOT_FOUND);
        server.operate(&second, verified(KIM)).await;
        assert_eq!(claims(&server, &client.ask(grant).await).await["sub"], second.id.to_string());
    }
);

on_both_databases!(
    async fn the_status_of_an_account_with_another_spelling_does_not_show(server: Server) {
        let client = server.client(Kind::Web, &[]).await;
        let kim = owner(&server, KIM).await;
        let grant = grant(&client, KIM, KIM).await;
        let mut suspended = verified(KELVIN);
        suspended.status = Some(selfsame::account::Status::Suspended);
        server.operate(&kim, suspended).await;
        assert_eq!(client.ask(grant).await.body, NOT_FOUND);
    }
);

on_both_databases!(
    async fn a_sign_up_stores_the_address_that_the_code_was_sent_to(server: Server) {
        let client = opening(&server).await;
        for (sent_to, typed) in EQUAL.map(|(one, other)| (other, one)) {
            let mut grant = grant(&client, sent_to, sent_to).await;
            (grant["email"], grant["auto_signup"]) = (json!(typed), json!(true));
            let shown = claims(&server, &client.ask(grant).await).await;
            assert_eq!((&shown["email"], &shown["email_verified"]), (&json!(sent_to), &json!(true)));
        }
    }
);

on_both_databases!(
    async fn signing_up_does_not_open_the_account_of_another_spelling(server: Server) {
        let client = opening(&server).await;
        let mut grant = grant(&client, KELVIN, KELVIN).await;
        owner(&server, KIM).await;
        grant["auto_signup"] = json!(true);
        for typed in [KELVIN, KIM] {
            grant["email"] = json!(typed);
            assert_eq!(client.ask(grant.clone()).await.body, NOT_FOUND);
        }
        assert_eq!(accounts(&server).await, "1");
    }
);

on_both_databases!(
    async fn a_change_stores_the_address_that_the_code_was_sent_to(server: Server) {
        for (number, (sent_to, typed)) in EQUAL.map(|(one, other)| (other, one)).into_iter().enumerate() {
            let jane = AppUser::with(&server, patch(&[]), &["email", "email_verified"]).await;
            let (sent_to, typed) = (format!("{number}{sent_to}"), format!("{number}{typed}"));
            let proof = jane.proof("email", &sent_to).await;
            let answer = jane.patch(AppUser::proved("email", &typed, &proof).to_string()).await;
            let shown = answer.json();
            assert_eq!((&shown["email"], &shown["email_verified"]), (&json!(sent_to), &json!(true)), "{answer}");
            let stored = jane.stored().await;
            assert_eq!((stored.text(Field::Email), stored.email_verified), (Some(sent_to.as_str()), true));
        }
    }
);

on_both_databases!(
    async fn a_number_signs_in_whatever_separators_it_is_stored_with(server: Server) {
        let client = server.client(Kind::Web, &[]).await;
        let stored = |number: &str| {
            let mut patch = patch(&[(Field::Phone, number)]);
            patch.phone_verified = Some(true);
            patch
        };
        let person = server.person_with(&server.tenant, stored("+86 138-0013-8000")).await;
        let token = client.otp_token(json!({"phone_number": "13800138000"})).await;
        let code = server.code_to("+86 138-0013-8000");
        server.operate(&person, stored("+86 (138) 0013 8000")).await;
        let grant = json!({"grant_type": SMS, "phone_number": "13800138000", "otp_token": token, "otp": code});
        assert_eq!(claims(&server, &client.ask(grant).await).await["sub"], person.id.to_string());
    }
);

on_both_databases!(
    async fn a_mailbox_that_another_spelling_replaces_gets_a_notice(server: Server) {
        let jane = AppUser::with(&server, verified(KIM), &["email"]).await;
        for (address, notices) in [("Kim@Example.ORG", 0), (KELVIN, 1)] {
            let proof = jane.proof("email", address).await;
            let answer = jane.patch(AppUser::proved("email", address, &proof).to_string()).await;
            assert_eq!(answer.json()["email"], address, "{answer}");
            until(async || server.database().rows("SELECT count(*) FROM notice").await == ["0"]).await;
            let mails = server.app.outbox().mailbox().unwrap().mails();
            let told = mails.iter().filter(|mail| mail.subject.as_deref() == Some("Your e-mail address was removed"));
            assert_eq!(told.count(), notices, "{address}");
            server.pass(Duration::from_secs(31));
        }
        assert_eq!(recipient(&server).as_deref(), Some("Kim@Example.ORG"));
    }
);

on_both_databases!(
    async fn a_verified_address_that_an_operator_respells_stays_verified_only_if_ascii_case_differs(server: Server) {
        let kim = owner(&server, KIM).await;
        let changed = server.operate(&kim, patch(&[(Field::Email, "KIM@example.org")])).await;
        assert!(changed.email_verified);
        let changed = server.operate(&kim, patch(&[(Field::Email, KELVIN)])).await;
        assert!(!changed.email_verified);
        // The address belongs to no account any more, so another one may have it.
        assert!(owner(&server, KIM).await.email_verified);
    }
);
