//! Concurrent requests on two instances.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use selfsame::account::history::ChangeContext;
use selfsame::account::{Contract, Error, Patch};
use selfsame::app::App;
use selfsame::clock::Clock;
use selfsame::code::{CodeFault, CodeRequest, Usage};
use selfsame::outbox::Delivery;

use super::{JANE, attempt, request, sent, wrong};
use crate::support::Server;

/// The server's instance and another one on the same database.
async fn instances(server: &Server) -> [App; 2] {
    let hand = Arc::new(AtomicI64::new(server.app.now().as_microsecond()));
    [server.app.clone(), instance(server, &hand).await]
}

/// Another instance on the server's database, with a clock that is set by hand.
async fn instance(server: &Server, hand: &Arc<AtomicI64>) -> App {
    App::start_with(server.app.config().clone(), Clock::Hand(hand.clone()), Delivery::Mailbox).await.unwrap()
}

on_both_databases!(
    async fn five_of_200_concurrent_wrong_guesses_are_compared(server: Server) {
        let (token, code) = sent(&server, request(&server.tenant, JANE)).await;
        let instances = instances(&server).await;
        let guesses: Vec<_> = (0..200)
            .map(|guess| {
                let app = instances[guess % 2].clone();
                let (tenant, token, code) = (server.tenant.clone(), token.clone(), wrong(&code));
                tokio::spawn(async move {
                    match app.codes().prove(attempt(&tenant, JANE, &token, &code)).await {
                        Err(Error::Code(fault)) => fault,
                        other => panic!("{other:?}"),
                    }
                })
            })
            .collect();
        let mut compared = 0;
        for guess in guesses {
            match guess.await.unwrap() {
                CodeFault::Code => compared += 1,
                fault => assert_eq!(fault, CodeFault::Token),
            }
        }
        assert_eq!(compared, 5);
        assert_eq!(server.database().rows("SELECT tries FROM one_time_code").await, ["5"]);
    }
);

on_both_databases!(
    async fn one_of_20_concurrent_uses_of_a_code_succeeds(server: Server) {
        let account = server.person(&[]).await;
        let (token, code) = sent(&server, request(&server.tenant, JANE)).await;
        let instances = instances(&server).await;
        let uses: Vec<_> = (0..20)
            .map(|number| {
                let app = instances[number % 2].clone();
                let (account, tenant, token, code) =
                    (account.clone(), server.tenant.clone(), token.clone(), code.clone());
                tokio::spawn(async move {
                    let proof = app.codes().prove(attempt(&tenant, JANE, &token, &code)).await?;
                    let context = ChangeContext::owner(Contract::RiverGen, "");
                    app.profiles().update_proved(account, Patch::default(), vec![proof], context, |_| Ok(())).await
                })
            })
            .collect();
        let mut successes = 0;
        for used in uses {
            match used.await.unwrap() {
                Ok(account) => {
                    assert!(account.email_verified);
                    successes += 1;
                }
                Err(Error::Code(CodeFault::Used) | Error::Code(CodeFault::Token)) => {}
                Err(other) => panic!("{other:?}"),
            }
        }
        assert_eq!(successes, 1);
        assert_eq!(server.account(&account).await.version, 2);
        assert_eq!(server.database().rows("SELECT count(*) FROM one_time_code").await, ["0"]);
    }
);

on_both_databases!(
    async fn one_of_many_concurrent_requests_on_two_instances_is_sent(server: Server) {
        let instances = instances(&server).await;
        let requests: Vec<_> = (0..20)
            .map(|number| {
                let (app, tenant) = (instances[number % 2].clone(), server.tenant.clone());
                tokio::spawn(async move { app.codes().send(request(&tenant, JANE)).await.is_ok() })
            })
            .collect();
        let mut sent = 0;
        for request in requests {
            sent += usize::from(request.await.unwrap());
        }
        assert_eq!(sent, 1);
        let mails = instances.iter().map(|app| app.outbox().mailbox().unwrap().mails().len());
        assert_eq!(mails.sum::<usize>(), 1);
    }
);

on_both_databases!(
    async fn the_limits_count_the_codes_of_every_instance(server: Server) {
        let hand = Arc::new(AtomicI64::new(server.app.now().as_microsecond()));
        let instances = [instance(&server, &hand).await, instance(&server, &hand).await];
        let passes = async |number: usize, usage| {
            let request = CodeRequest { usage, ..request(&server.tenant, JANE) };
            instances[number % 2].codes().send(request).await.is_ok()
        };
        let pass = |seconds: i64| hand.fetch_add(seconds * 1_000_000, Ordering::SeqCst);
        for number in 0..50 {
            assert!(passes(number, Usage::Signup).await, "{number}");
            assert!(!passes(number + 1, Usage::Signup).await, "two codes in one interval");
            pass(30);
        }
        for number in 0..50 {
            assert!(passes(number, Usage::UpdateUserinfo).await, "{number}");
            pass(30);
        }
        for number in 0..2 {
            assert!(!passes(number, Usage::ResetPassword).await, "more than a hundred codes");
        }
        assert!(passes(0, Usage::Login).await);
        pass(599);
        assert!(!passes(1, Usage::Login).await);
        pass(1);
        assert!(passes(1, Usage::Login).await);
    }
);

on_both_databases!(
    async fn five_of_200_concurrent_wrong_guesses_at_two_codes_are_compared(server: Server) {
        let first = sent(&server, request(&server.tenant, JANE)).await;
        server.pass(std::time::Duration::from_secs(30));
        let second = sent(&server, request(&server.tenant, JANE)).await;
        let instances = instances(&server).await;
        let guesses: Vec<_> = (0..200)
            .map(|guess| {
                let app = instances[guess % 2].clone();
                let (token, code) = [&first, &second][guess / 2 % 2].clone();
                let tenant = server.tenant.clone();
                tokio::spawn(async move { app.codes().prove(attempt(&tenant, JANE, &token, &wrong(&code))).await })
            })
            .collect();
        let mut compared = 0;
        for guess in guesses {
            match guess.await.unwrap() {
                Err(Error::Code(CodeFault::Code)) => compared += 1,
                other => assert!(matches!(other, Err(Error::Code(CodeFault::Token))), "{other:?}"),
            }
        }
        assert_eq!(compared, 5);
    }
);
