//! Concurrent changes: no acknowledged change is lost, no client starves, and unique values stay unique.

use selfsame::account::history::ChangeContext;
use selfsame::account::{Account, Contract, Error, Field, Patch, Status, Unique};
use selfsame::json::Value;
use selfsame::profile::audit;

use crate::support::{Server, patch};

const CLIENTS: usize = 64;
const UPDATES: usize = 5;
/// Fields that the account may write: the name in the contract and the name in the history.
const FIELDS: [(&str, &str); 5] = [
    ("accountName", "display_name"),
    ("accountPhone", "phone"),
    ("defaultLanguage", "language"),
    ("defaultTimezone", "time_zone"),
    ("defaultCountry", "country"),
];

/// One field of one entry of a history.
#[derive(Debug, PartialEq)]
struct Written {
    field: String,
    before: Option<String>,
    after: Option<String>,
}

/// Returns the changes of each entry of an account's history, oldest first. Checks that the chain is valid, that the
/// versions have no gaps, and that each change begins with the value that the last change of its field wrote.
async fn whole_history(server: &Server, account: &Account) -> Vec<Vec<Written>> {
    let account = server.account(account).await;
    let entries = server.app.store().history(account.id, 0, 10_000).await.unwrap();
    let sequences: Vec<i64> = entries.iter().map(|entry| entry.metadata.sequence).collect();
    assert_eq!(sequences, Vec::from_iter(1..=account.version));
    let verdict = server.app.profiles().verify(&account).await.unwrap();
    assert_eq!(verdict, audit::Verdict::Whole { entries: account.version, erased: 0 });

    let mut present = std::collections::HashMap::new();
    let mut history = Vec::new();
    for entry in &entries {
        let payload = server.app.profiles().payload(entry).unwrap().into_object().unwrap();
        let Some(Value::Array(changes)) = payload.get("changes") else { panic!("a payload without changes") };
        let text = |change: &Value, name: &str| change.clone().into_object().unwrap().get(name).cloned().unwrap();
        let written = changes.iter().map(|change| Written {
            field: text(change, "field").as_str().unwrap().to_owned(),
            before: text(change, "before").as_str().map(str::to_owned),
            after: text(change, "after").as_str().map(str::to_owned),
        });
        let written: Vec<Written> = written.collect();
        for Written { field, before, after } in &written {
            if let Some(last) = present.insert(field.clone(), after.clone()) {
                assert_eq!(*before, last, "entry {}: {field}", entry.metadata.sequence);
            }
        }
        history.push(written);
    }
    for (_, name) in FIELDS {
        let stored = account.text(Field::from_name(name).unwrap()).map(str::to_owned);
        assert_eq!(present.remove(name).flatten(), stored, "the last entry about {name} says what is stored");
    }
    history
}

