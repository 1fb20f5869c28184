//! The CIAM contract over HTTP.

mod applications;
mod audience;
mod bearer;
mod bodies;
mod change;
mod claims;
mod codes;
mod custom;
mod discovery;
mod gateways;
mod grants;
mod not_before;
mod pages;
mod peers;
mod people;
mod proofs;
mod public_clients;
mod refresh;
mod revoke;
mod sending;
mod spellings;
mod tenants;
mod writes;

use selfsame::account::{Account, Field, Kind, Patch, Status};
use serde_json::{Value, json};

use crate::support::applications::Client;
use crate::support::{Answer, Request, Server, patch};

const USERINFO: &str = "/userinfo";
/// Every built-in claim of the contract.
pub(crate) const ALL: [&str; 10] = [
    "email",
    "name",
    "nickname",
    "zoneinfo",
    "locale",
    "phone_number",
    "email_verified",
    "phone_number_verified",
    "username",
    "picture",
];

/// A person signed in to an application.
struct AppUser<'a> {
    server: &'a Server,
    client: Client<'a>,
    account: Account,
    token: String,
}

impl<'a> AppUser<'a> {
    /// A person with a name and a verified address, signed in to an application that may see every claim.
    async fn new(server: &'a Server) -> AppUser<'a> {
        let mut patch = patch(&[(Field::DisplayName, "Jane"), (Field::Email, "jane@example.com")]);
        patch.email_verified = Some(true);
        AppUser::with(server, patch, &ALL).await
    }

    /// A person created from a patch, signed in to an application that may see the given claims.
    async fn with(server: &'a Server, patch: Patch, claims: &[&str]) -> AppUser<'a> {
        let account = server.person_with(&server.tenant, patch).await;
        AppUser::of(server.client(Kind::Web, claims).await, account).await
    }

    /// An existing account, signed in to an existing application.
    async fn of(client: Client<'a>, account: Account) -> AppUser<'a> {
        let token = client.token(&account).await;
        AppUser { server: client.server, client, account, token }
    }

    fn request(&self, method: &str) -> Request {
        self.server.request(method, USERINFO).bearer(&self.token)
    }

    async fn get(&self) -> Answer {
        self.request("GET").send().await
    }

    async fn patch(&self, body: impl Into<String>) -> Answer {
        self.request("PATCH").json(body.into()).send().await
    }

    /// The account as it is stored now.
    async fn stored(&self) -> Account {
        self.server.account(&self.account).await
    }

    /// Has a code sent to a new address, and returns its token and the code.
    async fn proof(&self, name: &str, address: &str) -> (String, String) {
        let token = self.client.otp_token(json!({"usage": "update_userinfo", name: address})).await;
        let to = if name == "email" { address.to_owned() } else { format!("+86{address}") };
        (token, self.server.code_to(&to))
    }

    /// The members of a body that changes an address with a proof.
    fn proved(name: &str, address: &str, (token, code): &(String, String)) -> Value {
        json!({name: address, format!("{name}_otp_token"): token, format!("{name}_otp"): code})
    }
}

/// A patch by which operators set the status of an account.
fn in_status(status: Status) -> Patch {
    let mut patch = patch(&[]);
    patch.status = Some(status);
    patch
}

/// An answer without the address of the server, which differs from run to run.
fn without_address(server: &Server, answer: &Answer) -> String {
    answer.to_string().replace(&format!("http://{}", server.address()), "URL")
}
