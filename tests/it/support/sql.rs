//! Direct reads and writes of a database, without the program.

use selfsame::store::TABLES;
use tokio_postgres::{NoTls, SimpleQueryMessage};

use super::Database;

impl Database {
    /// Runs statements that are valid on both databases.
    pub(crate) async fn execute(&self, statements: &str) {
        match self.url().strip_prefix("sqlite:") {
            Some(file) => rusqlite::Connection::open(file).unwrap().execute_batch(statements).unwrap(),
            None => connect(self.url()).await.batch_execute(statements).await.unwrap(),
        }
    }

    /// Translates statements in which hexadecimal digits in angle brackets are bytes, and those in square brackets are an
    /// identifier, into the dialect of this database.
    pub(crate) fn in_dialect(&self, statements: &str) -> String {
        let (bytes, identifier) = if self.url().starts_with("sqlite:") { ("x'", "x'") } else { ("'\\x", "'") };
        statements.replace('<', bytes).replace('[', identifier).replace(['>', ']'], "'")
    }

    /// Prepares a statement whose parameters are named, as in `:id`.
    pub(crate) async fn prepare(&self, statement: &str) -> Result<(), String> {
        match self.url().strip_prefix("sqlite:") {
            Some(file) => {
                let connection = rusqlite::Connection::open(file).unwrap();
                connection.prepare(statement).map(drop).map_err(|error| error.to_string())
            }
            None => {
                let prepared = connect(self.url()).await.prepare(&numbered(statement)).await;
                prepared.map(drop).map_err(|error| format!("{error:?}"))
            }
        }
    }

    /// Returns every row of a query, with its columns as text separated by spaces.
    pub(crate) async fn rows(&self, query: &str) -> Vec<String> {
        match self.url().strip_prefix("sqlite:") {
            Some(file) => {
                let connection = rusqlite::Connection::open(file).unwrap();
                let mut statement = connection.prepare(query).unwrap();
                let columns = statement.column_count();
                let cell = |value: rusqlite::types::Value| match value {
                    rusqlite::types::Value::Null => "null".to_owned(),
                    rusqlite::types::Value::Integer(value) => value.to_string(),
                    rusqlite::types::Value::Real(value) => value.to_string(),
                    rusqlite::types::Value::Text(value) => value,
                    rusqlite::types::Value::Blob(value) => String::from_utf8_lossy(&value).into_owned(),
                };
                let row = |row: &rusqlite::Row<'_>| {
                    let cells: Vec<String> = (0..columns).map(|column| cell(row.get_unwrap(column))).collect();
                    Ok(cells.join(" "))
                };
                statement.query_map([], row).unwrap().map(Result::unwrap).collect()
            }
            None => {
                let answers = connect(self.url()).await.simple_query(query).await.unwrap();
                let rows = answers.iter().filter_map(|answer| match answer {
                    SimpleQueryMessage::Row(row) => Some(row),
                    _ => None,
                });
                rows.map(|row| (0..row.len()).map(|column| row.get(column).unwrap_or("null")).collect::<Vec<_>>())
                    .map(|cells| cells.join(" "))
                    .collect()
            }
        }
    }

    /// Returns every row of every table as text.
    pub(crate) async fn all_rows(&self) -> Vec<String> {
        let mut all = Vec::new();
        match self.url().strip_prefix("sqlite:") {
            Some(file) => {
                let connection = rusqlite::Connection::open(file).unwrap();
                for table in TABLES {
                    let mut select = connection.prepare(&format!("SELECT * FROM {}", table.name)).unwrap();
                    let width = select.column_count();
                    let mut rows = select.query([]).unwrap();
                    while let Some(row) = rows.next().unwrap() {
                        let values: Vec<rusqlite::types::Value> =
                            (0..width).map(|column| row.get(column).unwrap()).collect();
                        all.push(format!("{} {values:?}", table.name));
                    }
                }
            }
            None => {
                let client = connect(self.url()).await;
                for table in TABLES {
                    let select = format!("SELECT t::text FROM {} t", table.name);
                    for row in client.query(&select, &[]).await.unwrap() {
                        all.push(format!("{} {}", table.name, row.get::<_, String>(0)));
                    }
                }
            }
        }
        all.sort();
        all
    }
}

/// Replaces parameters such as `:id` by `$1`, `$2` and so on, as PostgreSQL numbers them.
fn numbered(statement: &str) -> String {
    let mut names = Vec::new();
    let mut pieces = statement.split(':');
    let mut numbered = pieces.next().unwrap_or_default().to_owned();
    for piece in pieces {
        let end = piece.find(|c: char| c != '_' && !c.is_ascii_alphanumeric()).unwrap_or(piece.len());
        let (name, rest) = piece.split_at(end);
        if name.is_empty() {
            numbered.push_str(&format!(":{rest}"));
            continue;
        }
        let number = names.iter().position(|known| *known == name).unwrap_or(names.len());
        if number == names.len() {
            names.push(name);
        }
        numbered.push_str(&format!("${}{rest}", number + 1));
    }
    numbered
}

async fn connect(url: &str) -> tokio_postgres::Client {
    let (client, connection) = tokio_postgres::connect(url, NoTls).await.unwrap();
    tokio::spawn(connection);
    client
}
