//! A shell that runs commands as a reader of a page types them.

use std::io::Write as _;
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Stdio};

use tempfile::TempDir;

use super::postgres;
use super::program::Lines;

/// Printed after the output of each command that [`Shell::run`] types.
const DONE: &str = "--- done ---";

/// `/bin/sh` in an empty folder, with this build of the program on its `PATH` and only the rest of `PATH` from the
/// caller's environment. It exits at the first command that fails. Dropping it kills every process that it started.
pub(crate) struct Shell {
    shell: Child,
    input: ChildStdin,
    /// Standard output of every command.
    pub(crate) output: Lines,
    /// Standard error of every command.
    pub(crate) errors: Lines,
    _folder: TempDir,
}

impl Shell {
    /// Starts a shell. Servers that it starts listen on a free port of the loopback interface.
    pub(crate) fn new() -> Shell {
        let folder = tempfile::tempdir().unwrap();
        let mut command = Command::new("/bin/sh");
        command.current_dir(folder.path()).env_clear().env("PATH", path()).env("HOME", folder.path());
        command.env("USER", "jane");
        command.env("SELFSAME__SERVER__LISTEN", "127.0.0.1:0");
        command.env("SELFSAME__DATABASE__ALLOW_UNSAFE_DURABILITY", "true");
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        // A separate process group, so that the whole group can be killed.
        let mut shell = command.process_group(0).spawn().expect("there is a /bin/sh");
        let (output, errors) = (shell.stdout.take().unwrap(), shell.stderr.take().unwrap());
        let input = shell.stdin.take().unwrap();
        let (output, errors) = (Lines::read(output), Lines::read(errors));
        let mut shell = Shell { shell, input, output, errors, _folder: folder };
        // Works even if the test process is killed: the end of the input ends the shell, which then kills the whole group.
        shell.start("trap 'kill 0' EXIT; set -e");
        shell
    }

    /// Starts commands without waiting for them.
    pub(crate) fn start(&mut self, commands: &str) {
        writeln!(self.input, "{commands}").unwrap();
    }

    /// Runs commands, waits until all have succeeded, and returns their standard output.
    pub(crate) fn run(&mut self, commands: &str) -> String {
        self.start(&format!("{commands}\nprintf '\\n{DONE}\\n'"));
        let before = self.output.seen().len();
        self.output.wait_for(|line| line.trim_end() == DONE);
        let printed = &self.output.seen()[before..];
        printed.trim_end().trim_end_matches(DONE).trim_end().to_owned()
    }
}

impl Drop for Shell {
    fn drop(&mut self) {
        let group = format!("-{}", self.shell.id());
        let _ = Command::new("kill").args(["-KILL", "--", &group]).status();
        let _ = self.shell.wait();
        if std::thread::panicking() {
            eprintln!("standard error of the shell:\n{}", self.errors.rest());
        }
    }
}

/// Returns `PATH` with this build of the program first and PostgreSQL's programs last.
fn path() -> std::ffi::OsString {
    let program = Path::new(env!("CARGO_BIN_EXE_selfsame")).parent().expect("a program is in a folder");
    let inherited = std::env::var_os("PATH").unwrap_or_default();
    let folders: Vec<PathBuf> = [program.to_owned()]
        .into_iter()
        .chain(std::env::split_paths(&inherited))
        .chain([postgres::binaries()])
        .collect();
    std::env::join_paths(folders).unwrap()
}
