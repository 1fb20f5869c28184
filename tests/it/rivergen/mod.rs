//! The RiverGen contract over HTTP.

mod daily;
mod email;
mod email_races;
mod me;
mod merge;
mod pictures;
mod refusals;
mod schema;
mod update;

pub(crate) use email::refused;
pub(crate) use pictures::PIXEL;

use selfsame::account::{Account, Contract, Field};

use crate::support::{Answer, Request, Server, patch};

const ME: &str = "/api/v1/auth/me";
const PROFILE: &str = "/api/v1/auth/me/profile";

/// A signed-in account.
pub(crate) struct Jane<'a> {
    pub(crate) server: &'a Server,
    pub(crate) account: Account,
    token: String,
}

impl<'a> Jane<'a> {
    /// An account with a name, a verified address and a profile.
    pub(crate) async fn new(server: &'a Server) -> Jane<'a> {
        let mut patch = patch(&[
            (Field::DisplayName, "Jane"),
            (Field::Email, "jane@example.com"),
            (Field::Attributes, r#"{"location":"San Francisco"}"#),
        ]);
        patch.email_verified = Some(true);
        Jane::of(server, server.person_with(&server.tenant, patch).await).await
    }

    /// An account without any field set.
    pub(crate) async fn unknown(server: &'a Server) -> Jane<'a> {
        Jane::of(server, server.person(&[]).await).await
    }

    pub(crate) async fn of(server: &'a Server, account: Account) -> Jane<'a> {
        let token = server.token(&account, Contract::RiverGen).await;
        Jane { server, account, token }
    }

    fn request(&self, method: &str, path: &str) -> Request {
        self.server.request(method, path).bearer(&self.token)
    }

    async fn get(&self) -> Answer {
        self.request("GET", ME).send().await
    }

    pub(crate) async fn put(&self, body: impl Into<String>) -> Answer {
        self.request("PUT", PROFILE).json(body.into()).send().await
    }

    /// Merges a profile and returns the whole profile as text, which must equal what a read shows.
    async fn merge(&self, profile: &str) -> String {
        let answer = self.put(format!(r#"{{"profile":{profile}}}"#)).await;
        assert_eq!(answer.status, 200, "{answer}");
        let merged = between(&answer.body, r#""profile":"#, r#","updated_at":"#);
        assert_eq!(between(&self.get().await.body, r#""profile":"#, r#","user_metadata":"#), merged);
        merged
    }

    /// The account as it is stored now.
    pub(crate) async fn stored(&self) -> Account {
        self.server.account(&self.account).await
    }
}

/// The text between two others.
fn between(text: &str, start: &str, end: &str) -> String {
    text.split_once(start).unwrap().1.split_once(end).unwrap().0.to_owned()
}

/// The field and the reason of each error in a response.
fn faults(answer: &Answer) -> Vec<(String, String)> {
    let details = answer.json()["error"]["details"].take();
    let pair = |fault: &serde_json::Value| {
        (fault["field"].as_str().unwrap().to_owned(), fault["reason"].as_str().unwrap().to_owned())
    };
    match details["errors"].as_array() {
        Some(several) => several.iter().map(pair).collect(),
        None => vec![pair(&details)],
    }
}
