use super::{Outcome, Place};
use crate::app::open_store;

/// Brings the tables up to date and does nothing else: for deployments that do it ahead of the new version's start.
pub(super) async fn run(place: &Place) -> Outcome {
    let config = place.load(None)?.config;
    Ok(open_store(&config).await?.check().await?)
}
