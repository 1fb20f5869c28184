use std::sync::Arc;

use super::audit::Verdict;
use super::*;
use crate::account::history::ChangeContext;
use crate::account::{Account, Contact, Edit, Error, Field, Patch, Text};
use crate::outbox::{Delivery, Outbox};
use crate::store::scratch::Scratch;

/// The handle under test with its own database, keys and mailbox.
async fn profiles(scratch: &Scratch) -> Profiles {
    let outbox = Arc::new(Outbox::new(&scratch.config, Delivery::Mailbox).unwrap());
    let (store, keys, clock) = (scratch.store.clone(), scratch.keys.clone(), scratch.clock.clone());
    let kept_for = scratch.config.notices.kept_for;
    let notices = Notices::new(store.clone(), keys.clone(), clock.clone(), outbox, kept_for);
    Profiles::new(store, keys, clock, notices, ProfileLimits::new(&scratch.config))
}

fn set(field: Field, text: &str) -> Patch {
    let mut patch = Patch::default();
    patch.edit(field, Edit::Set(Text::new(text).unwrap()));
    patch
}

async fn created(profiles: &Profiles, scratch: &Scratch, patch: &Patch) -> Account {
    let draft = profiles.draft(&scratch.tenant().await).await.unwrap();
    profiles.create(draft, patch, None, &ChangeContext::operator()).await.unwrap()
}

#[tokio::test]
async fn every_change_is_recorded_in_a_history_that_verifies() {
    let scratch = Scratch::new().await;
    let profiles = profiles(&scratch).await;
    let account = created(&profiles, &scratch, &set(Field::DisplayName, "Jane")).await;
    let change = set(Field::DisplayName, "Joan");
    let account = profiles.update(account, change, ChangeContext::operator(), Account::require_active).await.unwrap();
    assert_eq!(account.text(Field::DisplayName), Some("Joan"));
    assert_eq!(profiles.verify(&account).await.unwrap(), Verdict::Whole { entries: 2, erased: 0 });
}

#[tokio::test]
async fn an_update_that_changes_nothing_is_not_recorded() {
    let scratch = Scratch::new().await;
    let profiles = profiles(&scratch).await;
    let account = created(&profiles, &scratch, &set(Field::DisplayName, "Jane")).await;
    let same = set(Field::DisplayName, "Jane");
    let after =
        profiles.update(account.clone(), same, ChangeContext::operator(), Account::require_active).await.unwrap();
    assert_eq!(after, account);
}

#[tokio::test]
async fn an_update_checks_again_whether_the_account_may_be_changed() {
    let scratch = Scratch::new().await;
    let profiles = profiles(&scratch).await;
    let seen = created(&profiles, &scratch, &Patch::default()).await;
    let suspend = Patch { status: Some(crate::account::Status::Suspended), ..Patch::default() };
    profiles.update(seen.clone(), suspend, ChangeContext::operator(), |_| Ok(())).await.unwrap();
    let late = set(Field::DisplayName, "Jane");
    let refused = profiles.update(seen, late, ChangeContext::operator(), Account::require_active).await;
    assert!(matches!(refused, Err(Error::Access(_))), "{refused:?}");
}

#[tokio::test]
async fn an_address_belongs_to_the_account_that_has_verified_it() {
    let scratch = Scratch::new().await;
    let profiles = profiles(&scratch).await;
    let mut patch = set(Field::Email, "Jane@example.com");
    patch.email_verified = Some(true);
    let jane = created(&profiles, &scratch, &patch).await;
    let asked = Contact::Email(Text::new("jane@example.com").unwrap());
    let owner = profiles.owner_of(jane.tenant_id, &asked).await.unwrap().unwrap();
    assert_eq!((owner.account.id, owner.contact.text().as_str()), (jane.id, "Jane@example.com"));
    assert!(!profiles.is_taken(&jane, &asked).await.unwrap());
    assert!(profiles.owner_of(scratch.tenant().await.id, &asked).await.unwrap().is_none());
}
