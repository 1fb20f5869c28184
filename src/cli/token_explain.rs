//! `selfsame token explain`: each rule that a token follows or breaks.

use std::io::{self, Read};

use clap::Args;

use super::{Failure, Outcome, output};
use crate::account::Contract;
use crate::app::App;
use crate::identity::explain::{Explanation, Finding};
use crate::json::{Object, Value};

/// The most that is read from standard input, in bytes: more than a request can have.
const MAX_INPUT: u64 = 1_048_576;

#[derive(Args)]
pub(super) struct Explain {
    /// The token, or `-` to read it from standard input, where no other user of the machine sees it
    token: String,
    /// Print one JSON object
    #[arg(long)]
    json: bool,
}

impl Explain {
    /// Prints whether the token follows each rule. Succeeds if it follows them all; account, tenant and revocation are not
    /// checked. Nothing but the keys of the token's issuer is fetched.
    pub(super) async fn run(self, app: &App) -> Outcome {
        let token = if self.token == "-" { standard_input()? } else { self.token };
        // As it stands in a header, which people copy whole.
        let token = token.trim();
        let token = token.strip_prefix("Bearer ").unwrap_or(token).trim();
        let explanation = app.authenticator().explain(token).await?;
        if self.json {
            output::record(&object(&explanation), true)?;
        } else {
            print(&explanation)?;
        }
        if explanation.is_followed() { Ok(()) } else { Err(Failure("the token is refused".to_owned())) }
    }
}

fn standard_input() -> Result<String, Failure> {
    let mut text = String::new();
    io::stdin()
        .take(MAX_INPUT)
        .read_to_string(&mut text)
        .map_err(|error| Failure(format!("standard input: {error}")))?;
    Ok(text)
}

fn print(explanation: &Explanation) -> Outcome {
    for (rule, finding) in &explanation.findings {
        let (answer, why) = answer(finding);
        output::line(
            format_args!("{answer:<3}  {:<9}  {}", rule.name(), output::printable(why)).to_string().trim_end(),
        )?;
    }
    if let Some(issuer) = &explanation.issuer {
        output::line(format_args!("issuer: {}", output::printable(issuer)))?;
    }
    if explanation.is_followed() {
        let contracts: Vec<&str> = explanation.contracts.iter().map(|contract| contract.name()).collect();
        output::line(format_args!("valid for: {}", contracts.join(", ")))?;
        output::line("not checked here: account, tenant, revocation and application, which the database decides")?;
    }
    Ok(())
}

fn answer(finding: &Finding) -> (&'static str, &str) {
    match finding {
        Finding::Followed => ("yes", ""),
        Finding::Broken(why) => ("no", why),
        Finding::Unchecked => ("-", "not checked, because of an earlier rule"),
    }
}

fn object(explanation: &Explanation) -> Object {
    let rules = explanation.findings.iter().map(|(rule, finding)| {
        let mut entry = Object::from_iter([("rule", rule.name())]);
        let followed = match finding {
            Finding::Followed => Value::from(true),
            Finding::Broken(_) => Value::from(false),
            Finding::Unchecked => Value::Null,
        };
        entry.insert("followed", followed);
        if let Finding::Broken(why) = finding {
            entry.insert("why", why.as_str());
        }
        Value::Object(entry)
    });
    let names = |contract: &Contract| Value::from(contract.name());
    let mut object = Object::new();
    object.insert("followed", explanation.is_followed());
    object.insert("issuer", explanation.issuer.as_deref().map_or(Value::Null, Value::from));
    object.insert("contracts", Value::Array(explanation.contracts.iter().map(names).collect()));
    object.insert("rules", Value::Array(rules.collect()));
    object
}
