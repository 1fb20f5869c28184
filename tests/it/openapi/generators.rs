//! Generators of clients read the documents. What they generate type-checks, and changes a profile through each contract.
//!
//! `./test` installs them into `target/peers`: openapi-typescript, orval and openapi-python-client.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::{Value, json};
use tempfile::TempDir;

use super::{DOCUMENTED, text};
use crate::readme::{ADDRESS, blocks, section_of};
use crate::support::{Demo, Installation};

/// A folder with every document, in which third-party programs run.
pub(super) struct Workshop {
    folder: TempDir,
}

impl Workshop {
    pub(super) fn new() -> Workshop {
        let workshop = Workshop { folder: tempfile::tempdir().unwrap() };
        for contract in DOCUMENTED {
            workshop.write(&format!("{contract}.json"), &text(contract));
        }
        std::os::unix::fs::symlink(peers().join("node_modules"), workshop.path("node_modules")).unwrap();
        workshop
    }

    pub(super) fn write(&self, name: &str, text: &str) {
        std::fs::write(self.path(name), text).unwrap();
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Copies a file of `tests/peers`.
    pub(super) fn copy(&self, name: &str, to: &str) {
        let peers = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/peers");
        std::fs::copy(peers.join(name), self.path(to)).unwrap();
    }

    /// Runs an installed program, which must succeed, and returns what it printed on both outputs.
    pub(super) fn run(&self, program: &str, arguments: &[&str]) -> String {
        self.run_with(program, arguments, &[])
    }

    fn run_with(&self, program: &str, arguments: &[&str], environment: &[(&str, &str)]) -> String {
        let (succeeded, printed) = self.attempt(program, arguments, environment);
        assert!(succeeded, "{program} {arguments:?} (./test installs it): {printed}");
        printed
    }

    /// Runs an installed program, which must fail, and returns what it printed on both outputs.
    pub(super) fn failure(&self, program: &str, arguments: &[&str]) -> String {
        let (succeeded, printed) = self.attempt(program, arguments, &[]);
        assert!(!succeeded, "{program} {arguments:?}: {printed}");
        printed
    }

    fn attempt(&self, program: &str, arguments: &[&str], environment: &[(&str, &str)]) -> (bool, String) {
        // Found on this `PATH`, and not on that of the tests.
        let mut command = Command::new("env");
        command.arg(program).args(arguments).current_dir(self.folder.path());
        command.env("PATH", search_path()).env("HOME", self.folder.path()).env("NO_COLOR", "1");
        command.env("REDOCLY_TELEMETRY", "off").env("REDOCLY_SUPPRESS_UPDATE_NOTICE", "true");
        command.envs(environment.iter().copied());
        let output = command.output().unwrap();
        let printed = [output.stdout, output.stderr].map(|bytes| String::from_utf8_lossy(&bytes).into_owned());
        (output.status.success(), printed.concat())
    }
}

/// The folder of the third-party programs.
fn peers() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("target/peers")
}

/// `PATH` with the third-party programs first.
fn search_path() -> OsString {
    let inherited = std::env::var_os("PATH").unwrap_or_default();
    let installed = [peers().join("node_modules/.bin"), peers().join("python/bin")];
    std::env::join_paths(installed.into_iter().chain(std::env::split_paths(&inherited))).unwrap()
}

/// What a client prints that has changed a profile through each contract. Null removed a member of the profile.
fn changed(name: &str) -> Value {
    json!({
        "system": format!("{name} System"),
        "cl2c": "Cl2c",
        "rivergen": {
            "bio": name.to_lowercase(),
            "list": [1, {"deep": [true, null]}],
            "object": {"member": "x"},
        },
        "ciam": format!("{name} Ciam"),
        "refused": "illegal_parameter_value",
    })
}

/// Reads the last line that a client printed.
fn last_line(printed: &str) -> Value {
    serde_json::from_str(printed.trim_end().lines().last().unwrap()).unwrap()
}

