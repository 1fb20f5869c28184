//! How a change of an account is written: all of it or nothing, despite concurrent writers.

use std::future::poll_fn;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::Poll;

use selfsame::account::{AccessFault, Account, CredentialFault, Error, Field, Text, Unique};
use selfsame::store::{Commit, MakeUpdate, UniqueKey, Update};

use super::{Opened, change, first, taken, unique_key};
use crate::support::{Database, OnDatabase, until};

/// Sets the display name, and claims and releases unique keys.
fn name(value: &'static str, claim: Vec<UniqueKey>, release: Vec<UniqueKey>) -> MakeUpdate {
    Arc::new(move |current| {
        let changed = change(current, |account| account.set_text(Field::DisplayName, Some(Text::new(value).unwrap())));
        Ok(Some(Update { claim: claim.clone(), release: release.clone(), ..changed }))
    })
}

/// The account that a commit changed without leaving a notice.
fn changed(commit: Commit) -> Account {
    assert_eq!((commit.changed, commit.notifies), (true, false));
    commit.account
}

/// Wraps an attempt so that its calls are counted.
fn counted(attempt: MakeUpdate) -> (MakeUpdate, Arc<AtomicUsize>) {
    let count = Arc::new(AtomicUsize::new(0));
    let counting = count.clone();
    let attempt: MakeUpdate = Arc::new(move |current| {
        counting.fetch_add(1, Ordering::SeqCst);
        attempt(current)
    });
    (attempt, count)
}

on_both_databases!(
    async fn a_change_of_the_current_account_needs_one_attempt(opened: Opened) {
        let account = opened.account(&opened.tenant(1).await, 1).await;
        let (attempt, attempts) = counted(name("Jane", vec![], vec![]));
        let changed = changed(opened.store.commit(account.clone(), attempt).await.unwrap());
        assert_eq!((changed.text(Field::DisplayName), changed.version), (Some("Jane"), 2));
        assert_eq!(opened.stored(&account).await, changed);
        assert_eq!(opened.entries(&account).await.len(), 2);
        assert_eq!(attempts.load(Ordering::SeqCst), 1);
    }
);

on_both_databases!(
    async fn a_change_of_an_account_that_changed_meanwhile_is_made_again_from_its_new_state(opened: Opened) {
        let stale = opened.account(&opened.tenant(1).await, 1).await;
        let nickname: MakeUpdate = Arc::new(|current| {
            Ok(Some(change(current, |account| account.set_text(Field::Nickname, Some(Text::new("J").unwrap())))))
        });
        opened.store.commit(stale.clone(), nickname).await.unwrap();

        let (attempt, attempts) = counted(name("Jane", vec![], vec![]));
        let changed = changed(opened.store.commit(stale.clone(), attempt).await.unwrap());
        assert_eq!((changed.text(Field::DisplayName), changed.text(Field::Nickname)), (Some("Jane"), Some("J")));
        assert_eq!(changed.version, 3);
        assert_eq!(opened.stored(&stale).await, changed);
        assert_eq!(attempts.load(Ordering::SeqCst), 2);
        let sequences: Vec<i64> = opened.entries(&stale).await.iter().map(|entry| entry.metadata.sequence).collect();
        assert_eq!(sequences, [1, 2, 3]);
    }
);

on_both_databases!(
    async fn a_change_that_changes_nothing_writes_nothing(opened: Opened) {
        let account = opened.account(&opened.tenant(1).await, 1).await;
        let same = opened.store.commit(account.clone(), Arc::new(|_| Ok(None))).await.unwrap();
        assert_eq!(same, Commit { account: account.clone(), changed: false, notifies: false });
        assert_eq!(opened.stored(&account).await, account);
        assert_eq!(opened.entries(&account).await.len(), 1);
    }
);

on_both_databases!(
    async fn a_change_that_was_made_already_writes_nothing_and_returns_the_stored_account(opened: Opened) {
        let stale = opened.account(&opened.tenant(1).await, 1).await;
        let once: MakeUpdate = Arc::new(|current| match current.text(Field::DisplayName) {
            Some("Jane") => Ok(None),
            _ => name("Jane", vec![], vec![])(current),
        });
        let changed = changed(opened.store.commit(stale.clone(), once.clone()).await.unwrap());
        let same = opened.store.commit(stale.clone(), once).await.unwrap();
        assert_eq!(same, Commit { account: changed, changed: false, notifies: false });
        assert_eq!(opened.entries(&stale).await.len(), 2);
    }
);

