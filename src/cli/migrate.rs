use super::{GlobalOptions, Outcome};
use crate::app::open_store;

/// Runs pending database migrations and nothing else, for deployments that migrate before the new version starts.
pub(super) async fn run(options: &GlobalOptions) -> Outcome {
    let config = options.load(None)?.config;
    Ok(open_store(&config).await?.check().await?)
}
