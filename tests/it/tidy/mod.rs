//! The promises about the source itself. Each failure names the file and the line.

mod log;
mod order;
mod security;
mod words;

use std::fs;
use std::path::{Path, PathBuf};

/// A file of the project: its path from the project's folder, and its text.
struct Source {
    path: String,
    text: String,
}

/// Every text file below a folder of the project, or the file itself.
fn sources(of: &str) -> Vec<Source> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut found = Vec::new();
    let mut folders = vec![root.join(of)];
    while let Some(path) = folders.pop() {
        if path.is_dir() {
            folders.extend(fs::read_dir(path).unwrap().map(|entry| entry.unwrap().path()));
        } else if let Ok(text) = fs::read_to_string(&path) {
            found.push(Source { path: name(root, &path), text });
        }
    }
    assert!(!found.is_empty(), "{of} is empty");
    found.sort_by(|a, b| a.path.cmp(&b.path));
    found
}

fn all<const FOLDERS: usize>(folders: [&str; FOLDERS]) -> Vec<Source> {
    folders.into_iter().flat_map(sources).collect()
}

fn name(root: &Path, path: &Path) -> String {
    path.strip_prefix(root).unwrap().to_str().unwrap().to_owned()
}

/// Everything that the project is made of; not what is built, fetched or kept by tools.
fn everything() -> Vec<Source> {
    let root = PathBuf::from(env!("CARGO_MANIFEST_DIR"));
    let entries = fs::read_dir(root).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let ours = entries.filter(|name| ![".git", "target", "Cargo.lock"].contains(&name.as_str()));
    ours.flat_map(|name| sources(&name)).collect()
}

/// Fails with `file:line` of every line that is `refused`.
fn refuse(sources: &[Source], promise: &str, refused: impl Fn(&Source, &str) -> bool) {
    let mut broken = String::new();
    for source in sources {
        for (number, line) in source.text.lines().enumerate().filter(|(_, line)| refused(source, line)) {
            broken.push_str(&format!("{}:{}: {}\n", source.path, number + 1, line.trim()));
        }
    }
    assert!(broken.is_empty(), "{promise}\n{broken}");
}

/// Whether a line is code and not a comment.
fn is_code(line: &str) -> bool {
    !line.trim_start().starts_with("//")
}

/// Whether a text has a word, and not only as part of another.
fn has_word(text: &str, word: &str) -> bool {
    let part = |c: Option<char>| c.is_some_and(|c| c.is_alphanumeric() || c == '_');
    text.match_indices(word)
        .any(|(at, _)| !part(text[..at].chars().next_back()) && !part(text[at + word.len()..].chars().next()))
}

/// Whether a line holds a statement in SQL: a verb in capitals with the word that follows it somewhere.
fn is_sql(line: &str) -> bool {
    let pairs = [
        ("SELECT", "FROM"),
        ("INSERT", "INTO"),
        ("DELETE", "FROM"),
        ("UPDATE", "SET"),
        ("CREATE", "TABLE"),
        ("DROP", "TABLE"),
        ("ALTER", "TABLE"),
    ];
    pairs.iter().any(|(verb, then)| has_word(line, verb) && has_word(line, then))
}

#[test]
fn account_and_profile_know_neither_http_nor_sql() {
    let libraries = ["axum", "hyper", "tower", "rusqlite", "tokio_postgres", "deadpool_postgres", "refinery"];
    let inner = all(["src/account", "src/profile"]);
    refuse(&inner, "account/ and profile/ name no HTTP library and no SQL", |_, line| {
        is_code(line) && (is_sql(line) || libraries.iter().any(|library| has_word(line, library)))
    });
}

/// A rule that cannot see what it forbids would never fail.
#[test]
fn the_rules_see_what_they_forbid() {
    let statements =
        sources("src/store").iter().flat_map(|source| source.text.lines()).filter(|line| is_sql(line)).count();
    assert!(statements > 20, "SQL is not recognised where it is");
    assert!(has_word("use axum::Router;", "axum") && !has_word("taxum", "axum") && !has_word("axum_x", "axum"));
    assert!(!is_code("    // SELECT"));
}

#[test]
fn account_does_no_io() {
    let outer =
        ["tokio", "async", "std::fs", "std::net", "crate::app", "crate::store", "crate::serve", "crate::config"];
    refuse(&sources("src/account"), "account/ is plain values", |_, line| {
        is_code(line) && outer.iter().any(|word| has_word(line, word))
    });
}

