use super::{GlobalOptions, Outcome};
use crate::app::open_store;

/// Runs pending migrations, and prepares every statement to check that the tables fit this version. For deployments that
/// migrate before the new version starts.
pub(super) async fn run(options: &GlobalOptions) -> Outcome {
    let config = options.load(None)?.config;
    Ok(open_store(&config).await?.check().await?)
}
