//! Where pictures are stored, and for how long.

use std::time::Duration;

use serde::{Deserialize, Deserializer};

use super::{
    ConfigError, Secret,
    settings::Settings,
    url,
    value::{HOUR, MINUTE, count, duration, read},
};

/// Uploaded pictures.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Pictures {
    /// Where they are stored.
    pub store: PictureStore,
    /// URL of the S3 service, or `None` for AWS.
    #[serde(deserialize_with = "url::optional")]
    pub s3_endpoint: Option<String>,
    /// The bucket's region.
    pub s3_region: String,
    /// The access key; if empty, the machine's own credentials are used.
    pub s3_access_key_id: String,
    /// The secret of the access key.
    pub s3_secret_access_key: Secret,
    /// Whether the S3 service may be used without TLS.
    pub s3_allow_http: bool,
    /// The maximum number of pictures decoded at once.
    #[serde(deserialize_with = "count::<_, 1, 64>")]
    pub workers: usize,
    /// How long a replaced picture is kept.
    #[serde(deserialize_with = "duration::<_, 0, { 87_600 * HOUR }>")]
    pub kept_for: Duration,
    /// The maximum number of replaced pictures of one account that are kept.
    #[serde(deserialize_with = "count::<_, 0, 1_000>")]
    pub max_replaced: usize,
    /// How long an upload may wait for the change that uses it; longer than any request takes.
    #[serde(deserialize_with = "duration::<_, { 15 * MINUTE }, { 720 * HOUR }>")]
    pub pending_for: Duration,
}

/// Where pictures are stored.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum PictureStore {
    /// In the folder [`Config::pictures_folder`](super::Config::pictures_folder).
    Folder,
    /// In a bucket of an S3-compatible service.
    Bucket {
        /// The bucket's name.
        name: String,
        /// The prefix of every object's name, without slashes at its ends; may be empty.
        prefix: String,
    },
}

impl Pictures {
    /// Checks the rules between these settings.
    pub(super) fn check(&self, settings: &Settings) -> Result<(), ConfigError> {
        let (id, secret) = ("pictures.s3_access_key_id", "pictures.s3_secret_access_key");
        match (self.s3_access_key_id.is_empty(), self.s3_secret_access_key.is_empty()) {
            (true, false) => return Err(settings.refuse(secret, format!("{id} must be given too"))),
            (false, true) => return Err(settings.refuse(id, format!("{secret} must be given too"))),
            _ => {}
        }
        let is_plain = |endpoint: &String| !endpoint.to_ascii_lowercase().starts_with("https:");
        if self.s3_endpoint.as_ref().is_some_and(is_plain) && !self.s3_allow_http {
            let problem = "must start with https://; to allow http://, set pictures.s3_allow_http = true";
            return Err(settings.refuse("pictures.s3_endpoint", problem));
        }
        Ok(())
    }
}

impl<'de> Deserialize<'de> for PictureStore {
    fn deserialize<D: Deserializer<'de>>(source: D) -> Result<Self, D::Error> {
        let expected = "expected s3://BUCKET or s3://BUCKET/PREFIX, or nothing for a folder";
        read(source, expected, |text| match text {
            "" => Some(Self::Folder),
            text => bucket(text.strip_prefix("s3://")?),
        })
    }
}

fn bucket(text: &str) -> Option<PictureStore> {
    let (name, prefix) = text.split_once('/').unwrap_or((text, ""));
    let prefix = prefix.strip_suffix('/').unwrap_or(prefix);
    let is_part = |part: &str| {
        let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._".contains(&byte);
        !part.is_empty() && part != "." && part != ".." && part.bytes().all(is_plain)
    };
    let fits = is_part(name) && (prefix.is_empty() || prefix.split('/').all(is_part));
    fits.then(|| PictureStore::Bucket { name: name.to_owned(), prefix: prefix.to_owned() })
}
