//! One batch: which keys are replaced, and which accounts lose their mark.

use std::collections::{BTreeMap, HashMap};

use jiff::Timestamp;

use super::super::Profiles;
use super::{LostMark, MOST_LOST, earlier, index};
use crate::account::history::ChangeContext;
use crate::account::{Account, AccountId, Cause, Error, Patch, TenantId, Unique};
use crate::keys::KeyedHash;
use crate::store::{OwnedKey, PhoneKeyBatch, PhoneKeys, PhoneRecord, UniqueKey};

/// The outcome for the accounts of a batch; nothing is written yet.
pub(super) struct Batch {
    /// The progress after the batch.
    pub(super) to: PhoneKeys,
    lost: BTreeMap<AccountId, LostMark>,
    /// The accounts that decide the batch, as they were read.
    records: HashMap<AccountId, PhoneRecord>,
    /// The accounts that keep their mark, with their versions, if something is written because of that.
    kept: Vec<(AccountId, i64)>,
    release: Vec<OwnedKey>,
    claim: Vec<OwnedKey>,
}

/// The accounts of a batch that have verified one number, and the owner of its unique key.
struct Rivals {
    key: OwnedNumber,
    members: Vec<PhoneRecord>,
}

/// Since when an account has verified a number, and when the account was created; `None` if it has no rival.
type Age = Option<(Timestamp, Timestamp)>;

/// A number's unique key in a tenant, and its owner.
struct OwnedNumber {
    tenant: TenantId,
    hash: KeyedHash,
    owner: Option<AccountId>,
}

impl Rivals {
    /// The owner of the key, if it is not among the members.
    fn outsider(&self) -> Option<AccountId> {
        self.key.owner.filter(|owner| self.members.iter().all(|member| member.account != *owner))
    }

    /// The accounts that may have to give up their marks: all but one.
    fn most_lost(&self) -> usize {
        self.members.len() - 1 + usize::from(self.outsider().is_some())
    }
}

impl Batch {
    /// Reads the next accounts, at most `limit`, and decides about their marks. `None` if more than [`MOST_LOST`] of them may
    /// lose one.
    pub(super) async fn read(profiles: &Profiles, after: AccountId, limit: i64) -> Result<Option<Batch>, Error> {
        let records = profiles.store.phone_records(after, limit).await?;
        let to = match records.last() {
            Some(last) if records.len() as i64 == limit => PhoneKeys::Until(last.account),
            _ => PhoneKeys::Done,
        };
        let verified: Vec<PhoneRecord> = records.into_iter().filter(|record| record.verified).collect();
        let mut batch = Batch {
            to,
            lost: BTreeMap::new(),
            records: HashMap::new(),
            kept: Vec::new(),
            release: verified.iter().flat_map(|record| earlier::keys(&profiles.keys, record)).collect(),
            claim: Vec::new(),
        };
        let (rivals, without_number) = rivals(profiles, verified).await?;
        let most_lost = without_number.len() + rivals.iter().map(Rivals::most_lost).sum::<usize>();
        if most_lost > MOST_LOST && limit > MOST_LOST as i64 {
            return Ok(None);
        }
        let outsiders: Vec<AccountId> = rivals.iter().filter_map(Rivals::outsider).collect();
        let outsiders = profiles.store.phone_records_of(&outsiders).await?;
        let members = rivals.iter().flat_map(|rivals| &rivals.members).cloned();
        batch.records = members.chain(outsiders).map(|record| (record.account, record)).collect();
        for record in without_number {
            batch.lost.insert(record.account, LostMark::NoE164);
            batch.records.insert(record.account, record);
        }
        for rivals in rivals {
            batch.decide(profiles, rivals).await?;
        }
        Ok(Some(batch))
    }

