//! `X-Request-Id`: what a client calls its request is kept, and never becomes the request's identifier.

use selfsame::profile::audit::Verdict;
use serde_json::Value;
use uuid::Uuid;

use crate::support::{Answer, Database, Person, Server, patch};

const PROXY: (&str, &str) = ("SELFSAME__SERVER__TRUSTED_PROXIES", "127.0.0.1");

/// Changes a name with a request that the client gives this name, and returns the answer, the request's identifier in the
/// history, and the client's name for the request there.
async fn changed(person: &Person<'_>, given: &[&str]) -> (Answer, String, Option<String>) {
    let Person { server, account, river, .. } = person;
    let mut request = server.request("PUT", "/api/v1/auth/me/profile").bearer(river);
    for given in given {
        request = request.header("X-Request-Id", given);
    }
    let before = server.account(account).await.version;
    let answer = request.json(format!(r#"{{"display_name":"Jane {before}"}}"#)).send().await;
    assert_eq!(answer.status, 200, "{answer}");
    let entries = server.app.store().history(account.id, before, 10).await.unwrap();
    let [entry] = entries.as_slice() else { panic!("{} entries", entries.len()) };
    let payload: Value = serde_json::from_str(&server.app.profiles().payload(entry).unwrap().to_text()).unwrap();
    let kept = payload.get("client_request_id").map(|kept| kept.as_str().unwrap().to_owned());
    (answer, entry.metadata.request_id.clone(), kept)
}

fn is_own(id: &str) -> bool {
    id.parse::<Uuid>().is_ok_and(|uuid| uuid.get_version_num() == 7)
}

on_both_databases!(
    async fn the_history_has_our_own_identifier_and_the_clients_is_sealed(server: Server) {
        let person = Person::new(&server, patch(&[])).await;
        let long = "x".repeat(200);
        for (given, kept) in [
            (&[][..], None),
            (&["order-4711"], Some("order-4711")),
            (&["550e8400-e29b-41d4-a716-446655440000"], Some("550e8400-e29b-41d4-a716-446655440000")),
            (&["a b/\"c\" %20"], Some("a b/\"c\" %20")),
            (&["a\tb"], Some("ab")),
            (&["caf\u{e9} \u{1f600}"], Some("caf\u{e9} \u{1f600}")),
            (&[""], None),
            (&["first", "second"], Some("first")),
            (&[&*long], Some(&long[..128])),
        ] {
            let (answer, id, client) = changed(&person, given).await;
            assert!(is_own(&id), "{given:?}: {id}");
            assert_eq!((answer.header("x-request-id"), client.as_deref()), (&*id, kept), "{given:?}");
            assert_eq!(answer.headers.get_all("x-request-id").iter().count(), 1);
        }
        let account = server.account(&person.account).await;
        let verdict = server.app.profiles().verify(&account).await.unwrap();
        assert_eq!(verdict, Verdict::Whole { entries: account.version, erased: 0 });
        // In the database, it is sealed.
        let payload =
            server.app.store().history(person.account.id, 2, 1).await.unwrap().remove(0).sealed.unwrap().payload;
        assert!(!payload.windows(5).any(|five| five == b"order"));
    }
);

on_both_databases!(
    async fn a_trusted_proxys_identifier_is_taken_over(database: Database) {
        let server = Server::with(database, &[PROXY]).await;
        let person = Person::new(&server, patch(&[])).await;
        for given in ["a", "AZaz09-._~", "550e8400-e29b-41d4-a716-446655440000", &"x".repeat(128)] {
            let (answer, id, client) = changed(&person, &[given]).await;
            assert_eq!((answer.header("x-request-id"), &*id, client), (given, given, None));
        }
        for given in ["a b", "a/b", "a\"b", "a%20b", "\u{e4}", &"x".repeat(129)] {
            let (answer, id, client) = changed(&person, &[given]).await;
            assert!(is_own(&id), "{given:?}: {id}");
            let kept: String = given.chars().take(128).collect();
            assert_eq!((answer.header("x-request-id"), client), (&*id, Some(kept)));
        }
        // One of two may be the client's.
        let (_, id, client) = changed(&person, &["chosen", "given"]).await;
        assert!(is_own(&id) && client.as_deref() == Some("chosen"), "{id} {client:?}");
    }
);

#[tokio::test]
async fn an_answer_that_names_its_request_has_the_identifier_of_the_header() {
    let server = Server::with(Database::sqlite(), &[]).await;
    let person = Person::new(&server, patch(&[])).await;
    let request = server.request("PUT", "/v1/cl2c/user").header("tenant", "demo").header("X-API-Key", &person.key);
    let answer = request.header("X-Request-Id", "chosen").json("{").send().await;
    assert!(is_own(answer.header("x-request-id")), "{answer}");
    assert_eq!(answer.json()["instance"], answer.header("x-request-id"));
}
