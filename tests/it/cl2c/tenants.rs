//! Isolation of tenants: ten thousand random requests, compared with a simple model.

use std::collections::BTreeMap;

use selfsame::account::{AccountId, Field, Status, Tenant, TenantId};

use super::{NOBODY, USER, add, id, path_of};
use crate::support::{Answer, BackEnd, Database, Server, patch};

/// Number of requests on each database.
const REQUESTS: usize = 5_000;
/// Number of accounts in each tenant.
const PEOPLE: u128 = 4;
/// One request in this many is a change: changes wait for the disk.
const CHANGES: u64 = 8;

/// The model of a person.
struct Person {
    tenant: TenantId,
    status: Status,
    given_name: String,
    changes: i64,
}

/// The model's outcome of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Outcome {
    Served(AccountId),
    TenantUnknown,
    KeyInvalid,
    AnotherAccount,
    NoAccount,
    NotActive,
    IdentifierRequired,
    IdentifierMalformed,
}

impl Outcome {
    /// The status and a text of the response's body.
    fn response(self) -> (u16, &'static str) {
        match self {
            Outcome::Served(_) => (200, "\"firstName\""),
            Outcome::TenantUnknown => (401, "Invalid Tenant."),
            Outcome::KeyInvalid => (401, "Authentication Failed."),
            Outcome::AnotherAccount => (403, "You are not authorized to access this resource."),
            Outcome::NoAccount => (404, "User Not Found."),
            Outcome::NotActive => (401, "User Not Active. Please contact the administrator."),
            Outcome::IdentifierRequired => (400, "User ID is required"),
            Outcome::IdentifierMalformed => (400, "Invalid user ID format"),
        }
    }
}

/// A key and the model of it.
struct Key<'a> {
    back_end: BackEnd<'a>,
    is_valid: bool,
}

/// One request: the key, the tenant's name, the account, and whether the request is a change.
struct RandomRequest<'a> {
    key: &'a Key<'a>,
    tenant: Option<&'a Tenant>,
    id: Option<&'a str>,
    change: bool,
}

