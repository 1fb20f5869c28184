//! An in-process server on a free loopback port, with a clock that tests advance.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use jiff::Timestamp;
use selfsame::account::history::ChangeContext;
use selfsame::account::{Account, AccountId, Contract, Edit, Field, Patch, Portal, Tenant, TenantId, Text};
use selfsame::app::App;
use selfsame::clock::Clock;
use selfsame::config::{Config, Overrides, Sources};
use selfsame::identity::{Grant, Issued};
use selfsame::outbox::Delivery;
use selfsame::serve::{Hosts, Listeners, Tls};
use tempfile::TempDir;
use tokio::net::TcpListener;
use tokio::sync::oneshot;

use super::{Database, OnDatabase, Request};

/// The clock's initial time: the time of the last change on the System portal's page.
const BEGIN: &str = "2026-03-20T14:30:00Z";

/// A running server with its database, data folder and clock.
pub(crate) struct Server {
    pub(crate) app: App,
    pub(crate) tenant: Tenant,
    address: SocketAddr,
    tls: Option<Arc<Tls>>,
    hand: Arc<AtomicI64>,
    client: reqwest::Client,
    /// Stops the server when dropped.
    _stop: oneshot::Sender<()>,
    database: Database,
    data: TempDir,
}

impl OnDatabase for Server {
    async fn start(database: Database) -> Self {
        Server::with(database, &[]).await
    }
}

impl Server {
    /// Starts a server with settings that differ from the defaults, in the form of environment variables.
    pub(crate) async fn with(database: Database, settings: &[(&str, &str)]) -> Server {
        Server::delivering(database, settings, Delivery::Mailbox).await
    }

    /// Starts a server that delivers its messages through `delivery`.
    pub(crate) async fn delivering(database: Database, settings: &[(&str, &str)], delivery: Delivery) -> Server {
        let data = tempfile::tempdir().unwrap();
        let hand = Arc::new(AtomicI64::new(BEGIN.parse::<Timestamp>().unwrap().as_microsecond()));
        let config = config(&database, &data, settings);
        let app = App::start_with(config, Clock::Hand(hand.clone()), delivery).await.unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        // Before the first request: the tokens of applications contain the address.
        app.listens_on(address);
        let (stop, stopped) = oneshot::channel();
        let tls = Tls::read(&app.config().server).unwrap();
        let listeners = Listeners { contracts: listener, tls: tls.clone(), operator: None, hosts: Hosts::Any };
        tokio::spawn(selfsame::serve::run(app.clone(), listeners, async { drop(stopped.await) }));
        let tenant = add_tenant(&app, "demo").await;
        let client = reqwest::Client::builder().redirect(reqwest::redirect::Policy::none()).build().unwrap();
        Server { app, tenant, address, tls, hand, client, _stop: stop, database, data }
    }

    /// Stops this server and starts another one on the same database, data folder and clock.
    pub(crate) async fn delivering_like(self, delivery: Delivery) -> Server {
        let Server { app, tenant, hand, client, database, data, .. } = self;
        let app = App::start_with(app.config().clone(), Clock::Hand(hand.clone()), delivery).await.unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (stop, stopped) = oneshot::channel();
        let listeners = Listeners { contracts: listener, tls: None, operator: None, hosts: Hosts::Any };
        tokio::spawn(selfsame::serve::run(app.clone(), listeners, async { drop(stopped.await) }));
        Server { app, tenant, address, tls: None, hand, client, _stop: stop, database, data }
    }

    /// Begins a request.
    pub(crate) fn request(&self, method: &str, path: &str) -> Request {
        Request::new(&self.client, method, &format!("http://{}{path}", self.address))
    }

    /// The address that the server listens on, for clients that send what no HTTP library would.
    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    /// The TLS certificate of a server whose settings name one.
    pub(crate) fn tls(&self) -> &Tls {
        self.tls.as_ref().unwrap()
    }

    /// The server's database.
    pub(crate) fn database(&self) -> &Database {
        &self.database
    }

