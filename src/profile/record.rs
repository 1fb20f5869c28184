use jiff::Timestamp;

use super::Profiles;
use crate::account::history::{self, Actor, ChangeContext, Entry, Metadata, SealedPayload};
use crate::account::{Account, Cause, Change, DailyUsage, Email, Error, Field, Patch, Phone, Picture, Rules, Unique};
use crate::clock::random;
use crate::keys::Keyring;
use crate::store::{Effect, UniqueKey, Update};
use crate::telemetry;

impl Profiles {
    /// Applies a patch and returns the update to write: the account, its history entry, its unique keys, and further
    /// effects. `None` when nothing changes.
    pub(super) fn change(
        &self,
        before: &Account,
        patch: &Patch,
        context: &ChangeContext,
    ) -> Result<Option<Update>, Error> {
        let mut after = before.clone();
        let now = self.clock.now();
        let changes = after.apply(patch, now)?;
        if changes.is_empty() {
            return Ok(None);
        }
        check_schema(before, &after, patch, context)?;
        let entry = self.entry(&mut after, &changes, context);
        let mut effects = pictures(before, &after, self.limits.replaced_pictures);
        if context.actor == Actor::Owner {
            after.usage = self.usage_after(before, patch.picture_bytes, entry.bytes(), now)?;
            effects.extend(self.notices.of_change(before, &after));
        }
        let (release, claim) = moved_keys(&self.keys, before, &after);
        Ok(Some(Update { account: after, entry, release, claim, nonce: None, effects }))
    }

    /// Returns an account's usage after a change of its owner that stores this much. Fails when its day is used up.
    pub(super) fn usage_after(
        &self,
        before: &Account,
        picture_bytes: usize,
        history_bytes: usize,
        now: Timestamp,
    ) -> Result<DailyUsage, Error> {
        let after = before.usage.after(picture_bytes, history_bytes, &self.limits.daily, now);
        Ok(after.inspect_err(|_| telemetry::rate_limited("day"))?)
    }

    /// Seals the changes and chains them to the account's history. Salt and nonce are new on every call: a retry of the
    /// same change must not reuse them.
    pub(super) fn entry(&self, after: &mut Account, changes: &[Change], context: &ChangeContext) -> Entry {
        let metadata = Metadata {
            account_id: after.id,
            sequence: after.version,
            at: after.updated_at,
            actor: context.actor.name().to_owned(),
            contract: context.contract.to_owned(),
            request_id: context.request_id.clone(),
        };
        let payload = history::payload(changes, context);
        let salt = random();
        let commitment = history::commit(&salt, &payload);
        let link = history::link(after.history_head, &metadata, commitment);
        after.history_head = link;
        let sealed = self.keys.history().seal(random(), &additional_data(&metadata), &payload);
        Entry {
            metadata,
            commitment,
            link,
            sealed: Some(SealedPayload { key: Keyring::GENERATION, payload: sealed, salt }),
        }
    }
}

/// Refuses attributes that the tenant's schema does not allow; unchanged ones need not match it.
pub(super) fn check_schema(
    before: &Account,
    after: &Account,
    patch: &Patch,
    context: &ChangeContext,
) -> Result<(), Error> {
    if before.attributes == after.attributes {
        return Ok(());
    }
    if patch.rules == Rules::Unknown {
        return Err(Error::Internal(Cause::new("attributes would change, but their rules were not looked up")));
    }
    patch.rules.check(before.attributes()?, after.attributes()?, context.actor == Actor::Owner)
}

/// The effects of a changed picture: the new one is shown from now on, and the old one can be deleted later; of the account's
/// replaced pictures, the newest `kept` are kept.
pub(super) fn pictures(before: &Account, after: &Account, kept: usize) -> Vec<Effect> {
    let name_of = |account: &Account| match account.picture() {
        Some(Picture::Stored { name, .. }) => Some(name.to_owned()),
        _ => None,
    };
    let (old, new) = (name_of(before), name_of(after));
    if old == new {
        return Vec::new();
    }
    let (account, at) = (after.id, after.updated_at);
    let adopted = new.map(|name| Effect::AdoptPicture { name, account, at });
    let retired =
        old.map(|name| [Effect::RetirePicture { name, account, at }, Effect::DropPictures { account, kept, at }]);
    adopted.into_iter().chain(retired.into_iter().flatten()).collect()
}

/// Binds a sealed payload to its account and sequence number, so that payloads cannot be exchanged.
pub(super) fn additional_data(metadata: &Metadata) -> Vec<u8> {
    let mut bytes = metadata.account_id.0.as_bytes().to_vec();
    bytes.extend(metadata.sequence.to_be_bytes());
    bytes
}

/// Returns the unique keys that a change gives up, and those that it claims.
fn moved_keys(keys: &Keyring, before: &Account, after: &Account) -> (Vec<UniqueKey>, Vec<UniqueKey>) {
    let sources = |account: &Account| {
        let texts = [Field::Email, Field::Phone, Field::Username].map(|field| account.text(field).map(str::to_owned));
        (account.tenant_id, account.biz_id.clone(), texts, account.email_verified, account.phone_verified)
    };
    // Folding and hashing cost more than anything else in most changes, which leave all of these as they are.
    if sources(before) == sources(after) {
        return (Vec::new(), Vec::new());
    }
    let (old, new) = (unique_values(before), unique_values(after));
    let differing = |account: &Account, values: &UniqueValues, others: &UniqueValues| {
        keys_of(keys, account, values.iter().filter(|value| !others.contains(value)))
    };
    (differing(before, &old, &new), differing(after, &new, &old))
}

/// The unique keys of an account.
pub(super) fn unique_keys(keys: &Keyring, account: &Account) -> Vec<UniqueKey> {
    keys_of(keys, account, &unique_values(account))
}

/// The folded values that only one account of a tenant may have, each with its kind.
type UniqueValues = Vec<(Unique, String)>;

/// The values behind the unique keys of an account. Addresses count only while they are verified: any account may contain an
/// unproved one. The value of a phone number is its E.164 form, so that all spellings of one number have one key.
fn unique_values(account: &Account) -> UniqueValues {
    let email = account.email().filter(|_| account.email_verified).as_ref().map(Email::folded);
    let phone = account.phone().filter(|_| account.phone_verified).as_ref().and_then(Phone::e164);
    let username = account.text(Field::Username).map(str::to_lowercase);
    let values = [
        (Unique::BizId, Some(account.biz_id.clone())),
        (Unique::Email, email),
        (Unique::Phone, phone),
        (Unique::Username, username),
    ];
    values.into_iter().filter_map(|(kind, value)| Some((kind, value?))).collect()
}

fn keys_of<'a>(
    keys: &Keyring,
    account: &Account,
    values: impl IntoIterator<Item = &'a (Unique, String)>,
) -> Vec<UniqueKey> {
    let key = |kind: Unique, value: &str| keys.index(account.tenant_id.0, kind.name(), value);
    values.into_iter().map(|(kind, value)| UniqueKey { kind: *kind, key: key(*kind, value) }).collect()
}
