//! Verified phone numbers are unique by number, whatever their spelling; databases of earlier versions are brought up to it.

mod interrupted;
mod many;
mod rebuilt;
mod spellings;

use std::fmt::Write as _;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use data_encoding::HEXLOWER;
use selfsame::account::history::ChangeContext;
use selfsame::account::{Account, AccountId, Field, Patch, Phone, Portal, Tenant, TenantId, Unique};
use selfsame::app::App;
use selfsame::clock::Clock;
use selfsame::config::{Config, Overrides, Sources};
use selfsame::store::UniqueKey;
use uuid::Uuid;

use crate::support::{Database, Installation, OnDatabase, THROW_AWAY, patch};

/// A patch that sets a verified number.
fn verified(number: &str) -> Patch {
    let mut patch = patch(&[(Field::Phone, number)]);
    patch.phone_verified = Some(true);
    patch
}

/// A database in which numbers were verified by an earlier version, whose unique keys are those of the text that was typed or,
/// if it starts with `+`, of all its digits.
struct Old {
    installation: Installation,
    app: App,
    tenant: Tenant,
    hand: Arc<AtomicI64>,
}

impl OnDatabase for Old {
    async fn start(database: Database) -> Old {
        let installation = Installation::start(database).await;
        // After the time of the test, which commands date their changes with.
        let hand = Arc::new(AtomicI64::new(4_000_000_000_000_000));
        let app = app(&installation, &hand).await;
        let number = app.store().next_tenant_number().await.unwrap();
        let tenant = Tenant::new(TenantId(app.new_id()), number, "demo", None, Portal::System, app.now());
        app.store().add_tenant(&tenant).await.unwrap();
        Old { installation, app, tenant, hand }
    }
}

/// The identifier of an imported account.
fn id(line: u64) -> AccountId {
    AccountId(Uuid::from_u128(0x7000_8000_0000_0000_0000 + u128::from(line)))
}

/// A mobile number of mainland China.
fn number(line: u64) -> String {
    format!("138{line:08}")
}

/// Opens an installation in this process.
async fn app(installation: &Installation, hand: &Arc<AtomicI64>) -> App {
    let overrides = Overrides {
        data: Some(installation.data().to_str().unwrap().to_owned()),
        database: Some(installation.database().url().to_owned()),
        listen: None,
    };
    let environment = THROW_AWAY.iter().map(|(name, value)| (name.into(), value.into())).collect();
    let config = Config::load(&Sources { file: None, environment, overrides }).unwrap().config;
    App::start(config, Clock::Hand(hand.clone())).await.unwrap()
}

impl Old {
    fn database(&self) -> &Database {
        self.installation.database()
    }

    /// Runs statements in which hexadecimal digits in angle brackets are bytes, those in square brackets an identifier.
    async fn execute(&self, statements: &str) {
        self.database().execute(&self.database().in_dialect(statements)).await;
    }

    /// Adds an account without a number.
    async fn person(&self) -> Account {
        self.hand.fetch_add(1_000_000, Ordering::SeqCst);
        let number = self.app.store().next_account_number().await.unwrap();
        let account = Account::new(AccountId(self.app.new_id()), number, None, &self.tenant, self.app.now());
        self.app.profiles().create(account, &Patch::default(), None, &ChangeContext::operator()).await.unwrap()
    }

    /// Verifies a number of an account, a second after the last change.
    async fn verify(&self, account: Account, number: &str) -> AccountId {
        self.hand.fetch_add(1_000_000, Ordering::SeqCst);
        let id = account.id;
        let has_e164 = Phone(number).e164().is_some();
        let patch = if has_e164 { verified(number) } else { patch(&[(Field::Phone, number)]) };
        // Keys of other accounts, which an earlier version would not have found, are out of the way.
        self.execute("UPDATE unique_key SET kind = 'aside' WHERE kind = 'phone'").await;
        self.app.profiles().update(account, patch, ChangeContext::operator(), |_| Ok(())).await.unwrap();
        self.execute(&format!("DELETE FROM unique_key WHERE kind = 'phone'; {}", self.old_mark(id, number))).await;
        self.execute("UPDATE unique_key SET kind = 'phone' WHERE kind = 'aside'").await;
        id
    }

    /// Adds an account that has verified a number.
    async fn with(&self, number: &str) -> AccountId {
        let person = self.person().await;
        self.verify(person, number).await
    }

    /// The statements that mark a number of an account as verified with the key that an earlier version made.
    fn old_mark(&self, account: AccountId, number: &str) -> String {
        format!(
            "UPDATE account SET phone_verified = true, phone = <{}> WHERE id = [{id}]; \
             INSERT INTO unique_key VALUES ([{}], 'phone', <{}>, [{id}]);",
            HEXLOWER.encode(number.as_bytes()),
            self.tenant.id.0.simple(),
            HEXLOWER.encode(&self.old_key(number)),
            id = account.0.simple(),
        )
    }

    /// The key that an earlier version made of a number.
    fn old_key(&self, number: &str) -> [u8; 32] {
        let digits = |number: &str| number.chars().filter(char::is_ascii_digit).collect::<String>();
        let compared = number.strip_prefix('+').map(|number| format!("+{}", digits(number)));
        self.index(&compared.unwrap_or_else(|| number.to_owned()))
    }

    fn index(&self, value: &str) -> [u8; 32] {
        self.app.keys().index(self.tenant.id.0, "phone", value)
    }

    /// The account that owns the key of a text.
    async fn owner(&self, text: &str) -> Option<AccountId> {
        let key = UniqueKey { kind: Unique::Phone, key: self.index(text) };
        self.app.store().owner_of(self.tenant.id, &key).await.unwrap()
    }

    /// Imports accounts with verified numbers.
    fn import(&self, accounts: impl Iterator<Item = (AccountId, String)>) {
        self.installation.print(&["account", "import", &self.lines(accounts)]);
    }

    /// Writes the lines of accounts with verified numbers, and returns the path of the file.
    fn lines(&self, accounts: impl Iterator<Item = (AccountId, String)>) -> String {
        let file = self.installation.data().join("accounts.jsonl");
        let mut lines = String::new();
        for (id, number) in accounts {
            writeln!(lines, r#"{{"id":"{id}","tenant":"demo","phone":"{number}","phone_verified":true}}"#).unwrap();
        }
        std::fs::write(&file, lines).unwrap();
        file.to_str().unwrap().to_owned()
    }

    /// Makes the database look as if this version had not opened it.
    async fn end(&self) {
        self.execute("DELETE FROM installation WHERE name = 'phone_keys_2'").await;
    }

    /// The progress of the pass, as it is stored.
    async fn progress(&self) -> Option<String> {
        self.database().rows("SELECT value FROM installation WHERE name = 'phone_keys_2'").await.pop()
    }

    async fn account(&self, id: AccountId) -> Account {
        self.app.store().account(id).await.unwrap().unwrap()
    }

    /// Whether the number of an account is verified.
    async fn is_verified(&self, id: AccountId) -> bool {
        self.account(id).await.phone_verified
    }

    /// The actors of an account's history.
    async fn actors(&self, id: AccountId) -> Vec<String> {
        let history = self.app.store().history(id, 0, 100).await.unwrap();
        history.into_iter().map(|entry| entry.metadata.actor).collect()
    }

    /// The output of `audit verify` after the number of accounts.
    fn broken_histories(&self) -> String {
        let verdict = self.installation.print(&["audit", "verify"]);
        verdict.trim().rsplit(": ").next().unwrap().to_owned()
    }
}
