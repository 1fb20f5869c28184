//! The real program, run as a person or a service manager runs it.

use std::fmt;
use std::io::{BufRead as _, BufReader, PipeWriter, Read as _, Write as _};
use std::net::SocketAddr;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{self, Receiver};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use jiff::Timestamp;
use tempfile::TempDir;
use uuid::Uuid;

use super::{Database, OnDatabase};

/// Time limit for one line of output and for the end of the program.
const LIMIT: Duration = Duration::from_secs(30);

/// An installation of the program: its data folder and its database.
pub(crate) struct Installation {
    data: TempDir,
    database: Option<Database>,
    environment: Vec<(String, String)>,
}

impl OnDatabase for Installation {
    async fn start(database: Database) -> Self {
        Installation { database: Some(database), ..Installation::new() }
    }
}

impl Installation {
    /// Creates an installation with the default database, in its data folder.
    pub(crate) fn new() -> Installation {
        Installation { data: tempfile::tempdir().unwrap(), database: None, environment: Vec::new() }
    }

    /// Sets an environment variable for every run from now on.
    pub(crate) fn set(&mut self, name: &str, value: &str) {
        self.environment.push((name.to_owned(), value.to_owned()));
    }

    pub(crate) fn data(&self) -> &Path {
        self.data.path()
    }

    /// The database that the installation was started on.
    pub(crate) fn database(&self) -> &Database {
        self.database.as_ref().unwrap()
    }

    /// The file of the embedded database, for tests that change it without the program.
    pub(crate) fn sqlite_file(&self) -> std::path::PathBuf {
        self.data().join("selfsame.sqlite3")
    }

    /// Runs a command to its end.
    pub(crate) fn run(&self, arguments: &[&str]) -> Ended {
        self.spawn(arguments).end()
    }

    /// Runs a command that reads this text from standard input, to its end.
    pub(crate) fn run_with_input(&self, arguments: &[&str], input: &str) -> Ended {
        let mut child = self.command(arguments).stdin(Stdio::piped()).spawn().unwrap();
        child.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
        let (output, errors) = (child.stdout.take().unwrap(), child.stderr.take().unwrap());
        Running { child, output: Lines::read(output), errors: Lines::read(errors) }.end()
    }

    /// Runs a command that must succeed, and returns what it printed.
    pub(crate) fn print(&self, arguments: &[&str]) -> String {
        let ended = self.run(arguments);
        assert!(ended.code == Some(0), "{arguments:?}: {ended}");
        ended.output
    }

    /// Runs a command that must succeed, and returns the one JSON object that it printed.
    pub(crate) fn json(&self, arguments: &[&str]) -> serde_json::Value {
        let output = self.print(arguments);
        assert_eq!(output.lines().count(), 1, "{output}");
        serde_json::from_str(&output).unwrap()
    }

    /// Runs a command that must fail with exit code 1 and one line on standard error, and returns that line.
    pub(crate) fn refusal(&self, arguments: &[&str]) -> String {
        let ended = self.run(arguments);
        assert!(ended.code == Some(1) && ended.output.is_empty(), "{arguments:?}: {ended}");
        assert_eq!(ended.errors.lines().count(), 1, "{ended}");
        self.settled(&ended.errors)
    }

    /// Replaces the data folder, identifiers and times, which differ from run to run, with placeholders.
    pub(crate) fn settled(&self, text: &str) -> String {
        let text = text.replace(self.data().to_str().unwrap(), "DATA");
        let part_of_token = |c: char| c.is_ascii_alphanumeric() || "-:._".contains(c);
        let mut settled = String::new();
        let mut rest = text.trim_end_matches('\n');
        while !rest.is_empty() {
            let end = rest.find(|c| !part_of_token(c)).unwrap_or(rest.len());
            // The last character of a token may also be punctuation.
            let token = rest[..end].trim_end_matches([':', '.']);
            let after = &rest[token.len()..];
            settled.push_str(match token {
                token if token.len() == 36 && token.parse::<Uuid>().is_ok() => "ID",
                token if token.parse::<Timestamp>().is_ok() => "TIME",
                token => token,
            });
            let other = after.trim_start_matches([':', '.']).find(part_of_token).unwrap_or(after.len());
            settled.push_str(&after[..other]);
            rest = &after[other..];
        }
        settled
    }

    /// Starts a command, which is killed if the test ends first.
    pub(crate) fn spawn(&self, arguments: &[&str]) -> Running {
        Running::of(self.command(arguments).spawn().unwrap())
    }

    /// Starts a command whose standard output is a pipe without a reader: every write to it fails.
    pub(crate) fn spawn_unread(&self, arguments: &[&str]) -> Running {
        self.spawn_into(unread(), arguments)
    }

    /// Starts a command that writes its standard output to `output`.
    pub(crate) fn spawn_into(&self, output: impl Into<Stdio>, arguments: &[&str]) -> Running {
        let mut child = self.command(arguments).stdout(output).spawn().unwrap();
        let errors = child.stderr.take().unwrap();
        Running { child, output: Lines::read(std::io::empty()), errors: Lines::read(errors) }
    }

    /// Runs a command whose standard output and standard error have no reader, and returns its exit code.
    pub(crate) fn run_unread(&self, arguments: &[&str]) -> Option<i32> {
        self.command(arguments).stdout(unread()).stderr(unread()).status().unwrap().code()
    }

