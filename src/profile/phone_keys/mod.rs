//! Rebuilds the unique keys of verified phone numbers that earlier versions made.
//!
//! Those versions compared numbers without a leading `+` as they were typed, or left a `(0)` after the country code in, so two
//! accounts of a tenant could have verified one number. The key is that of the E.164 form. Of several accounts with one number the first to verify it keeps its mark; the others lose it, and so does a number that has no
//! E.164 form. The pass goes through the accounts in batches, each a transaction that also records the progress. It ends
//! before the first request is answered.

mod batch;
mod earlier;
mod verified_since;

use super::Profiles;
use crate::account::{AccountId, Cause, Error, TenantId, Unique};
use crate::keys::Keyring;
use crate::store::{OpenError, PhoneKeys, UniqueKey};
use batch::Batch;

/// The most accounts in a batch.
const BATCH: i64 = 1000;
/// The most marks that a batch removes, each with statements of its own. A batch that would remove more is replaced by one
/// with as many accounts.
const MOST_LOST: usize = 200;
/// The most attempts at a batch when accounts change meanwhile.
const ATTEMPTS: usize = 5;

/// Why an account loses the verified mark of its phone number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LostMark {
    /// This account verified the same number first.
    VerifiedBy(AccountId),
    /// The number has no E.164 form.
    NoE164,
}

/// What the pass would do.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Preview {
    /// The unique keys that it would replace.
    pub keys: u64,
    /// The verified marks that it would remove.
    pub marks: u64,
}

impl Preview {
    fn add(&mut self, batch: &Batch) {
        self.keys += batch.keys();
        self.marks += batch.marks();
    }
}

impl Profiles {
    /// Rebuilds the keys, unless that is done. Of several instances one does, and the others wait; an interrupted pass
    /// goes on where it ended.
    pub async fn rebuild_phone_keys(&self) -> Result<(), Error> {
        if self.store.phone_keys().await? == PhoneKeys::Done {
            return Ok(());
        }
        let _lock = self.store.lock_for_migrating().await.map_err(unavailable)?;
        let (mut done, mut attempts) = (Preview::default(), 0);
        loop {
            match self.rebuild_next().await {
                Ok(Some(batch)) => {
                    attempts = 0;
                    done.add(&batch);
                }
                Ok(None) => break,
                Err(Error::Unavailable(_) | Error::Taken(_)) if attempts + 1 < ATTEMPTS => attempts += 1,
                Err(error) => return Err(error),
            }
        }
        let Preview { keys, marks } = done;
        if keys + marks > 0 {
            tracing::info!(keys, marks, "unique keys of phone numbers rebuilt");
        }
        Ok(())
    }

    /// Rebuilds the keys of the next batch; `None` if all are rebuilt. Fails with [`Error::Unavailable`] if an account that
    /// decides the batch changes meanwhile.
    async fn rebuild_next(&self) -> Result<Option<Batch>, Error> {
        let from = self.store.phone_keys().await?;
        let PhoneKeys::Until(after) = from else { return Ok(None) };
        let batch = self.batch(after).await?;
        let written = self.writing(&batch, from).await?;
        self.store.rebuild_phone_keys(&written).await?;
        Ok(Some(batch))
    }

    /// Returns what [`Profiles::rebuild_phone_keys`] would do from where it is, and reports each account that would lose its
    /// mark. Writes nothing.
    pub async fn preview_phone_keys<E: From<Error>>(
        &self,
        mut report: impl FnMut(AccountId, LostMark) -> Result<(), E>,
    ) -> Result<Preview, E> {
        let mut preview = Preview::default();
        let mut progress = self.store.phone_keys().await?;
        while let PhoneKeys::Until(after) = progress {
            let batch = self.batch(after).await?;
            for (account, why) in batch.lost() {
                report(account, why)?;
            }
            preview.add(&batch);
            progress = batch.to;
        }
        Ok(preview)
    }

    /// Returns the next batch, which removes at most [`MOST_LOST`] marks.
    async fn batch(&self, after: AccountId) -> Result<Batch, Error> {
        let batch = Batch::read(self, after, BATCH).await?;
        match batch {
            Some(batch) => Ok(batch),
            None => {
                let smaller = Batch::read(self, after, MOST_LOST as i64).await?;
                smaller.ok_or_else(|| Error::Internal(Cause::new("a batch removes more marks than it has accounts")))
            }
        }
    }
}

fn unavailable(error: OpenError) -> Error {
    Error::Unavailable(Cause::new(error))
}

/// Returns the unique key of a number's form in a tenant.
fn index(keys: &Keyring, tenant: TenantId, form: &str) -> UniqueKey {
    UniqueKey { kind: Unique::Phone, key: keys.index(tenant.0, Unique::Phone.name(), form) }
}