    /// The folder with the server's master key.
    pub(crate) fn data(&self) -> &std::path::Path {
        self.data.path()
    }

    /// Advances the clock.
    pub(crate) fn pass(&self, time: Duration) {
        self.hand.fetch_add(i64::try_from(time.as_micros()).unwrap(), Ordering::SeqCst);
    }

    /// Adds a tenant with this name.
    pub(crate) async fn add_tenant(&self, name: &str) -> Tenant {
        add_tenant(&self.app, name).await
    }

    /// Adds an account to the server's tenant.
    pub(crate) async fn person(&self, fields: &[(Field, &str)]) -> Account {
        self.person_with(&self.tenant, patch(fields)).await
    }

    /// Adds an account to any tenant, with the fields and properties of a patch.
    pub(crate) async fn person_with(&self, tenant: &Tenant, patch: Patch) -> Account {
        let number = self.app.store().next_account_number().await.unwrap();
        let account = Account::new(AccountId(self.app.new_id()), number, None, tenant, self.app.now());
        self.app.profiles().create(account, &patch, None, &ChangeContext::operator()).await.unwrap()
    }

    /// Changes an account as an operator does.
    pub(crate) async fn operate(&self, account: &Account, patch: Patch) -> Account {
        let current = self.account(account).await;
        self.app.profiles().update(current, patch, ChangeContext::operator(), |_| Ok(())).await.unwrap()
    }

    /// The account as it is stored now.
    pub(crate) async fn account(&self, account: &Account) -> Account {
        self.app.store().account(account.id).await.unwrap().unwrap()
    }

    /// Issues a token of the embedded issuer that is valid for an hour.
    pub(crate) async fn token(&self, account: &Account, contract: Contract) -> String {
        self.issue(Grant { account: account.id, contract, scope: None, client_hash: None, lifetime: HOUR }).await.token
    }

    /// Issues a token of the embedded issuer for any grant.
    pub(crate) async fn issue(&self, grant: Grant) -> Issued {
        self.app.issuer().issue(&grant).await.unwrap()
    }
}

/// The lifetime of tokens in tests.
pub(crate) const HOUR: Duration = Duration::from_secs(3600);

/// A patch that sets fields.
pub(crate) fn patch(fields: &[(Field, &str)]) -> Patch {
    let mut patch = Patch::default();
    for (field, value) in fields {
        patch.edit(*field, Edit::Set(Text::new(*value).unwrap()));
    }
    patch
}

/// Settings of every test installation: its database need not be durable, and limits apply only in tests of limits.
pub(crate) const THROW_AWAY: [(&str, &str); 6] = [
    ("SELFSAME__CODES__ANSWER_TIME", "0s"),
    ("SELFSAME__DATABASE__ALLOW_UNSAFE_DURABILITY", "true"),
    ("SELFSAME__RATE_LIMIT__ADDRESS", "0"),
    ("SELFSAME__RATE_LIMIT__DEFAULT", "0"),
    ("SELFSAME__RATE_LIMIT__RIVERGEN", "0"),
    ("SELFSAME__RATE_LIMIT__SYSTEM", "0"),
];

/// The configuration of a test's installation.
pub(crate) fn config(database: &Database, data: &TempDir, settings: &[(&str, &str)]) -> Config {
    let environment = THROW_AWAY.iter().chain(settings).map(|(name, value)| (name.into(), value.into())).collect();
    let overrides = Overrides {
        data: Some(data.path().to_str().unwrap().to_owned()),
        database: Some(database.url().to_owned()),
        listen: None,
    };
    Config::load(&Sources { file: None, environment, overrides }).unwrap().config
}

async fn add_tenant(app: &App, name: &str) -> Tenant {
    let number = app.store().next_tenant_number().await.unwrap();
    let tenant = Tenant::new(TenantId(app.new_id()), number, name, None, Portal::System, app.now());
    app.store().add_tenant(&tenant).await.unwrap();
    tenant
}
