mod database;
mod exposure;
mod remembered;

use std::net::Ipv4Addr;
use std::time::Duration;

use askama::Template;
use clap::Args;
use jiff::Timestamp;
use serde::Serialize;

use super::{Failure, GlobalOptions, Outcome, client, key, output, serve, tenant};
use crate::account::history::ChangeContext;
use crate::account::{Account, AccountId, Application, Contract, Edit, Error, Field, Patch, Portal, Tenant, Text};
use crate::app::{App, lock_for_serving};
use crate::clock::Clock;
use crate::config::{Config, Loaded, Origin};
use crate::identity::Grant;
use crate::outbox::Delivery;
use crate::serve::{Hosts, Listeners};
use crate::store::Exclusion;

pub(super) use remembered::credentials;

/// The demo tenant's name.
const TENANT: &str = "demo";
/// The demo client's `X-Client-Hash`.
const CLIENT_HASH: &str = "dev-client";
/// The demo API key's name.
const KEY: &str = "selfsame dev";
/// The claims that the demo application may read.
const CLAIMS: [&str; 7] = ["name", "nickname", "email", "phone_number", "zoneinfo", "locale", "picture"];
/// How long the demo tokens are valid.
const LIFETIME: Duration = Duration::from_secs(24 * 60 * 60);

#[derive(Args)]
pub(super) struct Dev {
    /// The address and port to listen on, on loopback unless --expose is given; port 0 takes a free one
    #[arg(long, value_name = "ADDR")]
    listen: Option<String>,
    /// Listen on any address and answer for any host name: everyone who can reach it can use the demo credentials and read
    /// every code
    #[arg(long)]
    expose: bool,
    /// Print one JSON line once the server listens
    #[arg(long)]
    json: bool,
}

/// What a client needs to start: printed as JSON for programs, and for people as requests to paste into a shell, one for
/// every operation.
#[derive(Serialize, Template)]
#[template(path = "dev-guide.txt")]
struct Demo {
    base_url: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    operator_url: Option<String>,
    mailbox_url: String,
    tenant: String,
    account_id: String,
    bystander_id: String,
    contracts: Contracts,
}

#[derive(Serialize)]
struct Contracts {
    system: System,
    cl2c: Cl2c,
    rivergen: RiverGen,
    ciam: Ciam,
}

#[derive(Serialize)]
struct System {
    token: String,
    client_hash: &'static str,
}

#[derive(Serialize)]
struct Cl2c {
    tenant: String,
    api_key: String,
    user_id: String,
}

#[derive(Serialize)]
struct RiverGen {
    token: String,
}

#[derive(Serialize)]
struct Ciam {
    token: String,
    client_id: String,
    client_secret: String,
    #[serde(skip)]
    email: String,
}

impl Dev {
    pub(super) async fn run(self, options: GlobalOptions) -> Outcome {
        let loaded = options.load(self.listen)?;
        let config = ample(&loaded);
        if !self.expose {
            exposure::refuse(&config)?;
        }
        serve::log(&config)?;
        database::check(&config).await?;
        let _lock = lock_for_serving(&config, Exclusion::AllButDev)?;
        let listener = serve::bind(&config).await?;
        let base_url = config.public_url(listener.local_addr()?);
        let tls = serve::tls(&config)?;
        let operator = serve::operator(&config).await?;
        let stop = serve::stop_signal()?;
        database::claim(&config).await?;
        let app = App::start_with(config, Clock::System, Delivery::Mailbox).await?;
        serve::warn_of(&loaded.exposed);
        // Before `prepare` issues a token of the demo application: the `iss` of such tokens is the public URL.
        app.listens_on(listener.local_addr()?);
        let operator_url = operator.as_ref().map(|(listener, _)| listener.local_addr()).transpose()?;
        let demo = prepare(&app, base_url, operator_url.map(|address| format!("http://{address}"))).await?;
        if self.json {
            output::line(serde_json::to_string(&demo).map_err(|error| Failure(error.to_string()))?)?;
        } else {
            output::line(demo.render().map_err(|error| Failure(error.to_string()))?)?;
        }
        let hosts = if self.expose { Hosts::Any } else { Hosts::Loopback };
        serve::serve(app, Listeners { contracts: listener, tls, operator, hosts }, stop).await
    }
}

/// The origins of pages that are developed on this machine.
const LOOPBACK_ORIGINS: [&str; 6] = [
    "http://localhost:*",
    "http://127.0.0.1:*",
    "http://[::1]:*",
    "https://localhost:*",
    "https://127.0.0.1:*",
    "https://[::1]:*",
];

/// Turns off the rate limits that are not configured, lets pages of loopback origins call the server, and adds an operator
/// listener on a free loopback port if none is configured.
fn ample(loaded: &Loaded) -> Config {
    let untouched = |key: &str| loaded.settings.iter().any(|set| set.key == key && set.origin == Origin::Default);
    let mut config = loaded.config.clone();
    let limits = &mut config.rate_limit;
    for (key, limit) in [
        ("rate_limit.address", &mut limits.address),
        ("rate_limit.system", &mut limits.system),
        ("rate_limit.rivergen", &mut limits.rivergen),
        ("rate_limit.default", &mut limits.default),
    ] {
        if untouched(key) {
            *limit = 0;
        }
    }
    config.server.cors_origins.extend(LOOPBACK_ORIGINS.map(str::to_owned));
    config.operator.listen = config.operator.listen.or(Some((Ipv4Addr::LOCALHOST, 0).into()));
    config
}