on_both_databases!(
    async fn a_second_attempt_may_refuse_the_account_as_it_is_now(opened: Opened) {
        let stale = opened.account(&opened.tenant(1).await, 1).await;
        let changed = changed(opened.store.commit(stale.clone(), name("Jane", vec![], vec![])).await.unwrap());
        let only_unnamed: MakeUpdate = Arc::new(|current| match current.text(Field::DisplayName) {
            None => name("John", vec![], vec![])(current),
            Some(_) => Err(Error::Access(AccessFault::Denied)),
        });
        let refused = opened.store.commit(stale.clone(), only_unnamed).await;
        assert!(matches!(refused, Err(Error::Access(AccessFault::Denied))), "{refused:?}");
        assert_eq!(opened.stored(&stale).await, changed);
        assert_eq!(opened.entries(&stale).await.len(), 2);
    }
);

on_both_databases!(
    async fn an_account_that_is_gone_is_not_changed(opened: Opened) {
        let never_added: Account = first(&opened.tenant(1).await, 1).account;
        let refused = opened.store.commit(never_added.clone(), name("Jane", vec![], vec![])).await;
        assert!(matches!(refused, Err(Error::Credentials(CredentialFault::Invalid))), "{refused:?}");
        assert!(opened.store.account(never_added.id).await.unwrap().is_none());
        assert_eq!(opened.entries(&never_added).await.len(), 0);
    }
);

on_both_databases!(
    async fn a_change_that_claims_another_accounts_unique_key_writes_nothing_and_names_the_key(opened: Opened) {
        let tenant = opened.tenant(1).await;
        let (account, owner) = (opened.account(&tenant, 1).await, opened.account(&tenant, 2).await);
        let held = vec![unique_key(Unique::Email, 1), unique_key(Unique::Phone, 2)];
        opened.store.commit(owner.clone(), name("Holder", held, vec![])).await.unwrap();

        let claim = vec![unique_key(Unique::Username, 3), unique_key(Unique::Phone, 2)];
        assert_eq!(taken(opened.store.commit(account.clone(), name("Jane", claim, vec![])).await), Unique::Phone);
        assert_eq!(opened.stored(&account).await, account);
        assert_eq!(opened.store.owner_of(tenant.id, &unique_key(Unique::Username, 3)).await.unwrap(), None);
        assert_eq!(opened.entries(&account).await.len(), 1);
    }
);

on_both_databases!(
    async fn a_second_attempt_that_claims_another_accounts_unique_key_writes_nothing_and_names_the_key(opened: Opened) {
        let tenant = opened.tenant(1).await;
        let (stale, owner) = (opened.account(&tenant, 1).await, opened.account(&tenant, 2).await);
        opened.store.commit(owner, name("Holder", vec![unique_key(Unique::Email, 1)], vec![])).await.unwrap();
        let changed = changed(opened.store.commit(stale.clone(), name("Jane", vec![], vec![])).await.unwrap());

        let claim = vec![unique_key(Unique::Username, 3), unique_key(Unique::Email, 1)];
        assert_eq!(taken(opened.store.commit(stale.clone(), name("John", claim, vec![])).await), Unique::Email);
        assert_eq!(opened.stored(&stale).await, changed);
        assert_eq!(opened.store.owner_of(tenant.id, &unique_key(Unique::Username, 3)).await.unwrap(), None);
        assert_eq!(opened.entries(&stale).await.len(), 2);
    }
);

