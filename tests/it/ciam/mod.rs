//! CIAM's contract at the wire.

mod applications;
mod audience;
mod bearer;
mod bodies;
mod change;
mod claims;
mod codes;
mod custom;
mod discovery;
mod grants;
mod pages;
mod peers;
mod people;
mod proofs;
mod refresh;
mod revoke;
mod spellings;

use selfsame::account::{Account, Field, Kind, Patch, Status};
use serde_json::{Value, json};

use crate::support::applications::Client;
use crate::support::{Answer, Request, Server, patch};

const USERINFO: &str = "/userinfo";
/// Every claim that the contract has by itself.
const ALL: [&str; 10] = [
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

/// Somebody who is signed in to an application.
struct AppUser<'a> {
    server: &'a Server,
    client: Client<'a>,
    account: Account,
    token: String,
}

impl<'a> AppUser<'a> {
    /// Somebody with a name and a proved address, whose application may see everything.
    async fn new(server: &'a Server) -> AppUser<'a> {
        let mut wished = patch(&[(Field::DisplayName, "Jane"), (Field::Email, "jane@example.com")]);
        wished.email_verified = Some(true);
        AppUser::with(server, wished, &ALL).await
    }

    /// Somebody with whatever a patch says, and an application that may see claims.
    async fn with(server: &'a Server, wished: Patch, claims: &[&str]) -> AppUser<'a> {
        let account = server.person_with(&server.tenant, wished).await;
        AppUser::of(server.client(Kind::Web, claims).await, account).await
    }

    /// Somebody who is signed in to an application that there is.
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

    /// Has a code sent for a new address, and returns its token and the code.
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

/// A patch by which operators put an account into a state.
fn in_status(status: Status) -> Patch {
    let mut wished = patch(&[]);
    wished.status = Some(status);
    wished
}

/// The body of an answer without what differs from run to run.
fn without_address(server: &Server, answer: &Answer) -> String {
    answer.to_string().replace(&format!("http://{}", server.address()), "URL")
}