#[test]
fn the_types_of_openapi_typescript_fit_what_the_server_accepts_and_answers() {
    let installation = Installation::new();
    let (workshop, demo) = (Workshop::new(), Demo::start(&installation));
    for contract in DOCUMENTED {
        workshop.run("openapi-typescript", &[&format!("{contract}.json"), "--output", &format!("{contract}.ts")]);
    }
    workshop.copy("tsconfig.json", "tsconfig.json");
    workshop.copy("generated_fetch.mts", "generated_fetch.mts");
    workshop.run("tsc", &[]);
    let printed = workshop.run("node", &["generated_fetch.mjs", &demo.printed]);
    assert_eq!(last_line(&printed), changed("Fetch"));
    demo.stop();
}

#[test]
fn the_clients_of_orval_change_a_profile_through_each_contract() {
    let installation = Installation::new();
    let (workshop, demo) = (Workshop::new(), Demo::start(&installation));
    for name in ["orval.config.cjs", "tsconfig.json", "generated_orval.mts"] {
        workshop.copy(name, name);
    }
    workshop.write("package.json", r#"{"type": "module"}"#);
    let base = [("BASE_URL", demo.text("/base_url"))];
    let base = base.each_ref().map(|(name, value)| (*name, value.as_str()));
    let printed = workshop.run_with("orval", &["--config", "orval.config.cjs"], &base);
    assert_eq!(printed.matches("ready to use").count(), DOCUMENTED.len(), "{printed}");
    workshop.run("tsc", &[]);
    let printed = workshop.run("node", &["generated_orval.mjs", &demo.printed]);
    assert_eq!(last_line(&printed), changed("Orval"));
    demo.stop();
}

#[test]
fn the_clients_of_openapi_python_client_are_complete_and_change_a_profile_through_each_contract() {
    let installation = Installation::new();
    let (workshop, demo) = (Workshop::new(), Demo::start(&installation));
    for contract in DOCUMENTED {
        let arguments = ["generate", "--path", &format!("{contract}.json"), "--output-path", contract];
        let printed = workshop.run("openapi-python-client", &arguments);
        let left_out: Vec<&str> =
            printed.lines().filter(|line| line.starts_with("WARNING") || line.starts_with("Unsupported")).collect();
        // It knows no media type of JOSE but the one that ends with `+json`.
        let expected: &[&str] = match contract {
            "system" => &[
                "WARNING parsing POST /web/v1/system/profile/update within profile.",
                "Unsupported content type application/jose",
            ],
            _ => &[],
        };
        assert_eq!(left_out, expected, "{printed}");
    }
    workshop.copy("generated_python.py", "generated_python.py");
    let packages = DOCUMENTED.join(":");
    let environment = [("MYPYPATH", packages.as_str()), ("PYTHONPATH", packages.as_str())];
    workshop.run_with("mypy", &["--strict", "generated_python.py"], &environment);
    let printed = workshop.run_with("python", &["generated_python.py", &demo.printed], &environment);
    assert_eq!(last_line(&printed), changed("Python"));
    demo.stop();
}

#[test]
fn the_commands_for_client_developers_work_as_printed() {
    let installation = Installation::new();
    let demo = Demo::start(&installation);
    let section = section_of(include_str!("../../../docs/openapi.md"), "Generate a client");
    let workshop = Workshop::new();
    let base = demo.text("/base_url");
    let address = base.strip_prefix("http://").unwrap();
    for (file, language, position) in [
        ("change.mts", "ts", 0),
        ("orval.config.cjs", "js", 0),
        ("change_orval.mts", "ts", 1),
        ("change.py", "python", 0),
    ] {
        workshop.write(file, &blocks(section, language)[position].replace(ADDRESS, address));
    }
    // The packages are installed already.
    let environment = [
        ("TOKEN", demo.text("/contracts/rivergen/token")),
        ("npm_config_offline", "true".to_owned()),
        ("npm_config_update_notifier", "false".to_owned()),
    ];
    let environment = environment.each_ref().map(|(name, value)| (*name, value.as_str()));
    let commands = blocks(section, "sh");
    assert_eq!(commands.len(), 3);
    for (commands, name) in commands.into_iter().zip(["Jane Smith", "Jane Doe", "Jane Roe"]) {
        let printed = workshop.run_with("sh", &["-ec", &commands.replace(ADDRESS, address)], &environment);
        assert_eq!(printed.lines().last(), Some(name), "{printed}");
    }
    demo.stop();
}
