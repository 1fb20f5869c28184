//! CL2C's contract over HTTP.

mod bodies;
mod commands;
mod credentials;
mod faults;
mod fields;
mod keys;
mod limits;
mod methods;
mod names;
mod order;
mod page;
mod phones;
mod tenants;
mod users;

use selfsame::account::history::ChangeContext;
use selfsame::account::{Account, AccountId, Edit, Field, Patch, Status, Tenant};
use uuid::Uuid;

use crate::support::{Answer, BackEnd, Request, Server, patch};

/// The path of changes.
const USER: &str = "/v1/cl2c/user";
/// The user of the vendor's published documentation.
const JOHN: &str = "3fa85f64-5717-4562-b3fc-2c963f66afa6";
/// An identifier that no account has.
const NOBODY: &str = "00000000-0000-7000-8000-000000000bad";

/// Adds the user of the vendor's published documentation to the server's tenant.
async fn john(server: &Server) -> Account {
    let mut patch = patch(&[
        (Field::GivenName, "John"),
        (Field::FamilyName, "Doe"),
        (Field::DisplayName, "System Admin"),
        (Field::Username, "john_doe"),
        (Field::Email, "john.doe@example.com"),
        (Field::AuthLocation, "USA"),
        (Field::Phone, "+1234567890"),
        (Field::WalletAddress, "0x123456789ABCDEF"),
    ]);
    patch.email_verified = Some(true);
    patch.auth_valid_until = Edit::Set("2024-11-05T19:42:26.587Z".parse().unwrap());
    add(server, &server.tenant, JOHN.parse().unwrap(), patch).await
}

/// Adds a user with a known identifier and nothing but a name.
async fn user(server: &Server, tenant: &Tenant, number: u128, given_name: &str) -> Account {
    add(server, tenant, id(number), patch(&[(Field::GivenName, given_name)])).await
}

async fn add(server: &Server, tenant: &Tenant, id: AccountId, patch: Patch) -> Account {
    let number = server.app.store().next_account_number().await.unwrap();
    let account = Account::new(id, number, None, tenant, server.app.now());
    server.app.profiles().create(account, &patch, None, &ChangeContext::operator()).await.unwrap()
}

/// A patch that sets only the status.
fn status(status: Status) -> Patch {
    let mut patch = Patch::default();
    patch.status = Some(status);
    patch
}

/// A patch that sets a proved phone number.
fn proved(number: &str) -> Patch {
    let mut patch = patch(&[(Field::Phone, number)]);
    patch.phone_verified = Some(true);
    patch
}

/// An identifier that is the same in every run.
fn id(number: u128) -> AccountId {
    AccountId(Uuid::from_u128(0x0190_0000_0000_7000_8000_0000_0000_0000 + number))
}

fn path_of(id: impl std::fmt::Display) -> String {
    format!("/v1/cl2c/users/{id}")
}

impl BackEnd<'_> {
    async fn get(&self, id: impl std::fmt::Display) -> Answer {
        self.request("GET", &path_of(id)).settle().await
    }

    async fn put(&self, body: impl Into<String>) -> Answer {
        self.request("PUT", USER).json(body.into()).settle().await
    }
}

impl Request {
    /// Sends the request, and replaces the identifiers of the error and of the request, if the body has them, after checking
    /// them.
    async fn settle(self) -> Answer {
        settled(self.send().await)
    }
}

fn settled(mut answer: Answer) -> Answer {
    if let Some(error_id) = error_id(&answer) {
        let uuid = error_id.strip_prefix("error-").unwrap();
        assert_eq!(uuid.parse::<Uuid>().unwrap().to_string(), uuid);
        answer.body = answer.body.replace(uuid, "UUID");
    }
    let instance = format!(r#""instance":"{}""#, answer.header("x-request-id"));
    answer.body = answer.body.replace(&instance, r#""instance":"r1""#);
    answer
}

/// The error identifier in a response, which operators find in the log.
fn error_id(answer: &Answer) -> Option<String> {
    let body: serde_json::Value = serde_json::from_str(&answer.body).ok()?;
    body["errorId"].as_str().map(str::to_owned)
}