on_both_databases!(
    async fn a_released_unique_key_may_be_claimed_by_another_account(opened: Opened) {
        let tenant = opened.tenant(1).await;
        let (first, second) = (opened.account(&tenant, 1).await, opened.account(&tenant, 2).await);
        let wanted = unique_key(Unique::Username, 1);
        assert_eq!(opened.store.owner_of(tenant.id, &wanted).await.unwrap(), None);
        let first = changed(opened.store.commit(first, name("First", vec![wanted.clone()], vec![])).await.unwrap());
        assert_eq!(opened.store.owner_of(tenant.id, &wanted).await.unwrap(), Some(first.id));

        // Releasing a unique key of another account has no effect.
        let second = changed(opened.store.commit(second, name("Thief", vec![], vec![wanted.clone()])).await.unwrap());
        assert_eq!(opened.store.owner_of(tenant.id, &wanted).await.unwrap(), Some(first.id));

        opened
            .store
            .commit(first, name("Gone", vec![unique_key(Unique::Username, 2)], vec![wanted.clone()]))
            .await
            .unwrap();
        assert_eq!(opened.store.owner_of(tenant.id, &wanted).await.unwrap(), None);
        let second = changed(opened.store.commit(second, name("Second", vec![wanted.clone()], vec![])).await.unwrap());
        assert_eq!(opened.store.owner_of(tenant.id, &wanted).await.unwrap(), Some(second.id));
    }
);

on_both_databases!(
    async fn a_commit_whose_caller_goes_away_is_finished(opened: Opened) {
        let tenant = opened.tenant(1).await;
        let (direct, stale) = (opened.account(&tenant, 1).await, opened.account(&tenant, 2).await);
        opened.store.commit(stale.clone(), name("Jane", vec![], vec![])).await.unwrap();
        for account in [&direct, &stale] {
            let mut commit = Box::pin(opened.store.commit(account.clone(), name("Kept", vec![], vec![])));
            // Starts the commit, then drops it before its result could be read.
            poll_fn(|context| Poll::Ready(commit.as_mut().poll(context).is_ready())).await;
            drop(commit);
            until(async || opened.stored(account).await.text(Field::DisplayName) == Some("Kept")).await;
        }
    }
);

/// Changes the name of each account at the same time.
async fn rename_all(opened: &Opened, accounts: &[Account], value: &'static str) -> Vec<Result<Commit, Error>> {
    let commits = accounts.iter().map(|account| {
        let (store, account) = (opened.store.clone(), account.clone());
        tokio::spawn(async move { store.commit(account, name(value, vec![], vec![])).await })
    });
    let commits: Vec<_> = commits.collect();
    let mut results = Vec::new();
    for commit in commits {
        results.push(commit.await.unwrap());
    }
    results
}

on_both_databases!(
    async fn changes_of_many_accounts_at_once_are_all_written(opened: Opened) {
        let tenant = opened.tenant(1).await;
        let mut accounts = Vec::new();
        for number in 1..=40 {
            accounts.push(opened.account(&tenant, number).await);
        }
        for (account, committed) in accounts.iter().zip(rename_all(&opened, &accounts, "Jane").await) {
            assert_eq!(opened.stored(account).await, changed(committed.unwrap()));
            assert_eq!(opened.entries(account).await.len(), 2);
        }
        // The same state again: each of these is outdated.
        for (account, committed) in accounts.iter().zip(rename_all(&opened, &accounts, "Joan").await) {
            let changed = changed(committed.unwrap());
            assert_eq!((changed.text(Field::DisplayName), changed.version), (Some("Joan"), 3));
            assert_eq!(opened.stored(account).await, changed);
        }
    }
);

/// A change that the database refuses, like one that a constraint forbids.
const REFUSER: &str = "
    CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
        RAISE EXCEPTION 'refused' USING ERRCODE = 'check_violation';
    END $$;
    CREATE TRIGGER refuse BEFORE UPDATE ON account FOR EACH ROW WHEN (OLD.number = 7) EXECUTE FUNCTION refuse();";

#[test]
fn a_change_that_the_database_refuses_leaves_those_of_other_accounts() {
    crate::support::run(Database::postgres, async |database| {
        let opened = Opened::start(database).await;
        let tenant = opened.tenant(1).await;
        let mut accounts = Vec::new();
        for number in 1..=40 {
            accounts.push(opened.account(&tenant, number).await);
        }
        opened.database.execute(REFUSER).await;
        for (account, committed) in accounts.iter().zip(rename_all(&opened, &accounts, "Jane").await) {
            assert_eq!(committed.is_ok(), account.number != 7, "account {}: {committed:?}", account.number);
            let name = opened.stored(account).await.text(Field::DisplayName).map(str::to_owned);
            assert_eq!(name.as_deref() == Some("Jane"), account.number != 7);
        }
    });
}
