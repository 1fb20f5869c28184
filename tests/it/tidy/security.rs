//! Each row of a table in `SECURITY.md` whose last column is "held by" names tests that exist.

use std::collections::BTreeSet;

use super::{Source, sources};

#[test]
fn every_promise_of_security_names_tests_that_exist() {
    let known = names(&sources("tests/it"));
    assert!(
        known.contains("crash::killed")
            && known.contains("tidy::security::every_promise_of_security_names_tests_that_exist")
    );
    let pages = sources("SECURITY.md");
    let rows = rows(&pages[0].text);
    assert!(rows.len() > 30, "rows are not recognised where they are");
    let unheld: Vec<_> = rows.iter().filter(|row| row.tests.is_empty()).map(|row| row.line).collect();
    assert!(unheld.is_empty(), "lines of SECURITY.md without a test: {unheld:?}");
    let named = rows.iter().flat_map(|row| row.tests.iter().map(move |test| (row.line, *test)));
    let missing: Vec<_> = named.filter(|(_, test)| !known.contains(*test)).collect();
    assert!(missing.is_empty(), "lines of SECURITY.md that name no test: {missing:#?}");
}

/// A row of a table: the number of its line, and the tests in its last cell.
struct Row<'a> {
    line: usize,
    tests: Vec<&'a str>,
}

/// The rows of the tables whose last column is "held by".
fn rows(page: &str) -> Vec<Row<'_>> {
    let mut rows = Vec::new();
    let mut is_listed = false;
    for (index, line) in page.lines().enumerate() {
        if !line.starts_with('|') {
            is_listed = false;
        } else if line.ends_with("| held by |") {
            is_listed = true;
        } else if is_listed && !line.starts_with("|---") {
            let cell = line.trim_end_matches(['|', ' ']).rsplit(" | ").next().unwrap_or_default();
            rows.push(Row { line: index + 1, tests: cell.split('`').skip(1).step_by(2).collect() });
        }
    }
    rows
}

/// The path of each module of tests, and of each function in it.
fn names(tests: &[Source]) -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    for source in tests {
        let Some(path) = source.path.strip_prefix("tests/it/").and_then(|path| path.strip_suffix(".rs")) else {
            continue;
        };
        let module = path.trim_end_matches("/mod").replace('/', "::");
        let functions = source.text.lines().filter_map(|line| line.trim_start().split_once("fn "));
        let functions = functions.filter(|(before, _)| ["", "async "].contains(before));
        names.extend(functions.filter_map(|(_, rest)| Some(format!("{module}::{}", rest.split(['(', '<']).next()?))));
        names.insert(module);
    }
    names
}
