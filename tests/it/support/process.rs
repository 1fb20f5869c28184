//! The real program as a separate process that tests can kill.

use std::io::{BufRead as _, BufReader};
use std::net::SocketAddr;
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc;
use std::time::Duration;

use super::{Request, THROW_AWAY};

/// Owns the server from outside the test process: kills it when standard input is closed, by the test or by the end of the
/// test process. SIGXFSZ is ignored, so that a write beyond the file size limit fails with an error.
const GUARD: &str =
    r#"trap '' XFSZ; "$@" & id=$!; echo "$id"; cat >/dev/null; exec 2>/dev/null; kill -KILL "$id"; wait "$id""#;
/// Time limit for a start.
const LIMIT: Duration = Duration::from_secs(60);

/// An installation that is used only through the program.
pub(crate) struct DurableInstallation {
    data: PathBuf,
    _removed_at_the_end: Option<tempfile::TempDir>,
    database: String,
    settings: Vec<(String, String)>,
}

impl DurableInstallation {
    /// Creates an installation on a database, with settings as environment variables.
    pub(crate) fn new(database: &str, settings: &[(&str, &str)]) -> DurableInstallation {
        let folder = tempfile::tempdir().unwrap();
        let installation = DurableInstallation::within(folder.path(), database, settings);
        DurableInstallation { _removed_at_the_end: Some(folder), ..installation }
    }

    /// Creates an installation in a data folder that the test inspects.
    pub(crate) fn within(data: &Path, database: &str, settings: &[(&str, &str)]) -> DurableInstallation {
        let settings = settings.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        DurableInstallation {
            data: data.to_owned(),
            _removed_at_the_end: None,
            database: database.to_owned(),
            settings,
        }
    }

    /// Runs a command to its end and returns what it printed.
    pub(crate) fn run(&self, arguments: &[&str]) -> String {
        let mut command = Command::new(program());
        let output = self.place(command.args(arguments)).output().unwrap();
        let error = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{arguments:?}: {error}{}", String::from_utf8_lossy(&output.stdout));
        String::from_utf8(output.stdout).unwrap()
    }

    /// Adds an account to the tenant `demo`, which must exist, and returns its identifier and a token for the System portal.
    pub(crate) fn person(&self, fields: &[&str]) -> (String, String) {
        let create = [&["account", "create", "--tenant", "demo", "--json"], fields].concat();
        let account: serde_json::Value = serde_json::from_str(&self.run(&create)).unwrap();
        let id = account["id"].as_str().unwrap().to_owned();
        let token = self.run(&["token", "issue", "--account", &id, "--contract", "system", "--client-hash", "d1"]);
        (id, token.trim().to_owned())
    }

    /// Starts the server and returns when it listens.
    pub(crate) fn serve(&self) -> Process {
        let mut command = Command::new("/bin/sh");
        command.args(["-c", GUARD, "guard"]).arg(program()).args(["serve", "--listen", "127.0.0.1:0"]);
        self.place(&mut command).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        // The test decides whether the database may lose data.
        command.envs(THROW_AWAY.into_iter().filter(|(name, _)| !name.contains("DURABILITY")));
        command.env("SELFSAME__LOG__FORMAT", "json").env("SELFSAME__LOG__LEVEL", "warn,selfsame::cli=info");
        // A separate process group: Ctrl-C in the terminal ends the tests, and their end stops the server.
        let mut guard = command.process_group(0).spawn().unwrap();
        let mut id = String::new();
        BufReader::new(guard.stdout.take().unwrap()).read_line(&mut id).unwrap();
        let listening = addresses(guard.stderr.take().unwrap());
        let address = listening.recv_timeout(LIMIT).expect("the server listens; its log is above");
        let input = guard.stdin.take();
        // A new client per server: no connection to a killed server is reused.
        let client = reqwest::Client::builder().timeout(LIMIT).build().unwrap();
        Process { guard, input, id: id.trim().to_owned(), address, client }
    }

    fn place<'a>(&self, command: &'a mut Command) -> &'a mut Command {
        let path = std::env::var_os("PATH").unwrap_or_else(|| "/usr/bin:/bin".into());
        command.env_clear().env("PATH", path).envs(self.settings.iter().map(|(name, value)| (name, value)));
        command.arg("--data").arg(&self.data).args(["--database", &self.database])
    }
}

fn program() -> &'static Path {
    Path::new(env!("CARGO_BIN_EXE_selfsame"))
}

/// Reads a server's log to its end, prints it for a failing test, and sends the address that the server listens on.
fn addresses(log: impl std::io::Read + Send + 'static) -> mpsc::Receiver<SocketAddr> {
    let (sender, addresses) = mpsc::channel();
    std::thread::spawn(move || {
        for line in BufReader::new(log).lines().map_while(Result::ok) {
            let entry: serde_json::Value = serde_json::from_str(&line).unwrap_or_default();
            match entry["address"].as_str().filter(|_| entry["message"] == "listening") {
                Some(address) => drop(sender.send(address.parse().unwrap())),
                None if entry["level"] == "WARN" => {}
                None => eprintln!("server: {line}"),
            }
        }
    });
    addresses
}

/// A running server. Dropping it kills it.
pub(crate) struct Process {
    guard: Child,
    input: Option<ChildStdin>,
    id: String,
    address: SocketAddr,
    client: reqwest::Client,
}

impl Process {
    /// The process's identifier.
    pub(crate) fn id(&self) -> &str {
        &self.id
    }

    /// The URL of a path on the server.
    pub(crate) fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    /// Begins a request.
    pub(crate) fn request(&self, method: &str, path: &str) -> Request {
        Request::new(&self.client, method, &self.url(path))
    }

    /// Kills the server (SIGKILL) and returns when it has ended.
    pub(crate) fn kill9(self) {}
}

impl Drop for Process {
    fn drop(&mut self) {
        self.input = None;
        let _ = self.guard.wait();
    }
}
