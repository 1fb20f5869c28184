use crate::account::Contract;
use clap::Args;

use super::{Failure, Outcome, output};
use crate::contract::openapi;

#[derive(Args)]
pub(super) struct OpenApi {
    /// The contract's name, as in tokens and logs
    #[arg(value_parser = documented)]
    contract: Contract,
}

impl OpenApi {
    pub(super) fn run(self) -> Outcome {
        let document = openapi::document(self.contract);
        output::line(document.ok_or_else(|| Failure(format!("{} has no document", self.contract.name())))?)
    }
}

fn documented(name: &str) -> Result<Contract, String> {
    let names = || openapi::documented().map(Contract::name).collect::<Vec<&str>>().join(", ");
    openapi::documented().find(|contract| contract.name() == name).ok_or_else(|| format!("expected one of {}", names()))
}
