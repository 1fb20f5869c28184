//! Concurrent requests on two instances.

use selfsame::account::history::ChangeContext;
use selfsame::account::{Contract, Error, Patch};
use selfsame::app::App;
use selfsame::clock::Clock;
use selfsame::code::CodeFault;
use selfsame::outbox::Delivery;

use super::{JANE, attempt, request, sent, wrong};
use crate::support::Server;

/// The server's instance and another one on the same database.
async fn instances(server: &Server) -> [App; 2] {
    let config = server.app.config().clone();
    let clock = Clock::Hand(std::sync::Arc::new(server.app.now().as_microsecond().into()));
    [server.app.clone(), App::start_with(config, clock, Delivery::Mailbox).await.unwrap()]
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