    /// Runs a command to its end and closes its standard output after the first line, as `head -1` does.
    pub(crate) fn head(&self, arguments: &[&str]) -> Ended {
        let mut child = self.command(arguments).spawn().unwrap();
        let mut first = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut first).unwrap();
        let errors = Lines::read(child.stderr.take().unwrap());
        let ended = Running { child, output: Lines::read(std::io::empty()), errors }.end();
        Ended { output: first, ..ended }
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_selfsame"));
        command.args(arguments).arg("--data").arg(self.data());
        if let Some(database) = &self.database {
            command.args(["--database", database.url()]);
        }
        // The caller's environment must not influence the test.
        command.env_clear().env("SELFSAME__DATABASE__ALLOW_UNSAFE_DURABILITY", "true");
        command.env("SELFSAME__SERVER__LISTEN", "127.0.0.1:0");
        command.envs(self.environment.iter().map(|(name, value)| (name, value)));
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        command
    }

    /// Starts `serve` under strace, which writes these system calls with the paths of their files to a file.
    pub(crate) fn serve_traced(&self, calls: &str, trace: &Path) -> (Running, SocketAddr) {
        let program = self.command(&["serve"]);
        let mut traced = Command::new("strace");
        // -D: the program itself is the child of this process, so that it can be stopped by its identifier.
        traced.args(["-D", "-f", "-y", "-e", &format!("trace={calls}"), "-e", "signal=none", "-o"]).arg(trace);
        traced.arg(program.get_program()).args(program.get_args());
        let path = std::env::var_os("PATH").unwrap_or_else(|| "/usr/bin:/bin".into());
        traced.env_clear().env("PATH", path);
        traced.envs(program.get_envs().filter_map(|(name, value)| Some((name, value?))));
        traced.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut running = Running::of(traced.spawn().expect("strace is installed: run ./test"));
        let address = listening(&mut running.errors);
        (running, address)
    }

    /// Starts `serve` on a free port and returns when it listens.
    pub(crate) fn serve(&self) -> (Running, SocketAddr) {
        let mut running = self.spawn(&["serve"]);
        let address = listening(&mut running.errors);
        (running, address)
    }
}

/// Waits until the log reports that the server listens, and returns its address.
pub(crate) fn listening(log: &mut Lines) -> SocketAddr {
    let listening = log.wait_for(|line| line.contains(r#""message":"listening""#));
    let listening: serde_json::Value = serde_json::from_str(&listening).unwrap();
    listening["address"].as_str().unwrap().parse().unwrap()
}

/// Returns the writing end of a pipe whose reading end is closed.
fn unread() -> PipeWriter {
    let (_, writer) = std::io::pipe().unwrap();
    writer
}

/// A running program. Dropping it kills the program.
pub(crate) struct Running {
    child: Child,
    /// Standard output.
    pub(crate) output: Lines,
    /// Standard error.
    pub(crate) errors: Lines,
}

impl Running {
    /// Reads both output streams of a program.
    fn of(mut child: Child) -> Running {
        let (output, errors) = (child.stdout.take().unwrap(), child.stderr.take().unwrap());
        Running { child, output: Lines::read(output), errors: Lines::read(errors) }
    }

    /// The identifier of the process.
    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }

    /// Sends SIGTERM, as service managers do.
    pub(crate) fn terminate(&self) {
        let sent = Command::new("kill").args(["-TERM", &self.child.id().to_string()]).status().unwrap();
        assert!(sent.success());
    }

    /// Waits until the program ends.
    pub(crate) fn end(mut self) -> Ended {
        let (output, errors) = (self.output.rest(), self.errors.rest());
        Ended { code: self.child.wait().unwrap().code(), output, errors }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The result of a program that has ended.
pub(crate) struct Ended {
    /// The exit code; `None` if a signal ended the program.
    pub(crate) code: Option<i32>,
    /// All of standard output.
    pub(crate) output: String,
    /// All of standard error.
    pub(crate) errors: String,
}

impl fmt::Display for Ended {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "exit code {:?}\n{}{}", self.code, self.output, self.errors)
    }
}

/// An output stream of a program, read on a separate thread so that the program never blocks on it.
pub(crate) struct Lines {
    lines: Receiver<String>,
    reader: Option<JoinHandle<()>>,
    seen: String,
}

impl Lines {
    pub(super) fn read(stream: impl std::io::Read + Send + 'static) -> Lines {
        let (sender, lines) = mpsc::channel();
        let reader = std::thread::spawn(move || {
            let mut stream = BufReader::new(stream);
            let mut line = String::new();
            while stream.read_line(&mut line).is_ok_and(|length| length > 0) {
                let _ = sender.send(std::mem::take(&mut line));
            }
            let _ = stream.read_to_end(&mut Vec::new());
        });
        Lines { lines, reader: Some(reader), seen: String::new() }
    }

    /// Waits for the next line for which `wanted` returns true.
    pub(crate) fn wait_for(&mut self, wanted: impl Fn(&str) -> bool) -> String {
        let until = Instant::now() + LIMIT;
        loop {
            let line = self.lines.recv_timeout(until.saturating_duration_since(Instant::now()));
            let line = line.unwrap_or_else(|_| panic!("the line that was waited for did not come:\n{}", self.seen));
            self.seen.push_str(&line);
            if wanted(&line) {
                return line;
            }
        }
    }

    /// Everything up to the last line that was waited for.
    pub(crate) fn seen(&self) -> &str {
        &self.seen
    }

    /// Reads until the program closes the stream, and returns everything, including the lines that were waited for.
    pub(super) fn rest(&mut self) -> String {
        let until = Instant::now() + LIMIT;
        loop {
            match self.lines.recv_timeout(until.saturating_duration_since(Instant::now())) {
                Ok(line) => self.seen.push_str(&line),
                Err(mpsc::RecvTimeoutError::Disconnected) => break,
                Err(mpsc::RecvTimeoutError::Timeout) => panic!("the program did not end:\n{}", self.seen),
            }
        }
        if let Some(reader) = self.reader.take() {
            reader.join().unwrap();
        }
        std::mem::take(&mut self.seen)
    }
}
