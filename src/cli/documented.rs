//! Checks that the table of commands in docs/operations.md matches their help.

use clap::{Command, CommandFactory as _};

use super::Arguments;

const HEADING: &str = "| command | does |\n|---|---|\n";

/// Returns a row for each command that can be run: its name, with that of its group, and the first paragraph of its help.
fn rows(command: &Command, group: &str) -> String {
    let row = |command: &Command| {
        let name = format!("{group}{}", command.get_name());
        if command.has_subcommands() {
            return rows(command, &format!("{name} "));
        }
        format!("| `{name}` | {} |\n", command.get_about().expect("every command has a help text"))
    };
    command.get_subcommands().map(row).collect()
}

#[test]
fn the_documented_commands_are_those_of_the_program() {
    let page = include_str!("../../docs/operations.md");
    let (_, table) = page.split_once(HEADING).expect("docs/operations.md has a table of commands");
    let documented = table.split_once("\n\n").map_or(table, |(table, _)| table).trim_end();
    let rows = rows(&Arguments::command(), "");
    assert!(
        documented == rows.trim_end(),
        "the table of commands in docs/operations.md is not the help; it should be:\n\n{HEADING}{rows}"
    );
}
