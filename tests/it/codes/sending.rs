//! How a code is sent, and how often.

use std::time::Duration;

use selfsame::account::{Error, Medium};
use selfsame::code::{CodeAttempt, CodeFault, CodeRequest, Usage};
use selfsame::language::Language;
use selfsame::outbox::Delivery;

use super::{JANE, PHONE, attempt, digits, fault, mails, newest, request, sent};
use crate::support::{Database, Server, until};

on_both_databases!(
    async fn a_code_comes_in_the_persons_language_as_text_and_as_a_page(server: Server) {
        for (language, subject, first, last) in [
            (Language::English, "Your code", "Your code to confirm this address:", "It is valid for 60 seconds."),
            (Language::Chinese, "您的验证码", "用于确认此地址的验证码：", "有效期 60 秒。"),
            (Language::TraditionalChinese, "您的驗證碼", "用於確認此地址的驗證碼：", "有效期限 60 秒。"),
            (
                Language::Japanese,
                "認証コードのお知らせ",
                "この連絡先を確認するための認証コード：",
                "有効期間は 60 秒です。",
            ),
            (
                Language::Vietnamese,
                "Mã xác thực của bạn",
                "Mã xác nhận địa chỉ này của bạn:",
                "Mã có hiệu lực trong 60 giây.",
            ),
        ] {
            let (_, code) = sent(&server, CodeRequest { language, ..request(&server.tenant, JANE) }).await;
            let mail = newest(&server);
            assert_eq!((mail.medium, mail.to.as_str(), mail.subject.as_deref()), ("email", JANE, Some(subject)));
            assert!(mail.text.starts_with(&format!("{first}\n\n    {code}\n\n{last}\n")), "{}", mail.text);
            let page = mail.html.unwrap();
            for part in
                [&format!("<html lang=\"{}\">", language.tag()), first, &format!("<strong>{code}</strong>"), last]
            {
                assert!(page.contains(part), "{page}");
            }
            server.pass(Duration::from_secs(30));
        }
    }
);

on_both_databases!(
    async fn a_short_message_has_neither_subject_nor_page(server: Server) {
        let (_, code) = sent(&server, CodeRequest { usage: Usage::Login, ..request(&server.tenant, PHONE) }).await;
        let mail = newest(&server);
        assert_eq!((mail.medium, mail.to.as_str(), mail.subject, mail.html), ("sms", PHONE, None, None));
        let text =
            "It is valid for 60 seconds. Do not give it to anybody. If you did not ask for it, ignore this message.";
        assert_eq!(mail.text, format!("Your code to sign in: {code}\n{text}"));
    }
);

#[tokio::test]
async fn codes_follow_the_configuration_of_their_use() {
    let settings = [
        ("SELFSAME__CODES__LOGIN__LENGTH", "8"),
        ("SELFSAME__CODES__LOGIN__LIFETIME", "3m"),
        ("SELFSAME__CODES__LOGIN__TOKEN_LIFETIME", "4m"),
        ("SELFSAME__CODES__LOGIN__TRIES", "1"),
        ("SELFSAME__CODES__LOGIN__INTERVAL", "1s"),
        ("SELFSAME__CODES__LOGIN__PER_DAY", "2"),
    ];
    let server = Server::with(Database::sqlite(), &settings).await;
    let tenant = &server.tenant;
    let login_request = || CodeRequest { usage: Usage::Login, ..request(tenant, JANE) };
    let (token, code) = sent(&server, login_request()).await;
    let offer = |code| CodeAttempt { usage: Usage::Login, ..attempt(tenant, JANE, &token, code) };
    assert_eq!(code.len(), 8);
    assert!(newest(&server).text.contains("It is valid for 3 minutes."));
    assert_eq!(fault(&server, offer("00000000")).await, Some(CodeFault::Code));
    assert_eq!(fault(&server, offer(&code)).await, Some(CodeFault::Token));
    server.pass(Duration::from_secs(1));
    sent(&server, login_request()).await;
    server.pass(Duration::from_secs(599));
    assert!(matches!(
        server.app.codes().send(login_request()).await,
        Err(Error::Code(CodeFault::TooOften { medium: Medium::Email, .. }))
    ));
}

on_both_databases!(
    async fn an_address_gets_one_code_in_30_seconds_and_50_in_a_day_for_each_use(server: Server) {
        let tenant = &server.tenant;
        let too_often = async |usage, address| {
            let context = "an account";
            let sent = server.app.codes().send(CodeRequest { usage, context, ..request(tenant, address) }).await;
            matches!(sent, Err(Error::Code(CodeFault::TooOften { .. })))
        };
        for usage in Usage::ALL {
            assert!(!too_often(usage, JANE).await, "{usage:?}");
        }
        server.pass(Duration::from_millis(29_999));
        for usage in Usage::ALL {
            assert!(too_often(usage, "JANE@example.com").await, "{usage:?}");
        }
        assert!(!too_often(Usage::Signup, "jo@example.com").await);
        server.pass(Duration::from_millis(1));
        for number in 2..=50 {
            assert!(!too_often(Usage::Signup, JANE).await, "{number}");
            server.pass(Duration::from_secs(30));
        }
        assert!(too_often(Usage::Signup, JANE).await);
        // A day after the first code; 50 half minutes have passed already.
        server.pass(Duration::from_secs(24 * 3600 - 50 * 30 - 1));
        assert!(too_often(Usage::Signup, JANE).await);
        server.pass(Duration::from_secs(1));
        assert!(!too_often(Usage::Signup, JANE).await);
        assert_eq!(mails(&server).len(), 5 + 1 + 49 + 1);
    }
);