#[test]
fn the_store_knows_no_contract() {
    refuse(&sources("src/store"), "store/ names no contract", |_, line| {
        is_code(line) && ["contract::", "Contract", "serve::", "axum"].iter().any(|word| line.contains(word))
    });
}

#[test]
fn a_contract_never_names_another() {
    let contracts: Vec<String> = fs::read_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join("src/contract"))
        .unwrap()
        .map(|entry| entry.unwrap().path())
        // Only a contract has words of its own.
        .filter(|path| path.join("refusal.rs").exists())
        .map(|path| path.file_name().unwrap().to_str().unwrap().to_owned())
        .collect();
    assert!(contracts.contains(&"system".to_owned()));
    refuse(&sources("src/contract"), "a contract never names another contract's module", |source, line| {
        let own = source.path.strip_prefix("src/contract/").and_then(|path| path.split_once('/'));
        let Some((own, _)) = own else { return false };
        is_code(line) && contracts.iter().any(|other| other != own && has_word(line, other) && line.contains("::"))
    });
}

#[test]
fn sql_occurs_only_in_the_store() {
    refuse(&sources("src"), "SQL occurs only in store/ and migrations/", |source, line| {
        !source.path.starts_with("src/store/") && is_code(line) && is_sql(line)
    });
}

/// The lints of clippy.toml see calls only, and not those of tokio's clock.
#[test]
fn no_test_sleeps() {
    refuse(&sources("tests"), "a test waits for the event itself, with a time limit", |_, line| {
        is_code(line) && line.contains(concat!("sleep", "("))
    });
}

#[test]
fn no_file_is_long() {
    const MOST: usize = 500;
    let sources = all(["src", "tests"]);
    // Programs write these.
    let is_generated = |path: &str| path.ends_with(".snap") || path.ends_with("package-lock.json");
    let long: Vec<String> = sources
        .iter()
        .filter(|source| source.text.lines().count() > MOST && !is_generated(&source.path))
        .map(|source| format!("{}:{MOST}: the file has {} lines", source.path, source.text.lines().count()))
        .collect();
    assert!(long.is_empty(), "a file is about one thing\n{}", long.join("\n"));
}

#[test]
fn nothing_is_left_undone() {
    let marks = [concat!("TO", "DO"), concat!("FIX", "ME"), concat!("unimplemented", "!"), concat!("to", "do!")];
    refuse(&everything(), "what is left to do is not left in the source", |_, line| {
        marks.iter().any(|mark| line.contains(mark))
    });
    refuse(&sources("tests"), "a test that is not run says why", |_, line| {
        is_code(line) && line.trim() == concat!("#[igno", "re]")
    });
}

#[test]
fn every_test_file_is_declared() {
    let tests = sources("tests/it");
    for source in tests.iter().filter(|source| source.path.ends_with(".rs") && !source.path.ends_with("/main.rs")) {
        let path = Path::new(&source.path);
        let is_folder = path.file_stem().unwrap() == "mod";
        let module = if is_folder { path.parent().unwrap() } else { path };
        let name = module.file_stem().unwrap().to_str().unwrap();
        let parent = module.parent().unwrap().to_str().unwrap();
        let parents = [format!("{parent}/mod.rs"), format!("{parent}/main.rs"), format!("{parent}.rs")];
        let declared = tests
            .iter()
            .filter(|other| parents.contains(&other.path))
            .any(|other| other.text.lines().any(|line| line.trim_end_matches(';').ends_with(&format!("mod {name}"))));
        assert!(declared, "{}:1: no `mod {name};` in {parent}", source.path);
    }
}

#[test]
fn both_databases_have_the_same_migrations() {
    let names = |database: &str| -> Vec<String> {
        let folder = format!("migrations/{database}");
        sources(&folder).into_iter().map(|source| source.path.replace(&folder, "")).collect()
    };
    assert_eq!(names("sqlite"), names("postgres"));
}

#[test]
fn only_clock_reads_the_clock_and_draws_randomness() {
    let reads =
        ["Timestamp::now()", "SystemTime::now()", "Zoned::now()", "Uuid::now_v7()", "Uuid::new_v4()", "rand::fill("];
    refuse(&sources("src"), "time and randomness are arguments", |source, line| {
        source.path != "src/clock.rs" && is_code(line) && reads.iter().any(|read| line.contains(read))
    });
}
