//! The operator's commands through the real program: what they print, what they change, and how they refuse.

mod accounts;
mod audit;
mod faults;
mod pipes;
mod schemas;
mod tenants;
mod tokens;

use crate::support::Installation;

/// Adds the tenant `demo`.
fn with_tenant(installation: &Installation) {
    installation.print(&["tenant", "create", "demo"]);
}

/// Adds a tenant with somebody in it, and returns their id.
fn with_account(installation: &Installation) -> String {
    with_tenant(installation);
    let fields = ["display_name=Jane Admin", "username=jane", "email=jane@example.com", "email_verified=true"];
    let create = [&["account", "create", "--tenant", "demo", "--json"], fields.as_slice()].concat();
    installation.json(&create)["id"].as_str().unwrap().to_owned()
}
