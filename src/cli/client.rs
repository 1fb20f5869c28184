use std::collections::HashSet;

use clap::{Args, Subcommand};
use jiff::SignedDuration;

use super::duration::duration;
use super::{Failure, Outcome, label, output, tenant_named};
use crate::account::{Application, Contract, GrantType, Kind, Tenant};
use crate::app::App;
use crate::identity::application::{mint_secret, secret_hash};
use crate::json::{Object, Value};

/// The longest identifier or claim, in bytes.
const MAX_WORD: usize = 128;

#[derive(Subcommand)]
pub(super) enum Command {
    /// Create an application that people sign in through, and print its secret, which is not shown again
    Create(Create),
    /// List a tenant's applications
    List(List),
    /// Replace the claims that an application may read
    SetClaims(SetClaims),
    /// Replace the attributes that an application may change
    SetWrites(SetWrites),
    /// Replace the secret of an application; the old one stops working at once
    RotateSecret(RotateSecret),
    /// Delete an application and sign out everyone who signed in through it
    Delete(Delete),
}

#[derive(Args)]
pub(super) struct Create {
    /// The tenant's name
    #[arg(long)]
    tenant: String,
    /// The application's name
    #[arg(long)]
    name: String,
    /// The claims that it may read besides sub, such as email,name,nickname,phone_number
    #[arg(long, value_delimiter = ',', value_parser = claim)]
    claims: Vec<String>,
    /// The attributes that it may change, such as name,nickname,phone_number (default: all that can be changed)
    #[arg(long, value_delimiter = ',', value_parser = claim)]
    writes: Option<Vec<String>>,
    /// Its kind: web, spa, mobile or m2m; web and m2m have a secret
    #[arg(long, default_value = "web")]
    kind: Kind,
    /// The grant types that it may use, such as sms,email,refresh_token,client_credentials (default: those of its kind)
    #[arg(long, value_delimiter = ',')]
    grants: Vec<GrantType>,
    /// Create an account when a person proves an address that no account has
    #[arg(long)]
    auto_signup: bool,
    /// A web origin whose pages may read responses, such as https://app.example.com; may be given several times
    #[arg(long = "origin", value_name = "ORIGIN", value_parser = origin)]
    origins: Vec<String>,
    /// How long its access tokens are valid
    #[arg(long, value_name = "DURATION", default_value = "10m", value_parser = lifetime)]
    token_lifetime: i64,
    /// Its client identifier (default: a new one)
    #[arg(long, value_parser = id)]
    id: Option<String>,
    /// Print one JSON object
    #[arg(long)]
    json: bool,
}

#[derive(Args)]
pub(super) struct List {
    /// The tenant's name
    #[arg(long)]
    tenant: String,
    /// Print one JSON object per line
    #[arg(long)]
    json: bool,
}

#[derive(Args)]
pub(super) struct SetClaims {
    /// The application's identifier
    id: String,
    /// The claims that it may read from now on (default: none)
    #[arg(long, value_delimiter = ',', value_parser = claim)]
    claims: Vec<String>,
}

#[derive(Args)]
pub(super) struct SetWrites {
    /// The application's identifier
    id: String,
    /// The attributes that it may change from now on (default: none)
    #[arg(long, value_delimiter = ',', value_parser = claim, conflicts_with = "all")]
    writes: Vec<String>,
    /// Let it change all that can be changed
    #[arg(long)]
    all: bool,
}

#[derive(Args)]
pub(super) struct RotateSecret {
    /// The application's identifier
    id: String,
}

#[derive(Args)]
pub(super) struct Delete {
    /// The application's identifier
    id: String,
}

impl Command {
    pub(super) async fn run(self, app: &App) -> Outcome {
        match self {
            Command::Create(create) => create.run(app).await,
            Command::List(list) => list.run(app).await,
            Command::SetClaims(set) => {
                let mut application = found(app, &set.id).await?;
                application.claims = set.claims;
                application.updated_at = app.now();
                Ok(app.store().set_application(&application).await?)
            }
            Command::SetWrites(set) => {
                let mut application = found(app, &set.id).await?;
                application.writes = (!set.all).then_some(set.writes);
                application.updated_at = app.now();
                Ok(app.store().set_application(&application).await?)
            }
            Command::RotateSecret(rotate) => {
                let mut application = found(app, &rotate.id).await?;
                if !application.kind.keeps_a_secret() {
                    let kind = application.kind.name();
                    return Err(Failure(format!(
                        "applications of kind {kind} have no secret; only web and m2m have one"
                    )));
                }
                output::line(renew_secret(app, &mut application).await?)
            }
            Command::Delete(delete) => match app.store().delete_application(&delete.id).await? {
                true => Ok(()),
                false => Err(unknown(&delete.id)),
            },
        }
    }
}

impl Create {
    async fn run(self, app: &App) -> Outcome {
        let tenant = tenant_named(app, &self.tenant).await?;
        let name = label(self.name)?;
        let longest = app.issuer().max_lifetime();
        if SignedDuration::from_secs(self.token_lifetime) > longest {
            return Err(Failure(format!("--token-lifetime: must be at most issuer.max_token_lifetime, {longest:#}")));
        }
        if self.grants.contains(&GrantType::ClientCredentials) && !self.kind.keeps_a_secret() {
            return Err(Failure(
                "--grants: client_credentials requires an application with a secret: --kind web or m2m".to_owned(),
            ));
        }
        if let Some(id) = &self.id {
            refuse_account(app, id).await?;
        }
        let new = Application {
            id: self.id.unwrap_or_else(|| app.new_id().to_string()),
            name,
            kind: self.kind,
            grants: if self.grants.is_empty() { self.kind.grants() } else { self.grants },
            claims: self.claims,
            writes: self.writes,
            origins: distinct(self.origins),
            auto_signup: self.auto_signup,
            token_lifetime: self.token_lifetime,
            ..blank(app, &tenant)
        };
        let (application, secret) = create(app, new).await?;
        let mut record = record(&application);
        record.insert("client_secret", secret);
        output::record(&record, self.json)
    }
}