/// Creates the demo tenant and accounts if they are missing, and new credentials at every start.
async fn prepare(app: &App, base_url: String, operator_url: Option<String>) -> Result<Demo, Failure> {
    let find_tenant = async || app.store().tenant_by_name(TENANT).await;
    let tenant = find_or_make(find_tenant, tenant::create(app, TENANT, None, Portal::System)).await?;
    let account = person(app, &tenant, remembered::ACCOUNT, &DEMO, PUBLISHED).await?;
    let bystander = person(app, &tenant, "dev.bystander", &BYSTANDER, (app.now(), app.now())).await?;
    remembered::revoke(app, &tenant).await?;
    let (api_key, _) = key::create(app, &tenant, Some(account), KEY.to_owned(), None).await?;
    let ciam = application(app, &tenant, account).await?;
    let system = System { token: token(app, account, Contract::System).await?, client_hash: CLIENT_HASH };
    Ok(Demo {
        mailbox_url: format!("{base_url}/dev/mailbox"),
        base_url,
        operator_url,
        tenant: tenant.name.clone(),
        account_id: account.to_string(),
        bystander_id: bystander.to_string(),
        contracts: Contracts {
            system,
            cl2c: Cl2c { tenant: tenant.name, api_key, user_id: account.to_string() },
            rivergen: RiverGen { token: token(app, account, Contract::RiverGen).await? },
            ciam,
        },
    })
}

/// Returns what an earlier start made, or makes it. If that fails, looks once more, since a concurrent start may have been
/// faster.
async fn find_or_make<T>(
    find: impl AsyncFn() -> Result<Option<T>, Error>,
    make: impl Future<Output = Result<T, Failure>>,
) -> Result<T, Failure> {
    if let Some(found) = find().await? {
        return Ok(found);
    }
    match make.await {
        Ok(made) => Ok(made),
        Err(failure) => find().await?.ok_or(failure),
    }
}

/// The demo person's fields, as in the published documentation of the System portal.
const DEMO: [(Field, &str); 9] = [
    (Field::DisplayName, "System Admin"),
    (Field::GivenName, "John"),
    (Field::FamilyName, "Doe"),
    (Field::Username, "john_doe"),
    (Field::Email, "admin@example.com"),
    (Field::Phone, "+1234567890"),
    (Field::Language, "en"),
    (Field::TimeZone, "America/New_York"),
    (Field::Country, "US"),
];
/// The times of creation and last change in that documentation.
const PUBLISHED: (Timestamp, Timestamp) =
    (Timestamp::constant(1_768_464_000, 0), Timestamp::constant(1_774_017_000, 0));
/// A second person's fields, to show that requests never change another account.
const BYSTANDER: [(Field, &str); 3] =
    [(Field::DisplayName, "Jo Bystander"), (Field::Username, "bystander"), (Field::Email, "bystander@example.com")];

/// Returns the account whose identifier is in the row `fact` of the table `installation`; created at the first start.
async fn person(
    app: &App,
    tenant: &Tenant,
    fact: &str,
    fields: &[(Field, &str)],
    (created_at, updated_at): (Timestamp, Timestamp),
) -> Result<AccountId, Failure> {
    let id = remembered::account_id(fact, &app.store().fact(fact, &app.new_id().to_string()).await?)?;
    let mut patch = Patch { email_verified: Some(true), ..Patch::default() };
    for (field, value) in fields {
        patch.edit(*field, Edit::Set(Text::new(*value).map_err(|error| Failure(error.to_string()))?));
    }
    let make = async {
        let number = app.store().next_account_number().await?;
        let mut account = Account::new(id, number, None, tenant, created_at);
        account.updated_at = updated_at;
        Ok(app.profiles().create(account, &patch, None, &ChangeContext::operator()).await?)
    };
    Ok(find_or_make(async || app.store().account(id).await, make).await?.id)
}

/// Issues a token for a contract and stores its identifier, so that the next start can revoke it.
async fn token(app: &App, account: AccountId, contract: Contract) -> Result<String, Failure> {
    let client_hash = (contract == Contract::System).then(|| CLIENT_HASH.to_owned());
    let grant = Grant { account, contract, scope: None, client_hash, lifetime: LIFETIME };
    let issued = app.issuer().issue(&grant).await?;
    app.store().set_fact(&remembered::last_token(contract), &issued.token_id).await?;
    Ok(issued.token)
}

/// Returns the demo application, created at the first start, with a new secret and a token for the demo person.
async fn application(app: &App, tenant: &Tenant, account: AccountId) -> Result<Ciam, Failure> {
    let id = app.store().fact(remembered::APPLICATION, &app.new_id().to_string()).await?;
    let make = async {
        let blank = Application {
            id: id.clone(),
            name: "selfsame dev".to_owned(),
            claims: CLAIMS.map(str::to_owned).to_vec(),
            auto_signup: true,
            token_lifetime: i64::try_from(LIFETIME.as_secs()).unwrap_or(i64::MAX),
            ..client::blank(app, tenant)
        };
        client::create(app, blank).await.map(|(application, _)| application)
    };
    let find = async || Ok(app.store().application(&id).await?.map(|(application, _)| application));
    let mut application = find_or_make(find, make).await?;
    let secret = client::renew_secret(app, &mut application).await?;
    let tokens = app.sign_ins().begin(&application, account).await?;
    app.store().set_fact(remembered::LAST_CIAM_TOKEN, &format!("{} {}", app.public_url(), tokens.token_id)).await?;
    // The e-mail address may have changed since the first start.
    let person = app.store().account(account).await?;
    let email = person.as_ref().and_then(|person| person.text(Field::Email)).unwrap_or_default().to_owned();
    Ok(Ciam { token: tokens.access_token, client_id: application.id, client_secret: secret, email })
}
