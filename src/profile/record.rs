use super::Profiles;
use crate::account::history::{self, Actor, Entry, Metadata, Occasion, SealedPayload};
use crate::account::{Account, Cause, Change, Email, Error, Field, Patch, Phone, Picture, Rules, Unique};
use crate::clock::random;
use crate::keys::Keyring;
use crate::store::{Effect, Holding, Update};

impl Profiles {
    /// Applies a patch and makes the update that the database writes: the account, its history entry, what it holds, and what
    /// else happens with it. `None` when nothing changes.
    pub(super) fn change(&self, before: &Account, patch: &Patch, occasion: &Occasion) -> Result<Option<Update>, Error> {
        let mut after = before.clone();
        let changes = after.apply(patch, self.clock.now())?;
        if changes.is_empty() {
            return Ok(None);
        }
        hold(before, &after, patch, occasion)?;
        let entry = self.entry(&mut after, &changes, occasion);
        let mut effects = pictures(before, &after);
        if occasion.actor == Actor::Owner {
            effects.extend(self.notices.of_change(before, &after));
        }
        let (held, holds) = (holdings(&self.keys, before), holdings(&self.keys, &after));
        let without = |these: &[Holding], those: &[Holding]| -> Vec<Holding> {
            these.iter().filter(|holding| !those.contains(holding)).cloned().collect()
        };
        let (release, claim) = (without(&held, &holds), without(&holds, &held));
        Ok(Some(Update { account: after, entry, release, claim, nonce: None, effects }))
    }

    /// Seals what changed and chains it to the account's history. Salt and nonce are new on every call: a second attempt at the
    /// same change must not reuse them.
    pub(super) fn entry(&self, after: &mut Account, changes: &[Change], occasion: &Occasion) -> Entry {
        let metadata = Metadata {
            account_id: after.id,
            sequence: after.version,
            at: after.updated_at,
            actor: occasion.actor.name().to_owned(),
            contract: occasion.contract.to_owned(),
            request_id: occasion.request_id.clone(),
        };
        let payload = history::payload(changes, occasion);
        let salt = random();
        let commitment = history::commit(&salt, &payload);
        let link = history::link(after.history_head, &metadata, commitment);
        after.history_head = link;
        let sealed = self.keys.history().seal(random(), &context(&metadata), &payload);
        Entry {
            metadata,
            commitment,
            link,
            sealed: Some(SealedPayload { key: Keyring::GENERATION, payload: sealed, salt }),
        }
    }
}

/// Refuses attributes that the tenant's schema does not allow; those that stay as they are may be as they are.
pub(super) fn hold(before: &Account, after: &Account, patch: &Patch, occasion: &Occasion) -> Result<(), Error> {
    if before.attributes == after.attributes {
        return Ok(());
    }
    if patch.rules == Rules::Unknown {
        return Err(Error::Internal(Cause::new("attributes would change, and nobody looked up what they are held to")));
    }
    patch.rules.check(before.attributes()?, after.attributes()?, occasion.actor == Actor::Owner)
}

/// What a change of picture brings with it: the new one is no orphan any more, and the old one can go in time.
fn pictures(before: &Account, after: &Account) -> Vec<Effect> {
    if before.picture() == after.picture() {
        return Vec::new();
    }
    let adopted = match after.picture() {
        Some(Picture::Stored { name, .. }) => Some(Effect::AdoptPicture { name: name.to_owned() }),
        _ => None,
    };
    let retired = match before.picture() {
        Some(Picture::Stored { name, .. }) => {
            Some(Effect::RetirePicture { name: name.to_owned(), account: after.id, at: after.updated_at })
        }
        _ => None,
    };
    adopted.into_iter().chain(retired).collect()
}

/// Ties a sealed payload to its place, so that payloads cannot be exchanged.
pub(super) fn context(metadata: &Metadata) -> Vec<u8> {
    let mut context = metadata.account_id.0.as_bytes().to_vec();
    context.extend(metadata.sequence.to_be_bytes());
    context
}

/// What only this account may hold. Addresses count only while they are verified: an unproved one is anybody's to type.
pub(super) fn holdings(keys: &Keyring, account: &Account) -> Vec<Holding> {
    let email = account.email().filter(|_| account.email_verified).as_ref().map(Email::folded);
    let phone = account.phone().filter(|_| account.phone_verified).map(|phone| Phone::comparable(&phone).into_owned());
    let username = account.text(Field::Username).map(str::to_lowercase);
    let held = [
        (Unique::BizId, Some(account.biz_id.clone())),
        (Unique::Email, email),
        (Unique::Phone, phone),
        (Unique::Username, username),
    ];
    let held = held.into_iter().filter_map(|(kind, value)| Some((kind, value?)));
    held.map(|(kind, value)| Holding { kind, key: keys.index(account.tenant_id.0, kind.name(), &value) }).collect()
}
