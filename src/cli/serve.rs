use std::future::Future;
use std::io::IsTerminal;
use std::iter::Peekable;
use std::net::SocketAddr;
use std::panic::PanicHookInfo;
use std::sync::Arc;
use std::time::Duration;

use clap::Args;
use metrics_exporter_prometheus::PrometheusHandle;
use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};
use tracing_subscriber::EnvFilter;

use super::{Failure, GlobalOptions, Outcome};
use crate::app::{App, StartError, lock_for_serving};
use crate::clock::Clock;
use crate::config::{Config, ExposedFile, Loaded, LogFormat, TrustedIssuer};
use crate::serve::{Hosts, Listeners, Stop, Tls, run};
use crate::store::{Exclusion, OpenError};
use crate::telemetry::{self, Stopwatch, traces};

/// How long a start waits for a database that does not answer yet, and how long between two attempts.
const DATABASE_PATIENCE: Duration = Duration::from_secs(30);
const DATABASE_PAUSE: Duration = Duration::from_millis(500);
/// When a start that waits logs it, measured from its beginning.
const DATABASE_LOGGED: [Duration; 4] =
    [Duration::ZERO, Duration::from_secs(1), Duration::from_secs(5), Duration::from_secs(15)];

#[derive(Args)]
pub(super) struct Serve {
    /// The address and port to listen on (setting: server.listen)
    #[arg(long, value_name = "ADDR")]
    listen: Option<String>,
}

impl Serve {
    pub(super) async fn run(self, options: GlobalOptions) -> Outcome {
        let Loaded { config, exposed, .. } = options.load(self.listen)?;
        log(&config)?;
        let listener = bind(&config).await?;
        let tls = tls(&config)?;
        // Before the tables are migrated, which another server may not expect.
        let _lock = lock_for_serving(&config, Exclusion::All)?;
        let operator = operator(&config).await?;
        let app = start(config).await?;
        warn_of(&exposed);
        warn_of_missing_tenants(&app).await?;
        if app.store().has_dev_credentials().await? {
            tracing::warn!(
                "demo credentials of selfsame dev are valid in this database; selfsame copy makes a copy without them"
            );
        }
        let stop = stop_signal()?;
        tracing::info!(address = %listener.local_addr()?, "listening");
        serve(app, Listeners { contracts: listener, tls, operator, hosts: Hosts::Any }, stop).await
    }
}

/// Binds the address of the contracts.
pub(super) async fn bind(config: &Config) -> Result<TcpListener, Failure> {
    take("server.listen", config.server.listen).await
}

/// Installs the metrics recorder and binds the operator's address, if one is configured.
pub(super) async fn operator(config: &Config) -> Result<Option<(TcpListener, PrometheusHandle)>, Failure> {
    let Some(address) = config.operator.listen else { return Ok(None) };
    let metrics = telemetry::record().map_err(|error| Failure(format!("metrics: {error}")))?;
    let listener = take("operator.listen", address).await?;
    tracing::info!(address = %listener.local_addr()?, "metrics and health listener started");
    Ok(Some((listener, metrics)))
}

async fn take(key: &str, address: SocketAddr) -> Result<TcpListener, Failure> {
    TcpListener::bind(address)
        .await
        .map_err(|error| Failure(format!("{key} = \"{address}\": {error}; choose another address")))
}

/// Reads the certificate, if one is configured.
pub(super) fn tls(config: &Config) -> Result<Option<Arc<Tls>>, Failure> {
    Tls::read(&config.server).map_err(|error| Failure(error.to_string()))
}

/// Serves until `stop` completes.
pub(super) async fn serve(app: App, listeners: Listeners, stop: impl Future<Output = ()>) -> Outcome {
    if let Some(endpoint) = &app.config().telemetry.otlp_endpoint {
        traces::start(endpoint)
            .map_err(|error| Failure(format!("telemetry.otlp_endpoint = \"{endpoint}\": {error}")))?;
    }
    match run(app, listeners, stop).await {
        Stop::Clean => tracing::info!("stopped"),
        Stop::Cut => tracing::warn!("shutdown timed out; requests cut off"),
    }
    Ok(())
}

/// Warns of files with secrets that every user of the machine may read.
pub(super) fn warn_of(exposed: &[ExposedFile]) {
    for ExposedFile { setting, path, mode } in exposed {
        tracing::warn!(setting, path, mode = format!("{mode:o}"), "secret file is readable by others");
    }
}