impl RandomRequest<'_> {
    fn expected(&self, people: &BTreeMap<AccountId, Person>) -> Outcome {
        let key = &self.key.back_end.key;
        let Some(tenant) = self.tenant else { return Outcome::TenantUnknown };
        if !self.key.is_valid || key.tenant_id != tenant.id {
            return Outcome::KeyInvalid;
        }
        let named: Option<AccountId> = self.id.and_then(|id| id.parse().ok());
        let account = match (key.account_id, self.id, named) {
            (Some(own), _, Some(named)) if named != own => return Outcome::AnotherAccount,
            (Some(_), _, None) if !self.change => return Outcome::AnotherAccount,
            (Some(own), ..) => own,
            (None, _, Some(named)) => named,
            (None, _, None) if !self.change => return Outcome::NoAccount,
            (None, None, None) => return Outcome::IdentifierRequired,
            (None, Some(_), None) => return Outcome::IdentifierMalformed,
        };
        match people.get(&account) {
            Some(person) if person.tenant != tenant.id => Outcome::NoAccount,
            Some(Person { status: Status::Active, .. }) => Outcome::Served(account),
            Some(Person { status: Status::Closed, .. }) | None => Outcome::NoAccount,
            Some(_) => Outcome::NotActive,
        }
    }

    async fn send(&self, server: &Server, given_name: &str) -> Answer {
        let mut request = match (self.change, self.id) {
            (true, Some(id)) => {
                let body = format!(r#"{{"id":"{id}","firstName":"{given_name}","lastName":"Doe"}}"#);
                server.request("PUT", USER).json(body)
            }
            (true, None) => {
                let body = format!(r#"{{"firstName":"{given_name}","lastName":"Doe"}}"#);
                server.request("PUT", USER).json(body)
            }
            (false, id) => server.request("GET", &path_of(id.unwrap_or("nobody"))),
        };
        if let Some(tenant) = self.tenant {
            request = request.header("tenant", &tenant.name);
        }
        request.header("X-API-Key", &self.key.back_end.secret).send().await
    }
}

on_both_databases!(
    async fn nothing_of_another_tenant_is_ever_read_or_changed(database: Database) {
        let unlimited = [("SELFSAME__RATE_LIMIT__DEFAULT", "0"), ("SELFSAME__RATE_LIMIT__ADDRESS", "0")];
        let server = Server::with(database, &unlimited).await;
        let tenants = [server.tenant.clone(), server.add_tenant("elsewhere").await];
        let mut people = people(&server, &tenants).await;
        let keys = keys(&server, &tenants).await;
        let mut ids: Vec<Option<String>> = people.keys().map(|id| Some(id.to_string())).collect();
        ids.extend([Some(NOBODY.to_owned()), Some("string".to_owned()), None]);

        let mut random = Random(0x5e1f_5a3e);
        let mut served = 0;
        for number in 0..REQUESTS {
            let request = RandomRequest {
                key: random.pick(&keys),
                tenant: if random.below(10) == 0 { None } else { Some(random.pick(&tenants)) },
                id: random.pick(&ids).as_deref(),
                change: random.below(CHANGES) == 0,
            };
            let given_name = format!("Name{number}x");
            let answer = request.send(&server, &given_name).await;
            let expected = request.expected(&people);
            let (status, words) = expected.response();
            assert!(answer.status == status && answer.body.contains(words), "{number}: {expected:?}, {answer}");
            if let (Outcome::Served(account), true) = (expected, request.change) {
                let person = people.get_mut(&account).unwrap();
                (person.given_name, person.changes) = (given_name, person.changes + 1);
            }
            served += usize::from(matches!(expected, Outcome::Served(_)));
            for (account, person) in &people {
                let shown = answer.body.contains(&format!("\"{}\"", person.given_name));
                assert_eq!(shown, expected == Outcome::Served(*account), "{number}: {expected:?}, {answer}");
            }
        }
        assert!(served > REQUESTS / 50, "only {served} requests were served: the others prove little");
        for (account, person) in &people {
            let stored = server.app.store().account(*account).await.unwrap().unwrap();
            let stored = (stored.tenant_id, stored.text(Field::GivenName).unwrap().to_owned(), stored.version);
            assert_eq!(stored, (person.tenant, person.given_name.clone(), 1 + person.changes));
        }
    }
);

/// Adds to each tenant one suspended and one closed account; the others are active.
async fn people(server: &Server, tenants: &[Tenant]) -> BTreeMap<AccountId, Person> {
    let mut people = BTreeMap::new();
    for (tenant, first) in tenants.iter().zip([100, 200]) {
        for number in 0..PEOPLE {
            let given_name = format!("Original{}", first + number);
            let status = match number {
                0 => Status::Suspended,
                1 => Status::Closed,
                _ => Status::Active,
            };
            let mut patch = patch(&[(Field::GivenName, &given_name)]);
            patch.status = Some(status);
            let account = add(server, tenant, id(first + number), patch).await;
            people.insert(account.id, Person { tenant: tenant.id, status, given_name, changes: 0 });
        }
    }
    people
}

/// Adds to each tenant a key for all accounts, one bound to each account, one to no account, and two invalid ones.
async fn keys<'a>(server: &'a Server, tenants: &[Tenant]) -> Vec<Key<'a>> {
    let mut keys = Vec::new();
    for (tenant, first) in tenants.iter().zip([100, 200]) {
        // Twice as likely, because it has the widest access.
        for _ in 0..2 {
            keys.push(Key { back_end: server.back_end(tenant, None).await, is_valid: true });
        }
        for number in (0..PEOPLE).chain([99]) {
            keys.push(Key { back_end: server.back_end(tenant, Some(id(first + number))).await, is_valid: true });
        }
        let expired = server.back_end_until(tenant, None, Some(server.app.now())).await;
        keys.push(Key { back_end: expired, is_valid: false });
        let revoked = server.back_end(tenant, Some(id(first + 2))).await;
        revoked.revoke().await;
        keys.push(Key { back_end: revoked, is_valid: false });
    }
    keys
}

/// Pseudorandom numbers that are the same in every run (SplitMix64).
struct Random(u64);

impl Random {
    fn below(&mut self, end: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (mixed ^ (mixed >> 31)) % end
    }

    fn pick<'a, T>(&mut self, items: &'a [T]) -> &'a T {
        &items[usize::try_from(self.below(items.len() as u64)).unwrap()]
    }
}