/// Refuses the identifier of an account: the subject of a token must name one of them.
async fn refuse_account(app: &App, id: &str) -> Outcome {
    match app.sign_ins().names_an_account(id).await? {
        true => Err(Failure("id: an account has this identifier; choose another one for the application".to_owned())),
        false => Ok(()),
    }
}

/// Removes duplicate origins; the first of each is kept.
fn distinct(mut origins: Vec<String>) -> Vec<String> {
    let mut seen = HashSet::new();
    origins.retain(|origin| seen.insert(origin.clone()));
    origins
}

/// Returns a new application with default settings, without a name or a secret.
pub(super) fn blank(app: &App, tenant: &Tenant) -> Application {
    Application {
        id: app.new_id().to_string(),
        tenant_id: tenant.id,
        name: String::new(),
        kind: Kind::Web,
        grants: Kind::Web.grants(),
        claims: Vec::new(),
        writes: None,
        origins: Vec::new(),
        auto_signup: false,
        token_lifetime: Application::TOKEN_LIFETIME,
        secret_hash: None,
        created_at: app.now(),
        updated_at: app.now(),
    }
}

/// Adds an application and returns it with its secret, if its kind has one; only a hash of the secret is stored.
pub(super) async fn create(app: &App, mut application: Application) -> Result<(Application, Option<String>), Failure> {
    let secret = application.kind.keeps_a_secret().then(mint_secret);
    application.secret_hash = secret.as_deref().map(|secret| secret_hash(app.keys(), &application.id, secret));
    app.store().add_application(&application).await?;
    Ok((application, secret))
}

/// Replaces the secret of an application and returns the new one.
pub(super) async fn renew_secret(app: &App, application: &mut Application) -> Result<String, Failure> {
    let secret = mint_secret();
    application.secret_hash = Some(secret_hash(app.keys(), &application.id, &secret));
    application.updated_at = app.now();
    app.store().set_application(application).await?;
    Ok(secret)
}

impl List {
    async fn run(self, app: &App) -> Outcome {
        let tenant = tenant_named(app, &self.tenant).await?;
        for mut application in app.store().applications(tenant.id).await? {
            application.origins = app.store().application_origins(&application.id).await?;
            if output::item(&record(&application), self.json)?.is_break() {
                break;
            }
        }
        Ok(())
    }
}

/// Returns the application with this identifier, including its origins.
async fn found(app: &App, id: &str) -> Result<Application, Failure> {
    let (mut application, _) = app.store().application(id).await?.ok_or_else(|| unknown(id))?;
    application.origins = app.store().application_origins(id).await?;
    Ok(application)
}

fn unknown(id: &str) -> Failure {
    Failure(format!("no application has the id {id}; see `selfsame client list`"))
}

fn record(application: &Application) -> Object {
    let list = |words: Vec<&str>| words.into_iter().map(Value::from).collect::<Vec<Value>>();
    let mut record = Object::new();
    record.insert("client_id", application.id.as_str());
    record.insert("name", application.name.as_str());
    record.insert("kind", application.kind.name());
    record.insert("grants", list(application.grants.iter().map(|grant| grant.name()).collect()));
    record.insert("claims", list(application.claims.iter().map(String::as_str).collect()));
    let writes = application.writes.as_ref();
    let writes = writes.map(|writes| list(writes.iter().map(String::as_str).collect()));
    record.insert("writes", writes.map_or(Value::Null, Value::from));
    record.insert("origins", list(application.origins.iter().map(String::as_str).collect()));
    record.insert("auto_signup", application.auto_signup);
    record.insert("token_lifetime", application.token_lifetime);
    record.insert("created_at", application.created_at.to_string());
    record.insert("updated_at", application.updated_at.to_string());
    record
}

fn claim(text: &str) -> Result<String, String> {
    let fits = (1..=MAX_WORD).contains(&text.len()) && !text.contains(|c: char| c.is_control() || c.is_whitespace());
    if fits {
        Ok(text.to_owned())
    } else {
        Err(format!("expected 1 to {MAX_WORD} bytes without spaces and control characters"))
    }
}

/// Parses a client identifier: visible ASCII, and not the name of a contract, since both are audiences of tokens.
fn id(text: &str) -> Result<String, String> {
    let fits = (1..=MAX_WORD).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_graphic());
    let contract = Contract::ALL.into_iter().any(|contract| contract.name() == text);
    if fits && !contract {
        Ok(text.to_owned())
    } else {
        Err(format!("expected 1 to {MAX_WORD} visible ASCII characters, and not the name of a contract"))
    }
}

/// Parses a web origin as browsers send it (RFC 6454 §6.2): scheme, lower-case host, and the port unless it is the scheme's
/// default, which is not checked.
fn origin(text: &str) -> Result<String, String> {
    let expected =
        || "expected an origin such as https://app.example.com, without a path or a slash at its end".to_owned();
    let host = text.strip_prefix("https://").or_else(|| text.strip_prefix("http://")).ok_or_else(expected)?;
    let fits = !host.is_empty()
        && text.len() <= 255
        && host.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b".-:[]".contains(&byte));
    if fits { Ok(text.to_owned()) } else { Err(expected()) }
}

/// Parses a lifetime in whole seconds, at least one.
fn lifetime(text: &str) -> Result<i64, String> {
    let seconds = duration(text)?.as_secs();
    if seconds > 0 { Ok(seconds) } else { Err("expected at least a second".to_owned()) }
}