/// Warns of trusted issuers whose tenant does not exist: all of their tokens are refused.
async fn warn_of_missing_tenants(app: &App) -> Outcome {
    for issuer in app.authenticator().without_tenant().await? {
        let TrustedIssuer { issuer, tenant, .. } = &issuer.settings;
        tracing::warn!(issuer, tenant, "tenant of trusted issuer does not exist");
    }
    Ok(())
}

/// Opens the installation. Waits for a database that does not answer yet; any other error ends the start.
async fn start(config: Config) -> Result<App, Failure> {
    let waited = Stopwatch::start();
    let mut logged = DATABASE_LOGGED.into_iter().peekable();
    loop {
        match App::start(config.clone(), Clock::System).await {
            Err(StartError::Open(error @ OpenError::Unreachable(..))) if waited.elapsed() < DATABASE_PATIENCE => {
                if is_due(&mut logged, waited.elapsed()) {
                    tracing::warn!(%error, "waiting for database");
                }
                tokio::time::sleep(DATABASE_PAUSE).await;
            }
            started => return Ok(started?),
        }
    }
}

/// Checks whether a time is due, and takes all that are: those that an attempt lasted over are not made up for.
fn is_due(times: &mut Peekable<impl Iterator<Item = Duration>>, elapsed: Duration) -> bool {
    let mut due = false;
    while times.next_if(|time| *time <= elapsed).is_some() {
        due = true;
    }
    due
}

/// Sends logs to standard error, as text or JSON; by default text on a terminal, JSON otherwise. Panics are logged too. At most
/// once in a process.
///
/// # Errors
///
/// The level is not one, in a sentence that names the setting.
pub fn log(config: &Config) -> Result<(), String> {
    // Migrations log each step at level info, and so does PostgreSQL; a start that changes nothing should log nothing.
    let filter = EnvFilter::try_new(format!("refinery_core=warn,tokio_postgres=warn,{}", config.log.level))
        .map_err(|error| format!("log.level: {error}"))?;
    let logger = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr);
    let text = match config.log.format {
        LogFormat::Text => true,
        LogFormat::Json => false,
        LogFormat::Auto => std::io::stderr().is_terminal(),
    };
    if text {
        logger.init()
    } else {
        logger.json().flatten_event(true).with_span_list(false).init()
    }
    std::panic::set_hook(Box::new(log_panic));
    Ok(())
}

/// Logs where a panic happened, without its message, which may contain personal data.
fn log_panic(panic: &PanicHookInfo<'_>) {
    let place = panic.location().map(ToString::to_string).unwrap_or_default();
    tracing::error!(place, "panicked");
}

/// Returns a future that completes at the first SIGTERM or SIGINT from now on; called before the server announces itself.
pub(super) fn stop_signal() -> Result<impl Future<Output = ()>, Failure> {
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    Ok(async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
    })
}

#[cfg(test)]
mod tests {
    use std::io;
    use std::sync::Mutex;

    use super::*;

    #[derive(Clone, Default)]
    struct Lines(Arc<Mutex<Vec<u8>>>);

    impl io::Write for Lines {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().unwrap().extend_from_slice(bytes);
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn a_start_that_waits_is_logged_at_once_and_after_1_5_and_15_seconds() {
        let mut times = DATABASE_LOGGED.into_iter().peekable();
        let logged = (0..60).map(|attempt| DATABASE_PAUSE * attempt).filter(|elapsed| is_due(&mut times, *elapsed));
        assert_eq!(logged.collect::<Vec<_>>(), DATABASE_LOGGED);
        let mut times = DATABASE_LOGGED.into_iter().peekable();
        let after_long_attempts = [3, 6, 9].map(|seconds| is_due(&mut times, Duration::from_secs(seconds)));
        assert_eq!(after_long_attempts, [true, true, false]);
    }

    #[test]
    fn a_panic_is_logged_with_its_location_and_without_its_message() {
        const THREAD: &str = "panics for a test";
        let others = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |panic| match std::thread::current().name() {
            Some(THREAD) => log_panic(panic),
            _ => others(panic),
        }));
        let lines = Lines::default();
        let writer = lines.clone();
        let subscriber = tracing_subscriber::fmt().json().with_writer(move || writer.clone()).finish();
        let panics = || tracing::subscriber::with_default(subscriber, || panic!("jane@example.com"));
        let ended = std::thread::Builder::new().name(THREAD.to_owned()).spawn(panics).unwrap().join();
        assert!(ended.is_err());
        let log = String::from_utf8(lines.0.lock().unwrap().clone()).unwrap();
        assert!(log.contains("\"panicked\"") && log.contains("src/cli/serve.rs:"), "{log}");
        assert!(!log.contains("jane"), "{log}");
    }
}
