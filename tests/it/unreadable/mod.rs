//! Rows that cannot be read after a change from outside the program: the response is the contract's internal error, one log
//! line names table, column and key, and nothing is written.

mod accounts;
mod attributes;
mod beside;
mod history;
mod keys;
mod row;

use crate::support::{Database, Log, Person, Server, Side};

const SIDES: [Side; 4] = [Side::System, Side::Cl2c, Side::RiverGen, Side::Ciam];
/// A number of microseconds that is not a valid time.
const NO_TIME: &str = "9223372036854775807";
/// The cause that is logged for it.
const IS_NO_TIME: &str = "9223372036854775807 is no time";

/// The data that a request may not change: every account and the length of every history.
async fn written(server: &Server) -> Vec<String> {
    let accounts = "SELECT a.version, a.display_name, a.given_name, a.attributes, a.updated_at, \
                    (SELECT count(*) FROM history h WHERE h.account_id = a.id) FROM account a ORDER BY a.id";
    server.database().rows(accounts).await
}

/// Changes a field other than attributes through a contract.
async fn rename(person: &Person<'_>, side: Side) -> crate::support::Answer {
    let name = match side {
        Side::System => "accountName",
        // CL2C takes both names; `Person::write` would read the other one from the account, which cannot be read.
        Side::Cl2c => {
            let names = serde_json::json!({"firstName": "Renamed", "lastName": "Roe"});
            return person.cl2c("PUT", "/v1/cl2c/user", Some(names)).await;
        }
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
    fn is_sqlite(&self) -> bool {
        self.url().starts_with("sqlite:")
    }

    /// A literal of bytes in the dialect of the database.
    fn bytes(&self, bytes: &[u8]) -> String {
        let digits: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
        if self.is_sqlite() { format!("X'{digits}'") } else { format!("'\\x{digits}'::bytea") }
    }
}
