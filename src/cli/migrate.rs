use super::{GlobalOptions, Outcome};
use crate::app::open_store;

/// Brings the tables up to date and does nothing else: for deployments that do it ahead of the new version's start.
pub(super) async fn run(options: &GlobalOptions) -> Outcome {
    let config = options.load(None)?.config;
    Ok(open_store(&config).await?.check().await?)
}
