//! Notices to verified addresses that are removed from an account.

use std::time::Duration;

use selfsame::account::{AccessFault, Account, Contract, Edit, Field, Medium, Patch};
use selfsame::outbox::{Delivery, mailbox::Mail};

use crate::support::{Answer, Database, Server, patch, until};

const PHONE: &str = "+1987654321";

/// An account with a verified phone number and e-mail address.
async fn proved(server: &Server) -> Account {
    let mut patch = patch(&[
        (Field::GivenName, "John"),
        (Field::FamilyName, "Doe"),
        (Field::Phone, PHONE),
        (Field::Email, "john@example.com"),
        (Field::Language, "ja"),
    ]);
    (patch.phone_verified, patch.email_verified) = (Some(true), Some(true));
    server.person_with(&server.tenant, patch).await
}

async fn system(server: &Server, account: &Account, body: &'static str) -> Answer {
    let token = server.token(account, Contract::System).await;
    let request = server.request("POST", "/web/v1/system/profile/update").bearer(&token).header("X-Client-Hash", "d1");
    let answer = request.json(body).send().await;
    assert_eq!(answer.status, 200, "{answer}");
    answer
}

fn mails(server: &Server) -> Vec<Mail> {
    server.app.outbox().mailbox().unwrap().mails()
}

/// The number of notices that wait for delivery.
async fn waiting(server: &Server) -> String {
    server.database().rows("SELECT count(*) FROM notice").await.remove(0)
}

on_both_databases!(
    async fn a_number_that_system_replaces_gets_a_notice_in_the_persons_language(server: Server) {
        let account = proved(&server).await;
        system(&server, &account, r#"{"accountPhone":"+1555"}"#).await;
        until(async || mails(&server).len() == 1 && waiting(&server).await == "0").await;
        let notice = mails(&server).remove(0);
        assert_eq!((notice.medium, notice.to.as_str(), notice.subject), ("sms", PHONE, None));
        let first = "この電話番号は、お客様のアカウントの確認済み番号ではなくなりました。";
        assert_eq!(notice.text, format!("{first} お心当たりがない場合は、サービスの運営者にご連絡ください。"));
    }
);

on_both_databases!(
    async fn a_number_that_cl2c_erases_gets_a_notice(server: Server) {
        let account = proved(&server).await;
        let back_end = server.back_end(&server.tenant, Some(account.id)).await;
        let request = server.request("PUT", "/v1/cl2c/user").header("tenant", &back_end.tenant);
        let request = request.header("X-API-Key", &back_end.secret);
        let answer = request.json(r#"{"firstName":"John","lastName":"Doe","phoneNumber":null}"#).send().await;
        assert_eq!(answer.status, 200, "{answer}");
        until(async || mails(&server).len() == 1).await;
        assert_eq!(mails(&server)[0].to, PHONE);
    }
);

on_both_databases!(
    async fn a_change_that_removes_no_verified_address_sends_no_notice(server: Server) {
        let account = proved(&server).await;
        // The same number in another spelling, another field, and a change by an operator.
        system(&server, &account, r#"{"accountPhone":"+1 987 654 321"}"#).await;
        system(&server, &account, r#"{"accountName":"John"}"#).await;
        server.operate(&account, patch(&[(Field::Email, "other@example.com")])).await;
        let unproved = server.person(&[(Field::Phone, PHONE)]).await;
        system(&server, &unproved, r#"{"accountPhone":"+1555"}"#).await;
        assert_eq!(waiting(&server).await, "0");
        assert_eq!(mails(&server).len(), 0);
    }
);

on_both_databases!(
    async fn a_refused_change_sends_no_notice(server: Server) {
        let account = proved(&server).await;
        let mut patch = Patch::default();
        patch.edit(Field::Phone, Edit::Clear);
        let context = selfsame::account::history::ChangeContext::owner(Contract::System, "");
        let refuse = |_: &Account| Err(selfsame::account::Error::Access(AccessFault::Denied));
        server.app.profiles().update(account, patch, context, refuse).await.unwrap_err();
        assert_eq!(waiting(&server).await, "0");
    }
);

on_both_databases!(
    async fn a_waiting_notice_is_sealed(server: Server) {
        let server = Server::delivering_like(server, Delivery::Configured).await;
        let account = proved(&server).await;
        system(&server, &account, r#"{"accountPhone":""}"#).await;
        let sealed = match server.database().url().starts_with("sqlite:") {
            true => "SELECT hex(sealed) FROM notice",
            false => "SELECT upper(encode(sealed, 'hex')) FROM notice",
        };
        let sealed = server.database().rows(sealed).await;
        assert_eq!(sealed.len(), 1);
        let number: String = "987654321".bytes().map(|byte| format!("{byte:02X}")).collect();
        assert!(!sealed[0].contains(&number));
    }
);

on_both_databases!(
    async fn without_a_transport_a_notice_waits_until_it_expires(server: Server) {
        let server = Server::delivering_like(server, Delivery::Configured).await;
        let account = proved(&server).await;
        system(&server, &account, r#"{"accountPhone":""}"#).await;
        server.app.notices().deliver_due(Medium::Sms).await.unwrap();
        assert_eq!(server.database().rows("SELECT attempts FROM notice").await, ["0"]);
        server.pass(Duration::from_secs(24 * 3600 - 1));
        server.app.notices().forget_expired().await.unwrap();
        assert_eq!(waiting(&server).await, "1");
        server.pass(Duration::from_secs(1));
        server.app.notices().forget_expired().await.unwrap();
        assert_eq!(waiting(&server).await, "0");
    }
);

#[tokio::test]
async fn a_notice_that_waited_is_delivered_by_the_next_instance() {
    let first = Server::delivering(Database::sqlite(), &[], Delivery::Configured).await;
    let account = proved(&first).await;
    system(&first, &account, r#"{"accountPhone":""}"#).await;
    assert_eq!(waiting(&first).await, "1");
    let second = Server::delivering_like(first, Delivery::Mailbox).await;
    until(async || mails(&second).len() == 1 && waiting(&second).await == "0").await;
    assert_eq!(mails(&second)[0].to, PHONE);
}
