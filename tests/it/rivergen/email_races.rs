//! Concurrent changes of the e-mail address, and changes that a killed program interrupts.

use std::time::Duration;

use selfsame::account::Field;

use super::Jane;
use super::email::{NEW, REQUEST, VERIFY, other, refused};
use crate::support::{Installation, Request, Server};

on_both_databases!(
    async fn one_of_two_accounts_that_prove_one_address_gets_it(server: Server) {
        for round in 0..10 {
            let address = format!("rivals{round}@example.com");
            let rivals = [Jane::unknown(&server).await, Jane::unknown(&server).await];
            let first = rivals[0].code_for(&address).await;
            server.pass(Duration::from_secs(30));
            let codes = [first, rivals[1].code_for(&address).await];
            let [first, second] = [0, 1].map(|rival| rivals[rival].bring(&address, &codes[rival]));
            let (first, second) = tokio::join!(first, second);
            let winner = usize::from(first.status != 200);
            let loser = [&second, &first][winner];
            assert_eq!([&first, &second][winner].status, 200);
            assert_eq!(refused(loser), (400, "EMAIL_UPDATE_VERIFY_FAILED".to_owned()));
            assert!(rivals[winner].stored().await.email_verified);
            assert_eq!(rivals[1 - winner].stored().await.text(Field::Email), None);
        }
    }
);

on_both_databases!(
    async fn of_20_concurrent_uses_of_a_code_one_changes_the_address(server: Server) {
        let jane = Jane::new(&server).await;
        let code = jane.code_for(NEW).await;
        let body = format!(r#"{{"new_email":"{NEW}","otp_code":"{code}"}}"#);
        let brought: Vec<_> =
            (0..20).map(|_| tokio::spawn(jane.request("POST", VERIFY).json(body.clone()).send())).collect();
        let mut succeeded = 0;
        for answer in brought {
            let answer = answer.await.unwrap();
            match answer.status.as_u16() {
                200 => succeeded += 1,
                _ => assert_eq!(refused(&answer), (400, "EMAIL_UPDATE_VERIFY_FAILED".to_owned())),
            }
        }
        // Five tries are compared before the change; those after it, and those that meet it, repeat it.
        assert!(succeeded >= 1);
        assert_eq!(server.app.store().history(jane.account.id, 1, 100).await.unwrap().len(), 1);
    }
);

/// The addresses and the token of a running `dev`.
struct Dev {
    base_url: String,
    mailbox_url: String,
    token: String,
}

impl Dev {
    fn read(line: &str) -> Dev {
        let printed: serde_json::Value = serde_json::from_str(line).unwrap();
        let text = |pointer| printed.pointer(pointer).unwrap().as_str().unwrap().to_owned();
        Dev { base_url: text("/base_url"), mailbox_url: text("/mailbox_url"), token: text("/contracts/rivergen/token") }
    }

    async fn post(&self, path: &str, body: String) -> crate::support::Answer {
        let request = Request::new(&reqwest::Client::new(), "POST", &format!("{}{path}", self.base_url));
        request.bearer(&self.token).json(body).send().await
    }

    async fn verify(&self, code: &str) -> (u16, String) {
        refused(&self.post(VERIFY, format!(r#"{{"new_email":"{NEW}","otp_code":"{code}"}}"#)).await)
    }
}

on_both_databases!(
    async fn a_request_and_its_tries_survive_a_program_that_was_killed(installation: Installation) {
        let mut first = installation.spawn(&["dev", "--json", "--listen", "127.0.0.1:0"]);
        let dev = Dev::read(&first.output.wait_for(|_| true));
        let asked = dev.post(REQUEST, format!(r#"{{"new_email":"{NEW}"}}"#)).await;
        assert_eq!(asked.status, 200, "{asked}");
        let mailbox = Request::new(&reqwest::Client::new(), "GET", &dev.mailbox_url);
        let mails = mailbox.header("Accept", "application/json").send().await.json();
        let text = mails[0]["text"].as_str().unwrap();
        let code = text.split_whitespace().find(|word| word.len() == 6 && word.parse::<u32>().is_ok()).unwrap();
        for _ in 0..4 {
            assert_eq!(dev.verify(other(code)).await, (400, "INVALID_OTP".to_owned()));
        }
        // Kills the program instead of stopping it.
        drop(first);
        let mut second = installation.spawn(&["dev", "--json", "--listen", "127.0.0.1:0"]);
        let dev = Dev::read(&second.output.wait_for(|_| true));
        assert_eq!(dev.verify(code).await.0, 200, "the fifth try with the correct code was refused");
        assert_eq!(dev.verify(other(code)).await, (400, "EMAIL_UPDATE_VERIFY_FAILED".to_owned()));
        second.terminate();
        assert_eq!(second.end().code, Some(0));
    }
);
