//! The commands of README.md work as printed, in order, in an empty folder, and print what the page shows.
//!
//! The tests change three things: the program is this build and not an installed one, the server listens on a free port
//! instead of [`ADDRESS`], and PostgreSQL's socket is that of the tests instead of [`SOCKET`].

use serde_json::Value;

use crate::support::program::listening;
use crate::support::{Shell, postgres};

const PAGE: &str = include_str!("../../README.md");
/// The address in the page's requests: the default of `server.listen`.
pub(crate) const ADDRESS: &str = "127.0.0.1:8080";
/// The directory of PostgreSQL's socket in the page's URL: Debian's.
const SOCKET: &str = "%2Fvar%2Frun%2Fpostgresql";

#[test]
fn a_server_put_into_service_on_sqlite_gives_the_printed_answer() {
    let mut shell = Shell::new();
    serve_and_ask(&mut shell);
    assert_eq!(shell.run("ls selfsame-data/selfsame.sqlite3 selfsame-data/secret.key").lines().count(), 2);
}

#[test]
fn a_server_put_into_service_on_postgresql_gives_the_printed_answer() {
    let mut shell = Shell::new();
    let section = section("Put it into service");
    let commands = blocks(section, "sh")[2];
    assert!(commands.contains(SOCKET), "{commands}");
    let socket = postgres::shared_socket();
    // The server and the user of PostgreSQL's own programs.
    shell.run(&format!("export PGHOST={socket} PGUSER=postgres"));
    shell.run(&commands.replace(SOCKET, &socket.replace('/', "%2F")));
    serve_and_ask(&mut shell);
    assert_eq!(shell.run("ls selfsame-data"), "secret.key", "a file other than the key was created");
}

#[test]
fn the_commands_to_try_print_what_the_page_shows() {
    let section = section("Try it");
    let [commands] = *blocks(section, "sh") else { panic!("{section}") };
    // The program is built already.
    let dev = commands.strip_prefix("cargo install --locked --path .\n").unwrap();
    let mut shell = Shell::new();
    shell.start(dev);
    shell.output.wait_for(|line| line.starts_with("curl "));
    let printed = shell.output.seen();
    let address = printed.lines().next().unwrap().rsplit('/').next().unwrap();
    assert_printed(blocks(section, "text")[0], &printed.replace(address, ADDRESS));
}

#[test]
fn a_change_through_one_contract_is_read_through_another_as_printed() {
    let mut shell = Shell::new();
    shell.start("selfsame dev --json &");
    let demo: Value = serde_json::from_str(&shell.output.wait_for(|_| true)).unwrap();
    let text = |pointer: &str| demo.pointer(pointer).and_then(Value::as_str).unwrap();
    shell.run(&format!("SYSTEM={} CIAM={}", text("/contracts/system/token"), text("/contracts/ciam/token")));
    let section = section("One change, two contracts");
    let (requests, answers) = (blocks(section, "sh"), blocks(section, "json"));
    assert_eq!((requests.len(), answers.len()), (2, 2));
    for (request, answer) in requests.iter().zip(answers) {
        let address = text("/base_url").strip_prefix("http://").unwrap();
        assert_printed(answer, &shell.run(&request.replace(ADDRESS, address)));
    }
}

/// Runs the commands that start a server, and its request.
fn serve_and_ask(shell: &mut Shell) {
    let section = section("Put it into service");
    let (commands, answers) = (blocks(section, "sh"), blocks(section, "json"));
    assert_eq!((commands.len(), answers.len()), (3, 1));
    assert_eq!(commands[0].lines().count(), 4);
    shell.run(commands[0]);
    let address = listening(&mut shell.errors).to_string();
    assert_printed(answers[0], &shell.run(&commands[1].replace(ADDRESS, &address)));
}

/// The text below a heading of the second level of README.md.
fn section(heading: &str) -> &'static str {
    section_of(PAGE, heading)
}

/// The text below a heading of the second level of a page.
pub(crate) fn section_of(page: &'static str, heading: &str) -> &'static str {
    let (_, rest) = page.split_once(&format!("\n## {heading}\n")).unwrap_or_else(|| panic!("no heading {heading}"));
    rest.split("\n## ").next().unwrap_or(rest)
}

/// The fenced blocks of a language, in order.
pub(crate) fn blocks(section: &'static str, language: &str) -> Vec<&'static str> {
    let fence = format!("```{language}\n");
    section.split(fence.as_str()).skip(1).map(|block| block.split("\n```").next().unwrap()).collect()
}

/// Fails unless a text is what the page shows, where `…` is for any text.
#[track_caller]
pub(crate) fn assert_printed(shown: &str, printed: &str) {
    assert!(is_printed(shown, printed.trim_end()), "shown:\n{shown}\nprinted:\n{printed}");
}

fn is_printed(shown: &str, printed: &str) -> bool {
    let Some((first, others)) = shown.split_once('…') else { return shown == printed };
    let Some(mut rest) = printed.strip_prefix(first) else { return false };
    let (middle, last) = others.rsplit_once('…').map_or((None, others), |(middle, last)| (Some(middle), last));
    for part in middle.into_iter().flat_map(|middle| middle.split('…')) {
        let Some((_, behind)) = rest.split_once(part) else { return false };
        rest = behind;
    }
    rest.ends_with(last)
}

#[test]
fn an_answer_that_differs_from_the_page_is_detected() {
    assert!(is_printed("a", "a") && is_printed("a…c…e", "abcde") && is_printed("a…e", "abe") && is_printed("a…", "ab"));
    for other in ["a", "abd", "xabe", "abex"] {
        assert!(!is_printed("a…b…e", other), "{other}");
    }
}
