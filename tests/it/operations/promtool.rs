//! Checks with Prometheus' `promtool`.

use std::io::Write as _;
use std::path::PathBuf;
use std::process::{Command, Stdio};

/// Runs `promtool check WHAT` on a text, which must have no errors or warnings.
pub(super) fn check(what: &str, text: &str) {
    let folder = tempfile::tempdir().unwrap();
    let mut command = Command::new(program());
    command.args(["check", what]).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    if what != "metrics" {
        let file = folder.path().join("checked.yml");
        std::fs::write(&file, text).unwrap();
        command.arg(file);
    }
    let mut running = command.spawn().unwrap();
    running.stdin.take().unwrap().write_all(if what == "metrics" { text.as_bytes() } else { b"" }).unwrap();
    let ended = running.wait_with_output().unwrap();
    let said = String::from_utf8_lossy(&ended.stderr);
    assert!(ended.status.success() && said.is_empty(), "promtool check {what}: {said}\n{text}");
}

/// Returns the `promtool` that `./test` unpacks, or else the one on `PATH`.
fn program() -> PathBuf {
    let unpacked = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("target/peers/prometheus/usr/bin/promtool");
    let path = std::env::var_os("PATH").unwrap_or_default();
    let installed = std::env::split_paths(&path).map(|folder| folder.join("promtool"));
    let found = std::iter::once(unpacked).chain(installed).find(|program| program.is_file());
    found.expect("promtool is missing: run ./test once, which unpacks it")
}
