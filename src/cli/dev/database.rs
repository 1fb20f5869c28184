//! The database of `dev`: a new one, or one that `dev` made.

use super::super::{Failure, Outcome};
use crate::app::{StartError, open_store};
use crate::config::Config;
use crate::store::{OpenError, Store, place};

/// Refuses a database that is in use and was not made by `dev`. Creates and changes nothing, not even a folder.
pub(super) async fn check(config: &Config) -> Outcome {
    let admits = Store::admits_dev(&config.database(), &config.database).await;
    if admits.map_err(StartError::Open)? { Ok(()) } else { Err(refused(config)) }
}

/// Marks the database as made by `dev`, before anything else is written to it; pending migrations are run first.
pub(super) async fn claim(config: &Config) -> Outcome {
    let store = open_store(config).await?;
    if store.claim_for_dev().await? { Ok(()) } else { Err(refused(config)) }
}

fn refused(config: &Config) -> Failure {
    StartError::Open(OpenError::NotMadeByDev(place(&config.database()))).into()
}
