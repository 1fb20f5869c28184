//! The real program as a process of its own, to be killed.

use std::io::{BufRead as _, BufReader};
use std::net::SocketAddr;
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc;
use std::time::Duration;

use super::{Request, THROW_AWAY};

/// Owns the server from outside the test process: when standard input ends, because the test says so or because the test
/// process is gone, the server is killed. A signal that would end it at a file too large is left to it as an error.
const GUARD: &str =
    r#"trap '' XFSZ; "$@" & id=$!; echo "$id"; cat >/dev/null; exec 2>/dev/null; kill -KILL "$id"; wait "$id""#;
/// How long a start may take.
const LIMIT: Duration = Duration::from_secs(60);

/// An installation that is used through the program alone.
pub(crate) struct Installation {
    data: PathBuf,
    _removed_at_the_end: Option<tempfile::TempDir>,
    database: String,
    settings: Vec<(String, String)>,
}

impl Installation {
    /// On a database, with settings as environment variables say them.
    pub(crate) fn new(database: &str, settings: &[(&str, &str)]) -> Installation {
        let folder = tempfile::tempdir().unwrap();
        let installation = Installation::within(folder.path(), database, settings);
        Installation { _removed_at_the_end: Some(folder), ..installation }
    }

    /// The same in a data folder that the test looks into.
    pub(crate) fn within(data: &Path, database: &str, settings: &[(&str, &str)]) -> Installation {
        let settings = settings.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        Installation { data: data.to_owned(), _removed_at_the_end: None, database: database.to_owned(), settings }
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
        // Whether its database may lose anything is the test's to say.
        command.envs(THROW_AWAY.into_iter().filter(|(name, _)| !name.contains("DURABILITY")));
        command.env("SELFSAME__LOG__FORMAT", "json").env("SELFSAME__LOG__LEVEL", "warn,selfsame::cli=info");
        // A group of its own, so that Ctrl-C in the terminal ends the tests, and their end the server.
        let mut guard = command.process_group(0).spawn().unwrap();
        let mut id = String::new();
        BufReader::new(guard.stdout.take().unwrap()).read_line(&mut id).unwrap();
        let listening = addresses(guard.stderr.take().unwrap());
        let address = listening.recv_timeout(LIMIT).expect("the server listens; its log is above");
        let input = guard.stdin.take();
        // Without redirects and with connections of its own: nothing survives in it from a server that was killed.
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

/// Reads a server's log to its end, prints it for a test that fails, and tells where the server listens.
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

    /// The address of something on it.
    pub(crate) fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    /// Begins a request.
    pub(crate) fn request(&self, method: &str, path: &str) -> Request {
        Request::new(&self.client, method, &self.url(path))
    }

    /// Kills it (SIGKILL), and returns when it is gone.
    pub(crate) fn kill9(self) {}
}

impl Drop for Process {
    fn drop(&mut self) {
        self.input = None;
        let _ = self.guard.wait();
    }
}
