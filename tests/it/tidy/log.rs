//! Each log message that the program writes is a row of the table in `docs/troubleshooting.md`, and each row is a message.

use std::collections::BTreeSet;

use super::{Source, sources};

/// The levels that are listed. What is logged at `debug` and `trace` is for developers.
const LEVELS: [&str; 3] = ["error", "warn", "info"];

#[test]
fn every_log_message_is_explained_in_the_documentation() {
    let written: BTreeSet<(String, String)> = sources("src").iter().flat_map(messages).collect();
    let explained: BTreeSet<(String, String)> = sources("docs/troubleshooting.md").iter().flat_map(rows).collect();
    assert!(written.len() > 20, "log messages are not recognised where they are written");
    let difference: Vec<_> = written.symmetric_difference(&explained).collect();
    assert!(difference.is_empty(), "in the source or in docs/troubleshooting.md, but not in both: {difference:#?}");
}

/// Level and message of each row of the table.
fn rows(page: &Source) -> Vec<(String, String)> {
    let rows = page.text.lines().filter_map(|line| line.strip_prefix("| `"));
    let cells = rows.filter_map(|row| row.split_once("` | "));
    let level = |rest: &str| rest.split(" | ").next().unwrap_or_default().to_owned();
    cells.map(|(message, rest)| (level(rest), message.to_owned())).filter(|(level, _)| is_listed(level)).collect()
}

fn is_listed(level: &str) -> bool {
    LEVELS.contains(&level)
}

/// Level and message of each call of a logging macro: its last string literal.
fn messages(source: &Source) -> Vec<(String, String)> {
    let calls = LEVELS.into_iter().flat_map(|level| {
        let text = source.text.as_str();
        let macro_name = format!("tracing::{level}!(");
        text.match_indices(&macro_name).map(|(at, name)| (level, &text[at + name.len()..])).collect::<Vec<_>>()
    });
    calls.map(|(level, arguments)| (level.to_owned(), last_literal(arguments))).collect()
}

/// The last string literal before the parenthesis that ends a call.
fn last_literal(arguments: &str) -> String {
    let (mut depth, mut last) = (1, "");
    let mut rest = arguments;
    while depth > 0 {
        let at = rest.find(['(', ')', '"']).expect("a call ends");
        let after = &rest[at + 1..];
        rest = after;
        match arguments.as_bytes()[arguments.len() - after.len() - 1] {
            b'(' => depth += 1,
            b')' => depth -= 1,
            _ => {
                let end = after.find('"').expect("a literal ends; messages have no quotes");
                last = &after[..end];
                rest = &after[end + 1..];
            }
        }
    }
    last.to_owned()
}

#[test]
fn a_message_is_found_behind_its_fields() {
    let text = r#"tracing::warn!(issuer = self.name("a"), %error, "key fetch failed"); tracing::info!("stopped")"#;
    let source = Source { path: String::new(), text: text.to_owned() };
    let expected =
        [("warn", "key fetch failed"), ("info", "stopped")].map(|(level, message)| (level.into(), message.into()));
    assert_eq!(messages(&source), expected);
}
