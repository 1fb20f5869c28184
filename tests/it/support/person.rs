//! One person with access to the server through every contract.

use selfsame::account::{Account, Contract, Field, Kind, Patch};
use serde_json::{Map, Value, json};

use super::applications::Client;
use super::{Answer, Server};

/// A contract, as a [`Person`] uses it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Side {
    System,
    Cl2c,
    RiverGen,
    Ciam,
}

/// An account with the credentials for each contract.
pub(crate) struct Person<'a> {
    pub(crate) server: &'a Server,
    pub(crate) account: Account,
    pub(crate) token: String,
    pub(crate) river: String,
    pub(crate) claims: String,
    pub(crate) client: Client<'a>,
    pub(crate) key: String,
}

/// Every claim that is backed by a field.
const CLAIMS: [&str; 8] = ["name", "nickname", "username", "email", "phone_number", "locale", "zoneinfo", "picture"];

impl<'a> Person<'a> {
    pub(crate) async fn new(server: &'a Server, patch: Patch) -> Person<'a> {
        let account = server.person_with(&server.tenant, patch).await;
        let token = server.token(&account, Contract::System).await;
        let river = server.token(&account, Contract::RiverGen).await;
        let key = server.back_end(&server.tenant, Some(account.id)).await.secret;
        let client = server.client(Kind::Web, &CLAIMS).await;
        let claims = client.token(&account).await;
        Person { server, account, token, river, claims, client, key }
    }

    /// Reads the profile through a contract.
    pub(crate) async fn read(&self, side: Side) -> Value {
        match side {
            Side::System => self.system("GET", "/web/v1/system/profile", None).await.json()["data"].take(),
            Side::Cl2c => self.cl2c("GET", &format!("/v1/cl2c/users/{}", self.account.id), None).await.json(),
            Side::RiverGen => self.river("GET", "/api/v1/auth/me", None).await.json()["data"]["user"].take(),
            Side::Ciam => self.ciam("GET", None).await.json(),
        }
    }

    /// Writes one member, together with the members that the contract requires.
    pub(crate) async fn write(&self, side: Side, name: &str, value: impl Into<Value>) -> Answer {
        let mut body = Map::from_iter([(name.to_owned(), value.into())]);
        match side {
            Side::Cl2c => {
                let stored = self.server.account(&self.account).await;
                for (name, field) in [("firstName", Field::GivenName), ("lastName", Field::FamilyName)] {
                    body.entry(name).or_insert_with(|| stored.text(field).unwrap_or("Unknown").into());
                }
            }
            Side::System | Side::RiverGen | Side::Ciam => {}
        }
        self.send(side, body).await
    }

    /// Sends a body that changes the profile.
    pub(crate) async fn send(&self, side: Side, body: impl Into<Value>) -> Answer {
        let body = Some(body.into());
        match side {
            Side::System => self.system("POST", "/web/v1/system/profile/update", body).await,
            Side::Cl2c => self.cl2c("PUT", "/v1/cl2c/user", body).await,
            Side::RiverGen => self.river("PUT", "/api/v1/auth/me/profile", body).await,
            Side::Ciam => self.ciam("PATCH", body).await,
        }
    }

    pub(crate) async fn system(&self, method: &str, path: &str, body: Option<Value>) -> Answer {
        let request = self.server.request(method, path).bearer(&self.token).header("X-Client-Hash", "d1");
        match body {
            Some(body) => request.json(body.to_string()).send().await,
            None => request.send().await,
        }
    }

    pub(crate) async fn river(&self, method: &str, path: &str, body: Option<Value>) -> Answer {
        let request = self.server.request(method, path).bearer(&self.river);
        match body {
            Some(body) => request.json(body.to_string()).send().await,
            None => request.send().await,
        }
    }

    pub(crate) async fn ciam(&self, method: &str, body: Option<Value>) -> Answer {
        let request = self.server.request(method, "/userinfo").bearer(&self.claims);
        match body {
            Some(body) => request.json(body.to_string()).send().await,
            None => request.send().await,
        }
    }

    /// Changes an address through CIAM, proved with a one-time code.
    pub(crate) async fn prove(&self, name: &str, address: &str) -> Answer {
        let token = self.client.otp_token(json!({"usage": "update_userinfo", name: address})).await;
        let to = if name == "email" { address.to_owned() } else { format!("+86{address}") };
        let code = self.server.code_to(&to);
        let body = json!({name: address, format!("{name}_otp_token"): token, format!("{name}_otp"): code});
        self.ciam("PATCH", Some(body)).await
    }

    pub(crate) async fn cl2c(&self, method: &str, path: &str, body: Option<Value>) -> Answer {
        let request = self.server.request(method, path).header("tenant", "demo").header("X-API-Key", &self.key);
        match body {
            Some(body) => request.json(body.to_string()).send().await,
            None => request.send().await,
        }
    }
}