on_both_databases!(
    async fn another_tenant_counts_for_itself(server: Server) {
        let other = server.add_tenant("other").await;
        sent(&server, request(&server.tenant, JANE)).await;
        sent(&server, request(&other, JANE)).await;
    }
);

#[tokio::test]
async fn the_limits_of_an_address_and_of_sign_in_beyond_them_follow_the_configuration() {
    let settings = [
        ("SELFSAME__CODES__ADDRESS_PER_DAY", "2"),
        ("SELFSAME__CODES__EXTRA_LOGIN_INTERVAL", "2m"),
        ("SELFSAME__CODES__LOGIN__INTERVAL", "3m"),
    ];
    let server = Server::with(Database::sqlite(), &settings).await;
    let passes =
        async |usage| server.app.codes().send(CodeRequest { usage, ..request(&server.tenant, JANE) }).await.is_ok();
    assert!(passes(Usage::Signup).await && passes(Usage::UpdateUserinfo).await);
    assert!(!passes(Usage::ResetPassword).await);
    assert!(passes(Usage::Login).await);
    // The longer of the two intervals applies.
    server.pass(Duration::from_secs(179));
    assert!(!passes(Usage::Login).await);
    server.pass(Duration::from_secs(1));
    assert!(passes(Usage::Login).await);
}

/// A mail server that refuses everything must not make the extra codes to sign in unlimited.
#[tokio::test]
async fn a_failed_delivery_does_not_end_the_interval_of_an_extra_code() {
    let settings = [
        ("SELFSAME__CODES__LOGIN__PER_DAY", "1"),
        ("SELFSAME__SMTP__HOST", "127.0.0.1"),
        ("SELFSAME__SMTP__PORT", "1"),
        ("SELFSAME__SMTP__SECURITY", "none"),
        ("SELFSAME__SMTP__FROM", "no-reply@example.com"),
    ];
    let server = Server::delivering(Database::sqlite(), &settings, Delivery::Configured).await;
    let send = async || {
        server.app.codes().send(CodeRequest { usage: Usage::Login, ..request(&server.tenant, JANE) }).await.err()
    };
    for _ in 0..2 {
        assert!(matches!(send().await, Some(Error::Unavailable(_))));
    }
    server.pass(Duration::from_secs(599));
    assert!(matches!(send().await, Some(Error::Code(CodeFault::TooOften { medium: Medium::Email, .. }))));
    server.pass(Duration::from_secs(1));
    assert!(matches!(send().await, Some(Error::Unavailable(_))));
}

on_both_databases!(
    async fn codes_that_are_not_delivered_count_and_prove_nothing(server: Server) {
        let tenant = &server.tenant;
        let quiet = || CodeRequest { deliver: false, ..request(tenant, JANE) };
        let silent = server.app.codes().send(quiet()).await.unwrap();
        assert_eq!(mails(&server).len(), 0);
        assert!(matches!(
            server.app.codes().send(quiet()).await,
            Err(Error::Code(CodeFault::TooOften { medium: Medium::Email, .. }))
        ));
        let (token, _) = sent(&server, request(tenant, "jo@example.com")).await;
        assert_eq!(silent.token.len(), token.len());
        for code in ["000000", "123456", "", &"0".repeat(64)] {
            let offer = attempt(tenant, JANE, &silent.token, code);
            assert_eq!(fault(&server, offer).await, Some(CodeFault::Code));
        }
    }
);

#[tokio::test]
async fn without_a_transport_nothing_is_sent_and_the_error_names_the_setting() {
    let server = Server::delivering(Database::sqlite(), &[], Delivery::Configured).await;
    for (address, deliver, setting) in
        [(JANE, true, "smtp.host"), (JANE, false, "smtp.host"), (PHONE, true, "sms.url"), (PHONE, false, "sms.url")]
    {
        let sent = server.app.codes().send(CodeRequest { deliver, ..request(&server.tenant, address) }).await;
        let Err(Error::Unavailable(cause)) = sent else { panic!("a message left without a way out") };
        assert!(cause.to_string().contains(setting), "{cause}");
    }
    assert_eq!(server.database().rows("SELECT count(*) FROM one_time_code").await, ["0"]);
    assert_eq!(server.database().rows("SELECT count(*) FROM sent_code").await, ["0"]);
}

on_both_databases!(
    async fn a_running_server_deletes_expired_codes(server: Server) {
        sent(&server, request(&server.tenant, JANE)).await;
        server.pass(Duration::from_secs(24 * 3600));
        // The server deletes expired rows when it starts, and twice a minute after that.
        let server = server.delivering_like(Delivery::Mailbox).await;
        until(async || {
            let query = "SELECT (SELECT count(*) FROM one_time_code) + (SELECT count(*) FROM sent_code)";
            server.database().rows(query).await == ["0"]
        })
        .await;
    }
);

on_both_databases!(
    async fn every_digit_is_as_likely_as_any_other(server: Server) {
        let mut counts = [0_u32; 10];
        for number in 0..200 {
            sent(&server, request(&server.tenant, &format!("jane{number}x@example.com"))).await;
            for digit in digits(&newest(&server)).bytes() {
                counts[usize::from(digit - b'0')] += 1;
            }
        }
        // 1200 digits: 120 of each are expected, with a standard deviation of 10.4. The bounds are seven deviations away.
        assert!(counts.iter().all(|count| (48..=192).contains(count)), "{counts:?}");
    }
);
