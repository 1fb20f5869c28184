//! Rows that were changed behind the program's back and cannot be read: an internal error in the contract's own form, one
//! log line that names table, column and key, and nothing written.

mod attributes;
mod history;

use crate::support::{Database, Log, Person, Server, Side};

/// What a request may not change: every account and the length of every history.
async fn written(server: &Server) -> Vec<String> {
    let accounts = "SELECT a.version, a.display_name, a.given_name, a.attributes, a.updated_at, \
                    (SELECT count(*) FROM history h WHERE h.account_id = a.id) FROM account a ORDER BY a.id";
    server.database().rows(accounts).await
}

/// Changes something of the person that has nothing to do with attributes, through a contract.
async fn rename(person: &Person<'_>, side: Side) -> crate::support::Answer {
    let name = match side {
        Side::System => "accountName",
        Side::Cl2c => "firstName",
        Side::RiverGen => "display_name",
        Side::Ciam => "name",
    };
    person.write(side, name, "Renamed").await
}

/// The causes of internal errors that were logged since the last call.
fn causes(log: &Log, seen: &mut usize) -> Vec<String> {
    let errors = log.at("ERROR");
    let new = errors[*seen..].iter().map(|line| line["cause"].as_str().unwrap_or_default().to_owned()).collect();
    *seen = errors.len();
    new
}

impl Database {
    /// Bytes as both databases write them in a statement.
    fn bytes(&self, bytes: &[u8]) -> String {
        let digits: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
        if self.url().starts_with("sqlite:") { format!("X'{digits}'") } else { format!("'\\x{digits}'::bytea") }
    }
}
