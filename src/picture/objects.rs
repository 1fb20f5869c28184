//! The object store: a folder, or a bucket of an S3-compatible service.

use std::path::{Path as Folder, PathBuf};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use bytes::Bytes;
use object_store::aws::AmazonS3Builder;
use object_store::local::LocalFileSystem;
use object_store::path::Path;
use object_store::prefix::PrefixStore;
use object_store::{ClientOptions, ObjectStore, ObjectStoreExt as _, RetryConfig};

use crate::account::{Cause, Error};
use crate::config::{Config, PictureStore, Pictures};

/// The timeout for connecting to the service.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(2);
/// The timeout of one request to the service.
const TIMEOUT: Duration = Duration::from_secs(5);
/// How often a request that the service failed to answer is retried.
const RETRIES: usize = 2;
/// An upper bound for a file of 512 by 512 pixels, in bytes; earlier versions stored more than [`super::MAX_STORED_BYTES`].
const MAX_FILE: u64 = 4 * 1024 * 1024;

/// The stored pictures, by name.
pub(super) struct Objects(Backend);

enum Backend {
    /// Opened on first use: a server that stores nothing in its data folder may have none.
    Folder {
        path: PathBuf,
        opened: OnceLock<Arc<LocalFileSystem>>,
    },
    Bucket(Arc<dyn ObjectStore>),
}

/// The object store cannot be used as configured.
#[derive(Debug, thiserror::Error)]
#[error(transparent)]
pub struct ObjectsError(#[from] object_store::Error);

/// A stored picture.
pub struct Kept {
    /// The file.
    pub file: Bytes,
    /// Its media type.
    pub media_type: &'static str,
}

impl Objects {
    /// Creates the configured store; nothing is read or written yet.
    pub(super) fn new(config: &Config) -> Result<Objects, ObjectsError> {
        Ok(Objects(match &config.pictures.store {
            PictureStore::Folder => Backend::Folder { path: config.pictures_folder(), opened: OnceLock::new() },
            PictureStore::Bucket { name, prefix } => Backend::Bucket(bucket(name, prefix, &config.pictures)?),
        }))
    }

    /// Returns the picture with this name.
    pub(super) async fn get(&self, name: &str) -> Result<Option<Kept>, Error> {
        let Some(media_type) = super::media_type(name) else {
            return Ok(None);
        };
        let found = match self.store()?.get(&Path::from(name)).await {
            Err(object_store::Error::NotFound { .. }) => return Ok(None),
            found => found.map_err(away)?,
        };
        if found.meta.size > MAX_FILE {
            return Err(Error::Internal(Cause::new(
                "a picture in the object store is larger than any that is written",
            )));
        }
        Ok(Some(Kept { file: found.bytes().await.map_err(away)?, media_type }))
    }

    /// Stores a picture durably.
    pub(super) async fn put(&self, name: &str, file: Bytes) -> Result<(), Error> {
        self.store()?.put(&Path::from(name), file.into()).await.map(drop).map_err(away)
    }

    /// Deletes a picture; a missing one is not an error.
    pub(super) async fn delete(&self, name: &str) -> Result<(), Error> {
        match self.store()?.delete(&Path::from(name)).await {
            Ok(()) | Err(object_store::Error::NotFound { .. }) => Ok(()),
            Err(error) => Err(away(error)),
        }
    }

    fn store(&self) -> Result<&dyn ObjectStore, Error> {
        match &self.0 {
            Backend::Bucket(bucket) => Ok(bucket),
            Backend::Folder { path, opened } => {
                if let Some(folder) = opened.get() {
                    return Ok(folder);
                }
                let folder = open_folder(path)?;
                Ok(opened.get_or_init(|| Arc::new(folder)))
            }
        }
    }
}

fn open_folder(path: &Folder) -> Result<LocalFileSystem, Error> {
    crate::folder::make(path).map_err(|error| Error::Unavailable(Cause::new(error)))?;
    Ok(LocalFileSystem::new_with_prefix(path).map_err(away)?.with_fsync(true))
}

fn bucket(name: &str, prefix: &str, settings: &Pictures) -> Result<Arc<dyn ObjectStore>, object_store::Error> {
    let options = ClientOptions::new().with_connect_timeout(CONNECT_TIMEOUT).with_timeout(TIMEOUT);
    let retry = RetryConfig { max_retries: RETRIES, retry_timeout: TIMEOUT, ..RetryConfig::default() };
    // Without a configured key, the platform provides the machine's credentials, in its own environment variables.
    let builder = match settings.s3_access_key_id.as_str() {
        "" => AmazonS3Builder::from_env(),
        id => {
            AmazonS3Builder::new().with_access_key_id(id).with_secret_access_key(settings.s3_secret_access_key.expose())
        }
    };
    let builder = builder.with_client_options(options).with_retry(retry).with_allow_http(settings.s3_allow_http);
    // Objects are deleted one at a time, which every S3-compatible service supports.
    let builder = builder.with_disable_bulk_delete(true).with_bucket_name(name).with_region(&settings.s3_region);
    let builder = match &settings.s3_endpoint {
        Some(endpoint) => builder.with_endpoint(endpoint),
        None => builder,
    };
    let bucket = builder.build()?;
    Ok(match prefix {
        "" => Arc::new(bucket),
        prefix => Arc::new(PrefixStore::new(bucket, prefix)),
    })
}

fn away(error: object_store::Error) -> Error {
    Error::Unavailable(Cause::new(error))
}
