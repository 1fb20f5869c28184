//! The operator's commands, run as the real program: their output, their changes and their errors.

mod accounts;
mod audit;
mod explain;
mod faults;
mod pipes;
mod schemas;
mod secrets;
mod serving;
mod tenants;
mod tokens;

use crate::support::Installation;

/// Adds the tenant `demo`.
fn with_tenant(installation: &Installation) {
    installation.print(&["tenant", "create", "demo"]);
}

/// Adds a tenant with one account, and returns the id of the account.
fn with_account(installation: &Installation) -> String {
    with_tenant(installation);
    let fields = ["display_name=Jane Admin", "username=jane", "email=jane@example.com", "email_verified=true"];
    let create = [&["account", "create", "--tenant", "demo", "--json"], fields.as_slice()].concat();
    installation.json(&create)["id"].as_str().unwrap().to_owned()
}
