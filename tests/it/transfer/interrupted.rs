//! A killed import continues where it stopped.

use std::io::Write as _;

use super::{Home, people, streams};

/// Number of accounts for the interrupted import: more than two batches and the contents of a pipe.
const GIVEN: u64 = 9000;
/// Number of accounts in all.
const ALL: u64 = 10_000;

on_both_databases!(
    async fn an_import_that_was_killed_is_completed_by_another(home: Home) {
        let mut killed = home.importing(&[]);
        // Each batch is committed before the next is read. All lines are written now, except those in the pipe and the
        // reader's buffer, far less than a batch. So two batches are committed.
        killed.stdin.as_mut().unwrap().write_all(people(1..=GIVEN).as_bytes()).unwrap();
        killed.kill().unwrap();
        killed.wait().unwrap();
        let there = home.export().lines().count() as u64;
        assert!((8000..=GIVEN).contains(&there), "{there} accounts are there");
        assert_eq!(there % 4000, 0, "a batch is there in part");

        let again = home.import(&people(1..=ALL), &[]);
        assert_eq!(again, format!("{} added, {there} unchanged, 0 refused\nexit Some(0)", ALL - there));
        assert_eq!(home.export().lines().count() as u64, ALL);
        insta::assert_snapshot!(home.verified(), @"accounts: 10000, entries: 10000, erased: 0, broken histories: 0");
    }
);

on_both_databases!(
    async fn lines_come_from_standard_input_too(home: Home) {
        let mut importing = home.importing(&[]);
        importing.stdin.take().unwrap().write_all(people(1..=3).as_bytes()).unwrap();
        insta::assert_snapshot!(streams(&importing.wait_with_output().unwrap()), @"
        3 added, 0 unchanged, 0 refused
        exit Some(0)
        ");
    }
);
