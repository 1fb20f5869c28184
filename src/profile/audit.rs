//! Reads the history of an account, and verifies that it was not altered.

use super::Profiles;
use super::record::additional_data;
use crate::account::history::{self, Entry};
use crate::account::{Account, Digest, Error};
use crate::json::{self, Value};

/// Entries that are read at a time.
const PAGE: i64 = 500;

/// The result of verifying a history.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Every entry is present and unaltered, apart from erasure.
    Whole {
        /// Entries in the chain.
        entries: i64,
        /// Entries whose payload was erased.
        erased: i64,
    },
    /// The first entry, by sequence number, that is missing or altered.
    Broken {
        /// The entry's sequence number.
        sequence: i64,
        /// Why it is not valid.
        reason: &'static str,
    },
}

impl Profiles {
    /// Returns the payload of an entry; `None` when it was erased or cannot be opened.
    pub fn payload(&self, entry: &Entry) -> Option<Value> {
        json::parse(&self.open(entry)?).ok()
    }

    /// Verifies the chain from the first entry to the head in the account's row.
    pub async fn verify(&self, account: &Account) -> Result<Verdict, Error> {
        let mut head = Digest::START;
        let mut sequence = 0;
        let mut erased = 0;
        loop {
            let page = self.store.history(account.id, sequence, PAGE).await?;
            if page.is_empty() {
                break;
            }
            for entry in &page {
                sequence += 1;
                if let Err(reason) = self.check(entry, sequence, head) {
                    return Ok(Verdict::Broken { sequence, reason });
                }
                erased += i64::from(entry.sealed.is_none());
                head = entry.link;
            }
        }
        if sequence != account.version || head != account.history_head {
            return Ok(Verdict::Broken {
                sequence: sequence + 1,
                reason: "the chain does not end at the account's head",
            });
        }
        Ok(Verdict::Whole { entries: sequence, erased })
    }

    fn check(&self, entry: &Entry, sequence: i64, head: Digest) -> Result<(), &'static str> {
        if entry.metadata.sequence != sequence {
            return Err("an entry is missing");
        }
        if history::link(head, &entry.metadata, entry.commitment) != entry.link {
            return Err("the entry is not linked to the one before it");
        }
        let Some(sealed) = &entry.sealed else { return Ok(()) };
        let payload = self.open(entry).ok_or("the payload does not open")?;
        if history::commit(&sealed.salt, &payload) != entry.commitment {
            return Err("the payload is not the one that was committed to");
        }
        Ok(())
    }

    fn open(&self, entry: &Entry) -> Option<Vec<u8>> {
        let sealed = entry.sealed.as_ref()?;
        self.keys.history().open(&additional_data(&entry.metadata), &sealed.payload).ok()
    }
}
