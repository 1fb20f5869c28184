//! Tests every operation of `Store` on both databases.

mod accounts;
mod api_keys;
mod applications;
mod bench;
mod codes;
mod commits;
mod import;
mod installation;
mod made_by;
mod notices;
mod numbers;
mod outstanding;
mod phone_keys;
mod pictures;
mod schemas;
mod secure_channel;
mod sign_ins;
mod tenants;
mod tokens;
mod unique;

use jiff::Timestamp;
use selfsame::account::history::{self, Entry, Metadata, SealedPayload};
use selfsame::account::{Account, AccountId, Error, Portal, Tenant, TenantId, TenantStatus, Unique};
use selfsame::config::Config;
use selfsame::store::{Store, UniqueKey, Update};
use tempfile::TempDir;
use uuid::Uuid;

use crate::support::{Database, OnDatabase, config};

/// An open store on an empty database.
struct Opened {
    store: Store,
    config: Config,
    database: Database,
    _data: TempDir,
}

impl OnDatabase for Opened {
    async fn start(database: Database) -> Self {
        let data = tempfile::tempdir().unwrap();
        let config = config(&database, &data, &[]);
        let store = Store::open(&config.database(), &config.database).await.unwrap();
        Opened { store, config, database, _data: data }
    }
}

impl Opened {
    /// Another instance on the same database.
    async fn second(&self) -> Store {
        Store::open(&self.config.database(), &self.config.database).await.unwrap()
    }

    /// Adds a tenant whose identifier, name and business identifier are derived from the number.
    async fn tenant(&self, number: u8) -> Tenant {
        let tenant = tenant(number);
        self.store.add_tenant(&tenant).await.unwrap();
        tenant
    }

    /// Adds an account without unique keys, whose identifier and number are derived from the number.
    async fn account(&self, tenant: &Tenant, number: u8) -> Account {
        let added = first(tenant, number);
        self.store.add_account(&added, None).await.unwrap();
        added.account
    }

    async fn stored(&self, account: &Account) -> Account {
        self.store.account(account.id).await.unwrap().unwrap()
    }

    async fn entries(&self, account: &Account) -> Vec<Entry> {
        self.store.history(account.id, 0, 1000).await.unwrap()
    }
}

fn tenant(number: u8) -> Tenant {
    Tenant {
        id: TenantId(Uuid::from_u128(number.into())),
        number: number.into(),
        name: format!("tenant {number}"),
        biz_id: format!("INST_SYS_{number:03}"),
        status: TenantStatus::Active,
        valid_until: None,
        portal: Portal::System,
        schema: None,
        created_at: at(1),
        updated_at: at(2),
    }
}

/// The update that creates an account.
fn first(tenant: &Tenant, number: u8) -> Update {
    let id = AccountId(Uuid::from_u128(0x1000 + u128::from(number)));
    change(&Account::new(id, number.into(), None, tenant, at(1)), |_| {})
}

/// An update of an account, chained to the entry before, that claims and releases nothing.
fn change(before: &Account, edit: impl FnOnce(&mut Account)) -> Update {
    let mut account = before.clone();
    edit(&mut account);
    account.version += 1;
    let metadata = Metadata {
        account_id: account.id,
        sequence: account.version,
        at: account.updated_at,
        actor: "owner".to_owned(),
        contract: "system".to_owned(),
        request_id: "request".to_owned(),
    };
    let (salt, payload) = ([7; 32], b"payload".to_vec());
    let commitment = history::commit(&salt, &payload);
    account.history_head = history::link(before.history_head, &metadata, commitment);
    let sealed = Some(SealedPayload { key: 1, payload, salt });
    let entry = Entry { metadata, commitment, link: account.history_head, sealed };
    Update { account, entry, release: Vec::new(), claim: Vec::new(), nonce: None, effects: Vec::new() }
}

fn unique_key(kind: Unique, value: u8) -> UniqueKey {
    UniqueKey { kind, key: [value; 32] }
}

/// A moment that needs all six digits of a microsecond.
fn at(second: i64) -> Timestamp {
    Timestamp::from_microsecond(second * 1_000_000 + 123_457).unwrap()
}

/// The unique key that a refused call names as taken.
fn taken<T>(result: Result<T, Error>) -> Unique {
    match result {
        Err(Error::Taken(unique)) => unique,
        Err(other) => panic!("refused with {other:?} instead of Taken"),
        Ok(_) => panic!("what is taken was given away again"),
    }
}

on_both_databases!(
    async fn every_statement_fits_the_tables(opened: Opened) {
        opened.store.check().await.unwrap();
    }
);

on_both_databases!(
    async fn a_database_that_answers_can_be_pinged(opened: Opened) {
        opened.store.ping().await.unwrap();
    }
);

#[test]
fn every_operation_of_the_store_is_in_this_suite() {
    let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR"));
    let text_of = |folder: &str| -> String {
        let files = std::fs::read_dir(root.join(folder)).unwrap().map(|file| file.unwrap().path());
        files.filter(|file| file.is_file()).map(|file| std::fs::read_to_string(file).unwrap()).collect()
    };
    let (operations, suite) = (text_of("src/store"), text_of("tests/it/store"));
    let operations: Vec<&str> = operations
        .split("\n    pub async fn ")
        .skip(1)
        .map(|rest| rest.split(['(', '<']).next().expect("split returns at least one part"))
        .collect();
    assert!(operations.contains(&"commit"), "the operations were not found: {operations:?}");
    for operation in operations {
        let called = suite.contains(&format!("store.{operation}(")) || suite.contains(&format!("Store::{operation}("));
        assert!(called, "no test of the suite calls Store::{operation}");
    }
}
