//! Import, export and copies of whole installations, through the real program.

mod copy;
mod demo;
mod export;
mod faults;
mod import;
mod interrupted;
mod values;

use std::io::Write as _;
use std::process::{Child, Command, Output, Stdio};

use tempfile::TempDir;

use crate::support::{Database, OnDatabase};

/// An installation with the tenant `demo`.
struct Home {
    data: TempDir,
    database: Database,
}

impl OnDatabase for Home {
    async fn start(database: Database) -> Self {
        let home = Home::empty(database);
        home.print(&["tenant", "create", "demo"]);
        home
    }
}

impl Home {
    /// An installation in which no command has run yet.
    fn empty(database: Database) -> Home {
        Home { data: tempfile::tempdir().unwrap(), database }
    }

    /// Another installation on a database of the same kind.
    fn another(&self) -> Home {
        let home = Home::empty(if self.is_sqlite() { Database::sqlite() } else { Database::postgres() });
        home.print(&["tenant", "create", "demo"]);
        home
    }

    fn is_sqlite(&self) -> bool {
        self.database.url().starts_with("sqlite:")
    }

    /// A command of the program on this installation.
    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = program(&self.data);
        command.args(arguments).args(["--database", self.database.url()]);
        command
    }

    /// Runs a command that must succeed, and returns what it printed.
    fn print(&self, arguments: &[&str]) -> String {
        let output = self.command(arguments).output().unwrap();
        assert!(output.status.success(), "{arguments:?}: {}", streams(&output));
        String::from_utf8(output.stdout).unwrap()
    }

    /// Runs a command that must succeed, and returns the one JSON object that it printed.
    fn json(&self, arguments: &[&str]) -> serde_json::Value {
        serde_json::from_str(&self.print(arguments)).unwrap()
    }

    /// Starts an import that reads standard input.
    fn importing(&self, arguments: &[&str]) -> Child {
        let mut command = self.command(&["account", "import", "-"]);
        command.args(arguments).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        command.spawn().unwrap()
    }

    /// Imports lines, and returns the output and the exit code.
    fn import(&self, lines: &str, arguments: &[&str]) -> String {
        let file = self.data.path().join("accounts.jsonl");
        std::fs::File::create(&file).unwrap().write_all(lines.as_bytes()).unwrap();
        let arguments = [&["account", "import", file.to_str().unwrap()], arguments].concat();
        streams(&self.command(&arguments).output().unwrap())
    }

    fn export(&self) -> String {
        self.print(&["account", "export"])
    }

    /// The output of `audit verify` for all histories.
    fn verified(&self) -> String {
        self.print(&["audit", "verify"])
    }
}

/// The program, without the caller's environment.
fn program(data: &TempDir) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_selfsame"));
    command.arg("--data").arg(data.path()).env_clear().env("SELFSAME__DATABASE__ALLOW_UNSAFE_DURABILITY", "true");
    command
}

/// Everything that a program printed, and its exit code.
fn streams(output: &Output) -> String {
    let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
    format!("{}{}exit {:?}", text(&output.stdout), text(&output.stderr), output.status.code())
}

/// The identifier of the account with a number.
fn id(number: u64) -> String {
    format!("00000000-0000-7000-8000-{number:012x}")
}

/// A line with little more than the required members.
fn line(number: u64) -> String {
    format!(r#"{{"id":"{}","number":{number},"tenant":"demo","display_name":"Person {number}"}}{}"#, id(number), "\n")
}

/// Lines of accounts with every value that must be unique.
fn people(numbers: std::ops::RangeInclusive<u64>) -> String {
    let person = |number| {
        format!(
            concat!(
                r#"{{"id":"{}","number":{},"tenant":"demo","username":"person{}","email":"person{}@example.com","#,
                r#""email_verified":true,"remark":"{}","identities":[{{"issuer":"https://id.example","#,
                r#""subject":"{}"}}],"created_at":"2020-01-01T00:00:00Z"}}"#,
                "\n"
            ),
            id(number),
            number,
            number,
            number,
            "long ".repeat(150),
            number,
        )
    };
    numbers.map(person).collect()
}
