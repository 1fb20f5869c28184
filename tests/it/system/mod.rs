//! The System portal's contract over HTTP, one sentence of it per test.

mod bodies;
mod client_hash;
mod credentials;
mod fields;
mod history;
mod languages;
mod methods;
mod order;
mod read;
mod secure_channel;
mod status;
mod tokens;
mod unknown_keys;
mod update;

use selfsame::account::history::ChangeContext;
use selfsame::account::{Account, AccountId, Contract, Field, Patch};
use selfsame::profile::audit::Verdict;

use crate::support::{Answer, Request, Server, patch};

const PROFILE: &str = "/web/v1/system/profile";
const UPDATE: &str = "/web/v1/system/profile/update";
/// The client hash of a person with only one device.
const DEVICE: &str = "d1";

/// A person who is signed in on one device.
struct AuthenticatedPerson<'a> {
    server: &'a Server,
    account: Account,
    token: String,
}

/// Signs in the person of the published examples, as they were before their first change.
async fn admin(server: &Server) -> AuthenticatedPerson<'_> {
    let fields = [
        (Field::Email, "admin@example.com"),
        (Field::Phone, "+1234567890"),
        (Field::DisplayName, "System Admin"),
        (Field::Language, "en"),
        (Field::TimeZone, "America/New_York"),
        (Field::Country, "US"),
    ];
    let (id, number) = (AccountId(server.app.new_id()), server.app.store().next_account_number().await.unwrap());
    let created_at = "2026-01-15T08:00:00Z".parse().unwrap();
    let mut account = Account::new(id, number, None, &server.tenant, created_at);
    account.updated_at = server.app.now();
    let account =
        server.app.profiles().create(account, &patch(&fields), None, &ChangeContext::operator()).await.unwrap();
    sign_in(server, account).await
}

/// Signs a person in.
async fn sign_in(server: &Server, account: Account) -> AuthenticatedPerson<'_> {
    let token = server.token(&account, Contract::System).await;
    AuthenticatedPerson { server, account, token }
}

impl AuthenticatedPerson<'_> {
    /// Begins a request with the person's credentials.
    fn request(&self, method: &str, path: &str) -> Request {
        self.server.request(method, path).bearer(&self.token).header("X-Client-Hash", DEVICE)
    }

    /// Reads the profile.
    async fn read(&self) -> Answer {
        self.request("GET", PROFILE).send().await
    }

    /// Sends an update of the profile.
    async fn update(&self, body: impl Into<reqwest::Body>) -> Answer {
        self.request("POST", UPDATE).json(body).send().await
    }

    /// Changes the account as an operator does.
    async fn operate(&self, edit: impl FnOnce(&mut Patch)) -> Account {
        let mut patch = Patch::default();
        edit(&mut patch);
        self.server.operate(&self.account, patch).await
    }

    /// The account as it is stored now.
    async fn stored(&self) -> Account {
        self.server.account(&self.account).await
    }

    /// Verifies the history and returns its entries after the account's creation, one line each.
    async fn history(&self) -> String {
        let app = &self.server.app;
        let account = self.stored().await;
        let verdict = app.profiles().verify(&account).await.unwrap();
        assert_eq!(verdict, Verdict::Whole { entries: account.version, erased: 0 });
        let entries = app.store().history(account.id, 1, 100).await.unwrap();
        let lines = entries.iter().map(|entry| {
            let metadata = &entry.metadata;
            let payload = app.profiles().payload(entry).unwrap().to_text();
            let who = format!("{} {} {}", metadata.actor, metadata.contract, metadata.request_id);
            format!("{} {} {who} {payload}", metadata.sequence, metadata.at)
        });
        lines.collect::<Vec<_>>().join("\n")
    }
}
