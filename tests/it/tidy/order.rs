//! The order of modules: each may use only what stands before it, so that the map can be read from the bottom up and a
//! module can be tested with nothing but what it names.

use std::collections::BTreeSet;

use super::{Source, has_word, is_code, sources};

/// The modules from the bottom up; those of one line know nothing of each other.
const ORDER: [&[&str]; 18] = [
    &["folder", "clock", "headers", "json", "language"],
    &["keys"],
    &["jose"],
    &["account"],
    &["config"],
    &["telemetry"],
    &["store"],
    &["limit", "secure_channel", "picture", "outbox"],
    &["code"],
    &["profile"],
    &["identity"],
    &["transfer"],
    &["app"],
    &["http"],
    &["contract"],
    &["serve"],
    &["cli"],
    // The roots of the library and of the program.
    &["lib", "main"],
];

/// How high a module stands.
fn height(module: &str) -> Option<usize> {
    ORDER.iter().position(|modules| modules.contains(&module))
}

/// The module that a file of `src/` belongs to.
fn module_of(source: &Source) -> &str {
    let path = source.path.strip_prefix("src/").expect("only files of src/ are asked");
    path.split('/').next().unwrap_or(path).trim_end_matches(".rs")
}

/// The modules of this crate that a line names.
fn used(line: &str) -> impl Iterator<Item = &str> {
    line.split("crate::")
        .skip(1)
        .map(|rest| rest.split(|c: char| !c.is_alphanumeric() && c != '_').next().unwrap_or(""))
}

/// Every line that uses what does not stand before it, as `file:line: what`.
fn against_the_order(sources: &[Source]) -> Vec<String> {
    let mut found = Vec::new();
    for source in sources.iter().filter(|source| source.path.ends_with(".rs")) {
        let module = module_of(source);
        let own = height(module);
        for (number, line) in source.text.lines().enumerate().filter(|(_, line)| is_code(line)) {
            let place = format!("{}:{}", source.path, number + 1);
            for other in used(line).filter(|other| *other != module) {
                // `crate::{…}` hides what it names from this rule; `crate::$name` does not occur in the code.
                if other.is_empty() || height(other).is_none_or(|other| own.is_none_or(|own| other >= own)) {
                    found.push(format!("{place}: {module} uses {other}: {}", line.trim()));
                }
            }
        }
    }
    found
}

#[test]
fn every_module_uses_only_what_stands_before_it() {
    let found = against_the_order(&sources("src"));
    assert!(found.is_empty(), "the order of modules is broken\n{}", found.join("\n"));
}

#[test]
fn every_module_has_its_place_in_the_order() {
    let modules: BTreeSet<String> = sources("src").iter().map(|source| module_of(source).to_owned()).collect();
    let placed: BTreeSet<String> = ORDER.concat().into_iter().map(str::to_owned).collect();
    assert_eq!(modules, placed);
}

/// A rule that cannot see what it forbids would never fail.
#[test]
fn an_import_against_the_order_is_seen() {
    let see = |path: &str, text: &str| {
        let source = Source { path: path.to_owned(), text: text.to_owned() };
        against_the_order(&[source]).len()
    };
    assert_eq!(see("src/store/mod.rs", "use crate::app::App;"), 1);
    assert_eq!(see("src/picture/mod.rs", "    crate::outbox::Outbox::wake(&outbox);"), 1, "modules of one line");
    assert_eq!(see("src/keys/mod.rs", "use crate::{account::Error, json};"), 1, "a group hides what it names");
    assert_eq!(see("src/keys/mod.rs", "use crate::unheard_of::Thing;"), 1);
    assert_eq!(see("src/app.rs", "use crate::store::Store; // not crate::cli"), 1, "also beside code");
    assert_eq!(see("src/app.rs", "/// As [`crate::cli`] does.\nuse crate::store::Store;"), 0);
    assert_eq!(see("src/cli/dev.rs", "use crate::cli::serve;\nuse crate::app::App;"), 0);
}

/// Only these know [`App`](selfsame::app::App): everything below is handed what it needs.
#[test]
fn only_the_upper_modules_know_app() {
    let mut users = BTreeSet::new();
    for source in sources("src").iter().filter(|source| source.path.ends_with(".rs")) {
        // A text may hold the word, too.
        if source.text.lines().any(|line| is_code(line) && has_word(line, "App") && !line.contains('"')) {
            users.insert(module_of(source).to_owned());
        }
    }
    assert_eq!(users.into_iter().collect::<Vec<_>>(), ["app", "cli", "contract", "http", "serve"]);
}

/// The map in ARCHITECTURE.md: the paths below `src/` in its first block, each by the line that its last name stands on.
fn mapped(map: &str) -> BTreeSet<String> {
    let mut open: Vec<(usize, String)> = Vec::new();
    let mut found = BTreeSet::new();
    for line in map.lines().skip_while(|line| *line != "src/").skip(1).take_while(|line| line.starts_with(' ')) {
        let indent = line.len() - line.trim_start().len();
        open.retain(|(outer, _)| *outer < indent);
        let parent: String = open.iter().map(|(_, folder)| folder.as_str()).collect();
        for name in line.split_whitespace().take_while(|name| name.ends_with('/') || name.ends_with(".rs")) {
            found.insert(format!("{parent}{name}"));
            if name.ends_with('/') {
                open.push((indent, name.to_owned()));
            }
        }
    }
    found
}

#[test]
fn every_module_and_folder_is_on_the_map() {
    let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR"));
    let map = mapped(&std::fs::read_to_string(root.join("ARCHITECTURE.md")).unwrap());
    let mut there = BTreeSet::new();
    for source in sources("src") {
        let path = source.path.strip_prefix("src/").unwrap();
        match path.rsplit_once('/') {
            // Every folder on the way to a file, and every file at the top.
            Some((folder, _)) => {
                let ends = folder.match_indices('/').map(|(at, _)| at).chain([folder.len()]);
                there.extend(ends.map(|end| format!("{}/", &folder[..end])));
            }
            None => drop(there.insert(path.to_owned())),
        }
    }
    // A module in a folder may have its file beside it.
    there.retain(|path| !path.strip_suffix(".rs").is_some_and(|module| root.join("src").join(module).is_dir()));
    assert_eq!(there, map, "left: src/, right: the map in ARCHITECTURE.md");
}
