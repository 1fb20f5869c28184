//! What an entered code proves.

use std::time::Duration;

use selfsame::account::Error;
use selfsame::code::{CodeAttempt, CodeFault, CodeRequest, Usage};

use super::{JANE, PHONE, attempt, contact, fault, prove, request, sent, wrong};
use crate::support::{Database, OnDatabase, Server};

/// A server that sends a code each second.
struct Frequent(Server);

impl OnDatabase for Frequent {
    async fn start(database: Database) -> Self {
        Frequent(Server::with(database, &[("SELFSAME__CODES__UPDATE_USERINFO__INTERVAL", "1s")]).await)
    }
}

on_both_databases!(
    async fn a_code_proves_the_address_that_it_was_sent_to_until_it_is_used(server: Server) {
        let tenant = &server.tenant;
        let (token, code) = sent(&server, request(tenant, JANE)).await;
        let first = prove(&server, attempt(tenant, JANE, &token, &code)).await.unwrap();
        assert_eq!(first.contact(), &contact(JANE));
        let second = prove(&server, attempt(tenant, JANE, &token, &code)).await.unwrap();
        server.app.store().use_code(first.code_id()).await.unwrap();
        let again = server.app.store().use_code(second.code_id()).await;
        assert!(matches!(again, Err(Error::Code(CodeFault::Used))), "{again:?}");
        assert_eq!(fault(&server, attempt(tenant, JANE, &token, &code)).await, Some(CodeFault::Token));
    }
);

on_both_databases!(
    async fn a_code_presented_with_another_spelling_proves_the_spelling_that_it_was_sent_to(server: Server) {
        let tenant = &server.tenant;
        for (sent_to, brought) in [("Jane@Example.COM", JANE), ("+86 138-1234-5678", PHONE)] {
            let (token, code) = sent(&server, request(tenant, sent_to)).await;
            let proof = prove(&server, attempt(tenant, brought, &token, &code)).await.unwrap();
            assert_eq!(proof.contact().text().as_str(), sent_to);
        }
    }
);

on_both_databases!(
    async fn a_code_presented_with_other_parameters_is_refused_without_counting_a_try(server: Server) {
        let tenant = &server.tenant;
        let other = server.add_tenant("other").await;
        let code_request = CodeRequest { context: "c", ..request(tenant, JANE) };
        let (token, code) = sent(&server, code_request).await;
        let right = || CodeAttempt { context: "c", ..attempt(tenant, JANE, &token, &code) };
        let others = [
            ("another token", CodeAttempt { token: "x", ..right() }),
            ("no token", CodeAttempt { token: "", ..right() }),
            ("another address", CodeAttempt { contact: contact("jo@example.com"), ..right() }),
            ("another channel", CodeAttempt { contact: contact(PHONE), ..right() }),
            ("another tenant", CodeAttempt { tenant: &other, ..right() }),
            ("another context", CodeAttempt { context: "", ..right() }),
            ("another use", CodeAttempt { usage: Usage::Login, ..right() }),
            ("a use without tokens", CodeAttempt { usage: Usage::ChangeEmail, ..right() }),
        ];
        for (what, attempt) in others {
            assert_eq!(fault(&server, attempt).await, Some(CodeFault::Token), "{what}");
        }
        // None of them counted as a try.
        for _ in 0..4 {
            let attempt = CodeAttempt { code: &wrong(&code), ..right() };
            assert_eq!(fault(&server, attempt).await, Some(CodeFault::Code));
        }
        assert_eq!(fault(&server, right()).await, None);
    }
);

on_both_databases!(
    async fn only_sign_in_and_sign_up_codes_are_bound_to_their_application(server: Server) {
        let tenant = &server.tenant;
        for (usage, is_bound) in [(Usage::Login, true), (Usage::Signup, true), (Usage::UpdateUserinfo, false)] {
            let (token, code) =
                sent(&server, CodeRequest { usage, application: Some("web"), ..request(tenant, JANE) }).await;
            for application in [Some("app"), None] {
                let attempt = CodeAttempt { usage, application, ..attempt(tenant, JANE, &token, &code) };
                let expected = is_bound.then_some(CodeFault::Token);
                assert_eq!(fault(&server, attempt).await, expected, "{usage:?} {application:?}");
            }
            let attempt = CodeAttempt { usage, application: Some("web"), ..attempt(tenant, JANE, &token, &code) };
            assert_eq!(fault(&server, attempt).await, None, "{usage:?}");
            server.pass(Duration::from_secs(30));
        }
    }
);

on_both_databases!(
    async fn the_sixth_try_fails_even_with_the_correct_code(server: Server) {
        let tenant = &server.tenant;
        let (token, code) = sent(&server, request(tenant, JANE)).await;
        let bad = wrong(&code);
        for _ in 0..5 {
            assert_eq!(fault(&server, attempt(tenant, JANE, &token, &bad)).await, Some(CodeFault::Code));
        }
        assert_eq!(fault(&server, attempt(tenant, JANE, &token, &code)).await, Some(CodeFault::Token));
    }
);

