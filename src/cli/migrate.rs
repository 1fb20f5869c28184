use super::{Outcome, Place};
use crate::app::StartError;
use crate::store::Store;

/// Brings the tables up to date and does nothing else: for deployments that do it ahead of the new version's start.
pub(super) async fn run(place: &Place) -> Outcome {
    let config = place.load(None)?.config;
    let opened = Store::open(&config.database(), &config.database).await;
    Ok(opened.map_err(StartError::from)?.check().await?)
}