    /// Decides which account keeps a number: the first to verify it, then the older account, then the smaller identifier.
    async fn decide(&mut self, profiles: &Profiles, rivals: Rivals) -> Result<(), Error> {
        let outsider = rivals.outsider().and_then(|owner| self.records.get(&owner)).filter(|record| {
            let same = |number: String| index(&profiles.keys, record.tenant, &number).key == rivals.key.hash;
            record.tenant == rivals.key.tenant && record.e164().is_some_and(same)
        });
        let mut order: Vec<(Age, AccountId, i64)> = Vec::new();
        let candidates: Vec<&PhoneRecord> = rivals.members.iter().chain(outsider).collect();
        for record in &candidates {
            let age = match candidates.len() {
                1 => None,
                _ => Some((profiles.verified_since(record).await?, record.created_at)),
            };
            order.push((age, record.account, record.version));
        }
        order.sort();
        let Some(((_, first, version), others)) = order.split_first() else { return Ok(()) };
        for (_, other, _) in others {
            self.lost.insert(*other, LostMark::VerifiedBy(*first));
        }
        if !others.is_empty() || rivals.key.owner != Some(*first) {
            self.kept.push((*first, *version));
        }
        if rivals.key.owner == Some(*first) {
            return Ok(());
        }
        let unique_key = UniqueKey { kind: Unique::Phone, key: rivals.key.hash };
        let owned = |owner| OwnedKey { tenant: rivals.key.tenant, unique_key: unique_key.clone(), owner };
        // An account that loses its mark releases the key itself; one that has no mark keeps no key.
        self.release.extend(rivals.key.owner.filter(|owner| !self.lost.contains_key(owner)).map(owned));
        self.claim.push(owned(*first));
        Ok(())
    }

    /// The accounts that lose their mark, and why.
    pub(super) fn lost(&self) -> impl Iterator<Item = (AccountId, LostMark)> {
        self.lost.iter().map(|(account, why)| (*account, *why))
    }

    /// How many keys are replaced.
    pub(super) fn keys(&self) -> u64 {
        self.claim.len() as u64
    }

    /// How many marks are removed.
    pub(super) fn marks(&self) -> u64 {
        self.lost.len() as u64
    }
}

impl Profiles {
    /// Returns what a batch writes: the changes of the accounts that lose their marks are made by the system, recorded in
    /// their histories, and cause a notice like any other change that removes a mark. Fails with [`Error::Unavailable`] if one
    /// of them changed since it was read.
    pub(super) async fn writing(&self, batch: &Batch, from: PhoneKeys) -> Result<PhoneKeyBatch, Error> {
        let patch = Patch { phone_verified: Some(false), ..Patch::default() };
        let lost: Vec<AccountId> = batch.lost().map(|(account, _)| account).collect();
        let accounts = self.store.accounts_with(&lost).await?;
        let is_as_read =
            |account: &Account| batch.records.get(&account.id).is_some_and(|record| record.version == account.version);
        if accounts.len() != lost.len() || !accounts.iter().all(is_as_read) {
            return Err(Error::Unavailable(Cause::new("an account changed while it was read")));
        }
        let mut updates = Vec::new();
        for before in &accounts {
            if let Some(mut update) = self.change(before, &patch, &ChangeContext::migration())? {
                update.effects.extend(self.notices.of_change(before, &update.account));
                updates.push(update);
            }
        }
        let release = batch.release.clone();
        Ok(PhoneKeyBatch {
            from,
            to: batch.to,
            decided_by: batch.kept.clone(),
            release,
            updates,
            claim: batch.claim.clone(),
        })
    }
}

/// Groups verified numbers by their keys in E.164 form; those without that form are returned apart.
async fn rivals(profiles: &Profiles, verified: Vec<PhoneRecord>) -> Result<(Vec<Rivals>, Vec<PhoneRecord>), Error> {
    let mut members: BTreeMap<(TenantId, KeyedHash), Vec<PhoneRecord>> = BTreeMap::new();
    let mut without_number = Vec::new();
    for record in verified {
        match record.e164() {
            Some(number) => {
                let key = index(&profiles.keys, record.tenant, &number).key;
                members.entry((record.tenant, key)).or_default().push(record);
            }
            None => without_number.push(record),
        }
    }
    let keys: Vec<_> =
        members.keys().map(|(tenant, key)| (*tenant, UniqueKey { kind: Unique::Phone, key: *key })).collect();
    let owners = profiles.store.owners(&keys).await?;
    let rivals = members.into_iter().map(|((tenant, hash), members)| {
        let owner = owners.get(&(tenant, hash)).copied();
        Rivals { key: OwnedNumber { tenant, hash, owner }, members }
    });
    Ok((rivals.collect(), without_number))
}