on_both_databases!(
    async fn the_fifth_try_succeeds_with_the_correct_code(server: Server) {
        let tenant = &server.tenant;
        let (token, code) = sent(&server, request(tenant, JANE)).await;
        for _ in 0..4 {
            assert_eq!(fault(&server, attempt(tenant, JANE, &token, &wrong(&code))).await, Some(CodeFault::Code));
        }
        // Texts that are no code are no tries.
        for bad in ["", "0", &format!("{code}0")] {
            assert_eq!(fault(&server, attempt(tenant, JANE, &token, bad)).await, Some(CodeFault::Code));
        }
        assert_eq!(fault(&server, attempt(tenant, JANE, &token, &code)).await, None);
    }
);

on_both_databases!(
    async fn a_code_and_its_token_each_expire_after_their_own_lifetime(server: Server) {
        let tenant = &server.tenant;
        let (token, code) = sent(&server, request(tenant, JANE)).await;
        let offer = || attempt(tenant, JANE, &token, &code);
        server.pass(Duration::from_micros(59_999_999));
        assert_eq!(fault(&server, offer()).await, None);
        server.pass(Duration::from_micros(1));
        assert_eq!(fault(&server, offer()).await, Some(CodeFault::Expired));
        server.pass(Duration::from_micros(239_999_999));
        assert_eq!(fault(&server, offer()).await, Some(CodeFault::Expired));
        server.pass(Duration::from_micros(1));
        assert_eq!(fault(&server, offer()).await, Some(CodeFault::Token));
    }
);

on_both_databases!(
    async fn the_newest_two_codes_of_a_use_are_valid_and_a_third_ends_the_oldest(server: Server) {
        let tenant = &server.tenant;
        let next = async |usage| {
            let code = sent(&server, CodeRequest { usage, ..request(tenant, JANE) }).await;
            server.pass(Duration::from_secs(29));
            code
        };
        let first = next(Usage::UpdateUserinfo).await;
        let login = next(Usage::Login).await;
        server.pass(Duration::from_secs(1));
        let second = sent(&server, request(tenant, JANE)).await;
        server.pass(Duration::from_micros(999_999));
        for (token, code) in [&first, &second] {
            let proof = prove(&server, attempt(tenant, JANE, token, code)).await.unwrap();
            assert_eq!(proof.contact(), &contact(JANE));
            // The code belongs to its token.
            for other in [&first, &second].into_iter().filter(|other| other.1 != *code) {
                assert_eq!(fault(&server, attempt(tenant, JANE, token, &other.1)).await, Some(CodeFault::Code));
            }
        }
        let login = CodeAttempt { usage: Usage::Login, ..attempt(tenant, JANE, &login.0, &login.1) };
        assert_eq!(fault(&server, login).await, None);
        server.pass(Duration::from_micros(1));
        // The first code is a minute old.
        assert_eq!(fault(&server, attempt(tenant, JANE, &first.0, &first.1)).await, Some(CodeFault::Token));
    }
);

on_both_databases!(
    async fn a_third_code_ends_the_oldest(frequent: Frequent) {
        let server = &frequent.0;
        let tenant = &server.tenant;
        let mut codes = Vec::new();
        for _ in 0..3 {
            codes.push(sent(server, request(tenant, JANE)).await);
            server.pass(Duration::from_secs(1));
        }
        let faults = async |(token, code): &(String, String)| fault(server, attempt(tenant, JANE, token, code)).await;
        assert_eq!(faults(&codes[0]).await, Some(CodeFault::Token));
        assert_eq!((faults(&codes[1]).await, faults(&codes[2]).await), (None, None));
    }
);

on_both_databases!(
    async fn two_codes_share_five_tries(server: Server) {
        let tenant = &server.tenant;
        let first = sent(&server, request(tenant, JANE)).await;
        server.pass(Duration::from_secs(30));
        let second = sent(&server, request(tenant, JANE)).await;
        let bad = |code: &(String, String)| (code.0.clone(), wrong(&code.1));
        for (token, code) in [bad(&first), bad(&second), bad(&first), bad(&first), bad(&second)] {
            assert_eq!(fault(&server, attempt(tenant, JANE, &token, &code)).await, Some(CodeFault::Code));
        }
        for (token, code) in [&first, &second] {
            assert_eq!(fault(&server, attempt(tenant, JANE, token, code)).await, Some(CodeFault::Token));
        }
        // A new code has five tries of its own, and gives none back to the one before it.
        server.pass(Duration::from_secs(30));
        let (token, code) = sent(&server, request(tenant, JANE)).await;
        assert_eq!(fault(&server, attempt(tenant, JANE, &second.0, &second.1)).await, Some(CodeFault::Token));
        assert_eq!(fault(&server, attempt(tenant, JANE, &token, &code)).await, None);
    }
);

