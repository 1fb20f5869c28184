//! The command line, one file per command.

mod account;
mod assignment;
mod audit;
mod client;
mod config;
mod copy;
mod dev;
#[cfg(test)]
mod documented;
mod duration;
mod issuer;
mod key;
mod migrate;
mod openapi;
mod output;
mod secure_channel;
mod serve;
mod tenant;
mod tenant_schema;
mod token;
mod token_explain;
mod transfer;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::error::ErrorKind;
use clap::{Args, Parser, Subcommand};

use crate::account::{Account, Error, Tenant};
use crate::app::App;
use crate::clock::Clock;
use crate::config::{Config, Loaded, Overrides, Sources};
use crate::telemetry::traces;

pub use serve::log;

/// A self-hosted profile server: one account behind the API contracts that apps already use.
#[derive(Parser)]
#[command(name = "selfsame", version, disable_help_subcommand = true)]
struct Arguments {
    #[command(flatten)]
    options: GlobalOptions,
    #[command(subcommand)]
    command: Command,
}

/// Options that locate the installation, accepted by every command.
#[derive(Args, Clone, Default)]
struct GlobalOptions {
    /// The TOML file with the settings
    #[arg(long, global = true, value_name = "FILE")]
    config: Option<PathBuf>,
    /// The folder of the embedded database, the master key and the pictures (setting: data)
    #[arg(long, global = true, value_name = "DIR")]
    data: Option<String>,
    /// The database, sqlite:PATH or postgres://… (setting: database.url)
    #[arg(long, global = true, value_name = "URL")]
    database: Option<String>,
}

#[derive(Subcommand)]
enum Command {
    /// Serve the contracts
    Serve(serve::Serve),
    /// Serve with a demo account, in a database of its own, and print requests to try
    Dev(dev::Dev),
    /// Check or explain the configuration
    #[command(subcommand)]
    Config(config::Command),
    /// Create, list and change tenants
    #[command(subcommand)]
    Tenant(tenant::Command),
    /// Create, show, list, change and move accounts
    #[command(subcommand)]
    Account(account::Command),
    /// Create, list and revoke API keys
    #[command(subcommand)]
    Key(key::Command),
    /// Create, list, change and delete applications that people sign in through
    #[command(subcommand)]
    Client(client::Command),
    /// Issue tokens of the embedded issuer, revoke tokens of any issuer, and explain why one is refused
    #[command(subcommand)]
    Token(token::Command),
    /// Rotate the keys that the embedded issuer signs with
    #[command(subcommand)]
    Issuer(issuer::Command),
    /// Rotate the keys that decrypt encrypted bodies
    #[command(subcommand)]
    Channel(secure_channel::Command),
    /// Print a contract's OpenAPI document
    Openapi(openapi::OpenApi),
    /// Bring tables and unique keys up to date, and check that the tables fit every statement of this version
    Migrate(migrate::Migrate),
    /// Copy a whole installation into another, empty database
    Copy(copy::Copy),
    /// Read and verify the history of accounts
    #[command(subcommand)]
    Audit(audit::Command),
}

/// Why a command failed, as one line for a person.
#[derive(Debug)]
struct Failure(String);

type Outcome = Result<(), Failure>;

/// Runs the command that the process was started with.
pub fn main() -> ExitCode {
    let arguments = match Arguments::try_parse() {
        Ok(arguments) => arguments,
        Err(error) => return refuse(&error),
    };
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => return fail(&Failure::from(error)),
    };
    let outcome = runtime.block_on(run(arguments));
    // The remaining spans are sent by a blocking client, which must not run inside the asynchronous runtime.
    drop(runtime);
    traces::stop();
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => fail(&failure),
    }
}

/// Reports a refused value like any other failure, with one line and exit code 1. Other usage errors print the usage with
/// exit code 2, and `--help` prints the help.
fn refuse(error: &clap::Error) -> ExitCode {
    if error.kind() != ErrorKind::ValueValidation {
        error.exit();
    }
    let text = error.to_string();
    let summary = text.split("\n\n").next().unwrap_or_default();
    fail(&Failure(summary.trim_start_matches("error: ").replace('\n', " ")))
}

fn fail(failure: &Failure) -> ExitCode {
    output::report(format_args!("selfsame: {}", failure.0));
    ExitCode::FAILURE
}

async fn run(arguments: Arguments) -> Outcome {
    let options = arguments.options;
    match arguments.command {
        Command::Serve(serve) => serve.run(options).await,
        Command::Dev(dev) => dev.run(options).await,
        Command::Config(command) => command.run(&options).await,
        Command::Tenant(command) => command.run(&options.open().await?).await,
        Command::Account(command) => command.run(&options.open().await?).await,
        Command::Key(command) => command.run(&options.open().await?).await,
        Command::Client(command) => command.run(&options.open().await?).await,
        Command::Token(command) => command.run(&options.open().await?).await,
        Command::Issuer(command) => command.run(&options.open().await?).await,
        Command::Channel(command) => command.run(&options.open().await?).await,
        Command::Openapi(openapi) => openapi.run(),
        Command::Migrate(migrate) => migrate.run(&options).await,
        Command::Copy(copy) => copy.run(options).await,
        Command::Audit(command) => command.run(&options.open().await?).await,
    }
}

impl GlobalOptions {
    fn load(&self, listen: Option<String>) -> Result<Loaded, Failure> {
        let overrides = Overrides { listen, data: self.data.clone(), database: self.database.clone() };
        let environment = std::env::vars_os().collect();
        Ok(Config::load(&Sources { file: self.config.clone(), environment, overrides })?)
    }

    async fn open(&self) -> Result<App, Failure> {
        Ok(App::start(self.load(None)?.config, Clock::System).await?)
    }
}

/// Checks a name that lists show: at most 128 characters, none of them a control character.
fn label(name: String) -> Result<String, Failure> {
    const MAX: usize = 128;
    if name.chars().count() > MAX || name.contains(char::is_control) {
        return Err(Failure(format!("name: expected at most {MAX} characters, none of them a control character")));
    }
    Ok(name)
}

/// Returns the tenant with this name.
async fn tenant_named(app: &App, name: &str) -> Result<Tenant, Failure> {
    let tenant = app.store().tenant_by_name(name).await?;
    tenant.ok_or_else(|| Failure(format!("no tenant is named {name}; see `selfsame tenant list`")))
}

/// Returns the account with this identifier.
async fn account_with(app: &App, id: crate::account::AccountId) -> Result<Account, Failure> {
    let account = app.store().account(id).await?;
    account.ok_or_else(|| Failure(format!("no account has the id {id}; see `selfsame account list`")))
}

macro_rules! failure_from {
    ($($source:ty),+) => {
        $(impl From<$source> for Failure { fn from(error: $source) -> Failure { Failure(error.to_string()) } })+
    };
}
failure_from!(std::io::Error, crate::config::ConfigError, crate::app::StartError, String);

impl From<Error> for Failure {
    fn from(error: Error) -> Failure {
        Failure(match error {
            Error::Unavailable(cause) => format!("the database does not answer: {cause}"),
            Error::Attributes(faults) => format!(
                "attributes do not match the tenant's schema at: {}; see `selfsame tenant show-schema`",
                tenant_schema::places(&faults)
            ),
            other => other.to_string(),
        })
    }
}
