//! The embedded database alone: the statements of `bench/statements`, on a copy of a database of the product.

use std::thread::{self, available_parallelism};
use std::time::{Duration, Instant};

use rusqlite::{Connection, Row, ToSql, named_params};

use super::Outcome;

const READ: &str = include_str!("../statements/read.sql");
const UPDATE: &str = include_str!("../statements/sqlite_update.sql");
const HISTORY: &str = include_str!("../statements/sqlite_history.sql");

/// What keyed hashes, commitments and links have, in bytes.
const DIGEST: [u8; 32] = [0x5a; 32];
/// A time, in microseconds since 1970.
const AT: i64 = 1_800_000_000_000_000;
const REQUEST_ID: &str = "00000000-0000-7000-8000-000000000000";

/// Reads accounts in turn, one query each, with a connection and a thread for each core; prints reads per second.
pub(super) fn read(file: &str, time: Duration) -> Outcome {
    let begin = Instant::now();
    let threads: Vec<_> = (0..available_parallelism()?.get())
        .map(|_| {
            let file = file.to_owned();
            thread::spawn(move || read_for(&file, time))
        })
        .collect();
    let mut reads = 0;
    for thread in threads {
        reads += thread.join().map_err(|_| "a reader panicked")??;
    }
    print_rate(reads, begin);
    Ok(())
}

fn read_for(file: &str, time: Duration) -> Outcome<u64> {
    let connection = open(file)?;
    let accounts = accounts(&connection)?;
    let mut statement = connection.prepare(READ)?;
    let (begin, mut reads, mut bytes) = (Instant::now(), 0, 0);
    for id in accounts.iter().cycle() {
        let named = named_params! { ":id": id, ":token": DIGEST, ":session": DIGEST };
        bytes += statement.query_row(named, length)?;
        reads += 1;
        if begin.elapsed() >= time {
            break;
        }
    }
    if bytes == 0 { Err("the rows are empty".into()) } else { Ok(reads) }
}

/// Reads every value of a row, and returns how many bytes its texts and blobs have.
fn length(row: &Row<'_>) -> rusqlite::Result<usize> {
    let mut bytes = 0;
    for column in 0..row.as_ref().column_count() {
        bytes += row.get_ref(column)?.as_bytes_or_null().ok().flatten().map_or(0, <[u8]>::len);
    }
    Ok(bytes)
}

/// Changes accounts in turn, `group` of them in each transaction, each with an entry in the history whose payload has so many
/// bytes; prints changes per second.
pub(super) fn update(file: &str, time: Duration, group: usize, bytes: usize) -> Outcome {
    let connection = open(file)?;
    let accounts = accounts(&connection)?;
    let (payload, length) = (vec![0x5a; bytes], bytes as i64);
    let (mut update, mut history) = (connection.prepare(UPDATE)?, connection.prepare(HISTORY)?);
    let (begin, mut changes) = (Instant::now(), 0_u64);
    let mut next = accounts.iter().cycle();
    while begin.elapsed() < time {
        connection.execute_batch("BEGIN IMMEDIATE")?;
        for id in next.by_ref().take(group) {
            let name = format!("Name {changes:012}").into_bytes();
            let changed: [(&str, &dyn ToSql); 5] =
                [(":id", id), (":name", &name), (":at", &AT), (":link", &DIGEST), (":bytes", &length)];
            let entry: [(&str, &dyn ToSql); 7] = [
                (":id", id),
                (":at", &AT),
                (":request_id", &REQUEST_ID),
                (":commitment", &DIGEST),
                (":link", &DIGEST),
                (":payload", &payload),
                (":salt", &DIGEST),
            ];
            if (update.execute(&changed[..])?, history.execute(&entry[..])?) != (1, 1) {
                return Err("an account is missing".into());
            }
            changes += 1;
        }
        connection.execute_batch("COMMIT")?;
    }
    print_rate(changes, begin);
    Ok(())
}

fn open(file: &str) -> Outcome<Connection> {
    let connection = Connection::open(file)?;
    connection.pragma_update(None, "journal_mode", "WAL")?;
    connection.pragma_update(None, "synchronous", "FULL")?;
    Ok(connection)
}

fn accounts(connection: &Connection) -> Outcome<Vec<Vec<u8>>> {
    let mut statement = connection.prepare("SELECT id FROM account")?;
    let accounts: Vec<Vec<u8>> = statement.query_map([], |row| row.get(0))?.collect::<Result<_, _>>()?;
    if accounts.is_empty() { Err("the database has no accounts".into()) } else { Ok(accounts) }
}

fn print_rate(count: u64, begin: Instant) {
    println!("{:.0}", count as f64 / begin.elapsed().as_secs_f64());
}
