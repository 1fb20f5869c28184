//! The object store: a folder, or a bucket of a service that speaks S3.

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

/// How long connecting to the service may take.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(2);
/// How long one request to the service may take.
const TIMEOUT: Duration = Duration::from_secs(5);
/// How often a request is repeated that the service failed to answer.
const RETRIES: usize = 2;
/// A file of 512 by 512 pixels is never larger, in bytes.
const MAX_FILE: u64 = 4 * 1024 * 1024;

/// Where pictures are kept, by name.
pub(super) struct Objects(Backend);

enum Backend {
    /// Opened when it is first used: a server that keeps nothing in its data folder may have none.
    Folder {
        path: PathBuf,
        opened: OnceLock<Arc<LocalFileSystem>>,
    },
    Bucket(Arc<dyn ObjectStore>),
}

/// The object store cannot be used as it is configured.
#[derive(Debug, thiserror::Error)]
#[error(transparent)]
pub struct ObjectsError(#[from] object_store::Error);

/// A picture as it is kept.
pub struct Kept {
    /// The file.
    pub file: Bytes,
    /// Its media type.
    pub media_type: &'static str,
}

impl Objects {
    /// Where the configuration says; nothing is read or written yet.
    pub(super) fn new(config: &Config) -> Result<Objects, ObjectsError> {
        Ok(Objects(match &config.pictures.store {
            PictureStore::Folder => Backend::Folder { path: config.pictures_folder(), opened: OnceLock::new() },
            PictureStore::Bucket { name, prefix } => Backend::Bucket(bucket(name, prefix, &config.pictures)?),
        }))
    }

    /// The picture with this name.
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

    /// Whether there is a picture with this name.
    pub(super) async fn has(&self, name: &str) -> Result<bool, Error> {
        match self.store()?.head(&Path::from(name)).await {
            Ok(_) => Ok(true),
            Err(object_store::Error::NotFound { .. }) => Ok(false),
            Err(error) => Err(away(error)),
        }
    }

    /// Keeps a picture, durably.
    pub(super) async fn put(&self, name: &str, file: Bytes) -> Result<(), Error> {
        self.store()?.put(&Path::from(name), file.into()).await.map(drop).map_err(away)
    }

    /// Deletes a picture; one that is gone already is no error.
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
    // Without a key of ours, what the platform gives a machine: it arrives in variables of the platform's own.
    let builder = match settings.s3_access_key_id.as_str() {
        "" => AmazonS3Builder::from_env(),
        id => {
            AmazonS3Builder::new().with_access_key_id(id).with_secret_access_key(settings.s3_secret_access_key.expose())
        }
    };
    let builder = builder.with_client_options(options).with_retry(retry).with_allow_http(settings.s3_allow_http);
    // One at a time is all that is deleted, which every service that speaks S3 can do.
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