on_both_databases!(
    async fn using_one_of_two_codes_uses_up_the_other(server: Server) {
        let tenant = &server.tenant;
        let first = sent(&server, request(tenant, JANE)).await;
        server.pass(Duration::from_secs(30));
        let second = sent(&server, request(tenant, JANE)).await;
        let proof = prove(&server, attempt(tenant, JANE, &first.0, &first.1)).await.unwrap();
        let other = prove(&server, attempt(tenant, JANE, &second.0, &second.1)).await.unwrap();
        server.app.store().use_code(proof.code_id()).await.unwrap();
        let used = server.app.store().use_code(other.code_id()).await;
        assert!(matches!(used, Err(Error::Code(CodeFault::Used))), "{used:?}");
        assert_eq!(fault(&server, attempt(tenant, JANE, &second.0, &second.1)).await, Some(CodeFault::Token));
    }
);

on_both_databases!(
    async fn codes_for_another_application_neither_end_a_code_nor_its_tries(server: Server) {
        let tenant = &server.tenant;
        let of =
            |application| CodeRequest { usage: Usage::Login, application: Some(application), ..request(tenant, JANE) };
        let from = |application, token, code| CodeAttempt {
            usage: Usage::Login,
            application: Some(application),
            ..attempt(tenant, JANE, token, code)
        };
        let mine = sent(&server, of("mine")).await;
        server.pass(Duration::from_secs(30));
        let theirs = sent(&server, of("theirs")).await;
        let other = wrong(&theirs.1);
        for _ in 0..5 {
            let guess = from("theirs", &theirs.0, &other);
            assert_eq!(fault(&server, guess).await, Some(CodeFault::Code));
        }
        assert_eq!(fault(&server, from("mine", &mine.0, &mine.1)).await, None);
    }
);

on_both_databases!(
    async fn a_stored_code_contains_no_address_token_or_digits_in_clear(server: Server) {
        let tenant = &server.tenant;
        let (token, code) = sent(&server, request(tenant, JANE)).await;
        server.pass(Duration::from_secs(30));
        let (newer_token, newer_code) = sent(&server, request(tenant, JANE)).await;
        let stored = match server.database().url().starts_with("sqlite:") {
            true => {
                "SELECT hex(slot) || hex(id) || hex(token) || hex(binding) || hex(code) || hex(contact) || hex(older_id) || \
                 hex(older_token) || hex(older_binding) || hex(older_code) || hex(older_contact) FROM one_time_code"
            }
            false => {
                "SELECT upper(encode(slot || uuid_send(id) || token || binding || code || contact || uuid_send(older_id) || \
                 older_token || older_binding || older_code || older_contact, 'hex')) FROM one_time_code"
            }
        };
        let stored = server.database().rows(stored).await.join("");
        // The slot, and for each code three hashes, an identifier, and the sealed address with its nonce and tag.
        assert_eq!(stored.len(), 2 * (32 + 2 * (3 * 32 + 16 + 12 + JANE.len() + 16)));
        for clear in [JANE, &token, &code, &newer_token, &newer_code] {
            let hex: String = clear.bytes().map(|byte| format!("{byte:02X}")).collect();
            assert!(!stored.contains(&hex), "{clear}");
        }
    }
);

on_both_databases!(
    async fn a_code_without_its_stored_address_proves_nothing(server: Server) {
        let tenant = &server.tenant;
        let (token, code) = sent(&server, request(tenant, JANE)).await;
        let offer = || attempt(tenant, JANE, &token, &code);
        let outstanding = async || server.app.codes().is_mismatched(Usage::UpdateUserinfo, &token).await.unwrap();
        assert!(outstanding().await);
        server.database().execute("UPDATE one_time_code SET contact = NULL").await;
        assert_eq!(fault(&server, offer()).await, Some(CodeFault::Token));
        assert!(!outstanding().await);
    }
);

on_both_databases!(
    async fn a_code_with_the_stored_address_of_another_code_proves_nothing(server: Server) {
        let tenant = &server.tenant;
        sent(&server, CodeRequest { usage: Usage::Login, ..request(tenant, "jo@example.com") }).await;
        let (token, code) = sent(&server, request(tenant, JANE)).await;
        let lengths = "SELECT DISTINCT length(contact) FROM one_time_code ORDER BY 1";
        assert_eq!(server.database().rows(lengths).await, ["42", "44"]);
        // An instance of an earlier version leaves this state: it replaces a code but not its address.
        let other = "UPDATE one_time_code SET contact = (SELECT contact FROM one_time_code WHERE length(contact) = 42)";
        server.database().execute(other).await;
        assert_eq!(fault(&server, attempt(tenant, JANE, &token, &code)).await, Some(CodeFault::Token));
    }
);