/// Lets each client write its own values into its field, one after the other. Checks that every answer shows the value just
/// written, and that the history contains exactly these values, in order for each client.
async fn race(server: &Server, field_of: fn(usize) -> (&'static str, &'static str)) {
    let account = server.person(&[(Field::DisplayName, "Nobody yet")]).await;
    let token = server.token(&account, Contract::System).await;
    let clients = (0..CLIENTS).map(|client| {
        let (wire, _) = field_of(client);
        let bodies = (0..UPDATES).map(move |update| (wire, format!("{client}/{update}")));
        let requests = bodies.map(|(wire, value)| {
            let request = server.request("POST", "/web/v1/system/profile/update");
            let request = request.bearer(&token).header("X-Client-Hash", "d1");
            (wire, value.clone(), request.json(format!(r#"{{"{wire}":"{value}"}}"#)))
        });
        let requests: Vec<_> = requests.collect();
        tokio::spawn(async move {
            for (wire, value, request) in requests {
                let answer = request.send().await;
                assert_eq!(answer.status, 200, "{answer}");
                assert_eq!(answer.json()["data"][wire], value);
            }
        })
    });
    for client in clients.collect::<Vec<_>>() {
        client.await.unwrap();
    }

    let history = whole_history(server, &account).await;
    assert_eq!(history.len(), 1 + CLIENTS * UPDATES);
    for client in 0..CLIENTS {
        let (_, name) = field_of(client);
        let own =
            |written: &&Written| written.after.as_ref().is_some_and(|after| after.starts_with(&format!("{client}/")));
        let kept: Vec<(&str, &str)> = history[1..]
            .iter()
            .inspect(|entry| assert_eq!(entry.len(), 1))
            .flatten()
            .filter(own)
            .map(|written| (written.field.as_str(), written.after.as_deref().unwrap()))
            .collect();
        let sent: Vec<String> = (0..UPDATES).map(|update| format!("{client}/{update}")).collect();
        let sent: Vec<(&str, &str)> = sent.iter().map(|value| (name, value.as_str())).collect();
        assert_eq!(kept, sent);
    }
}

on_both_databases!(
    async fn concurrent_changes_of_one_field_are_all_made_and_recorded_in_order(server: Server) {
        race(&server, |_| FIELDS[0]).await;
    }
);

on_both_databases!(
    async fn concurrent_changes_of_different_fields_are_all_made(server: Server) {
        race(&server, |client| FIELDS[client % FIELDS.len()]).await;
    }
);

on_both_databases!(
    async fn a_change_that_a_concurrent_one_already_made_is_made_once(server: Server) {
        let account = server.person(&[]).await;
        let token = server.token(&account, Contract::System).await;
        let updates: Vec<_> = (0..CLIENTS)
            .map(|_| {
                let request = server.request("POST", "/web/v1/system/profile/update");
                let request = request.bearer(&token).header("X-Client-Hash", "d1").json(r#"{"accountName":"Jane"}"#);
                tokio::spawn(request.send())
            })
            .collect();
        for update in updates {
            let answer = update.await.unwrap();
            assert_eq!((answer.status.as_u16(), answer.json()["data"]["accountName"].as_str()), (200, Some("Jane")));
        }
        assert_eq!(whole_history(&server, &account).await.len(), 2);
    }
);

/// Lets two accounts claim one unique key at once, repeatedly, and checks that exactly one gets it each time.
async fn duel(server: &Server, kind: Unique, patch_for: fn(u8) -> Patch, holds: fn(&Account, u8) -> bool) {
    let rivals = [server.person(&[]).await, server.person(&[]).await];
    for round in 0..20 {
        let take = |account: &Account| {
            let (app, account) = (server.app.clone(), account.clone());
            tokio::spawn(async move {
                let current = app.store().account(account.id).await.unwrap().unwrap();
                app.profiles().update(current, patch_for(round), ChangeContext::operator(), |_| Ok(())).await
            })
        };
        let (first, second) = tokio::join!(take(&rivals[0]), take(&rivals[1]));
        let winner = match (first.unwrap(), second.unwrap()) {
            (Ok(_), Err(Error::Taken(what))) if what == kind => 0,
            (Err(Error::Taken(what)), Ok(_)) if what == kind => 1,
            outcome => panic!("one gets it and the other is told what is taken: {outcome:?}"),
        };
        assert!(holds(&server.account(&rivals[winner]).await, round));
        assert!(!holds(&server.account(&rivals[1 - winner]).await, round));
    }
    for rival in &rivals {
        whole_history(server, rival).await;
    }
}

on_both_databases!(
    async fn exactly_one_of_two_accounts_gets_a_user_name_that_both_claim(server: Server) {
        let patch_for = |round| patch(&[(Field::Username, &format!("user{round}"))]);
        duel(&server, Unique::Username, patch_for, |account, round| {
            account.text(Field::Username) == Some(format!("user{round}").as_str())
        })
        .await;
    }
);

on_both_databases!(
    async fn exactly_one_of_two_accounts_gets_a_number_that_both_prove(server: Server) {
        let patch_for = |round| {
            let mut patch = patch(&[(Field::Phone, &format!("+1 555 {round}"))]);
            patch.phone_verified = Some(true);
            patch
        };
        duel(&server, Unique::Phone, patch_for, |account, round| {
            account.phone_verified && account.text(Field::Phone) == Some(format!("+1 555 {round}").as_str())
        })
        .await;
    }
);

on_both_databases!(
    async fn an_account_is_never_changed_after_its_suspension(server: Server) {
        const ROUNDS: usize = 15;
        const WRITERS: usize = 4;
        for _ in 0..ROUNDS {
            let account = server.person(&[]).await;
            let token = server.token(&account, Contract::System).await;
            let (begun, mut beginning) = tokio::sync::mpsc::unbounded_channel();
            let writers: Vec<_> = (0..WRITERS)
                .map(|writer| {
                    let update = |value: String| {
                        let request = server.request("POST", "/web/v1/system/profile/update");
                        let request = request.bearer(&token).header("X-Client-Hash", "d1");
                        request.json(format!(r#"{{"accountName":"{value}"}}"#))
                    };
                    let updates: Vec<_> = (0..100).map(|number| update(format!("{writer}/{number}"))).collect();
                    let begun = begun.clone();
                    tokio::spawn(async move {
                        let mut acknowledged = 0;
                        for update in updates {
                            let answer = update.send().await;
                            match answer.status.as_u16() {
                                200 => acknowledged += 1,
                                403 => return acknowledged,
                                _ => panic!("{answer}"),
                            }
                            let _ = begun.send(());
                        }
                        panic!("100 updates were made and the suspension never came");
                    })
                })
                .collect();
            // Suspends the account while updates are in flight.
            beginning.recv().await.unwrap();
            let mut suspend = Patch::default();
            suspend.status = Some(Status::Suspended);
            server.operate(&account, suspend).await;
            let mut acknowledged = 0;
            for writer in writers {
                acknowledged += writer.await.unwrap();
            }
            let history = whole_history(&server, &account).await;
            let suspension = Written {
                field: "status".to_owned(),
                before: Some("ACTIVE".to_owned()),
                after: Some("SUSPENDED".to_owned()),
            };
            assert_eq!(history.last(), Some(&vec![suspension]), "a change was committed after the suspension");
            assert_eq!(history.len(), 1 + acknowledged + 1);
        }
    }
);
