//! What authentication reads: the account of a token, revocations and client hashes.

use selfsame::account::{AccountId, Tenant, Unique};
use selfsame::store::{CallerQuery, Identity, Link};
use uuid::Uuid;

use super::{Opened, at, taken, tenant};

const SESSION: [u8; 32] = [1; 32];
const TOKEN: [u8; 32] = [2; 32];

/// The query for an account by a token of this installation.
fn of(account: AccountId, token: Option<[u8; 32]>, session: [u8; 32]) -> CallerQuery<'static> {
    CallerQuery { account, identity: None, token, session: Some(session) }
}

on_both_databases!(
    async fn a_caller_is_found_with_its_tenant_and_without_any_revocation(opened: Opened) {
        let tenant = Tenant { valid_until: Some(at(9)), ..tenant(1) };
        opened.store.add_tenant(&tenant).await.unwrap();
        opened.tenant(2).await;
        let account = opened.account(&tenant, 1).await;
        let found = opened.store.caller(&of(account.id, Some(TOKEN), SESSION)).await.unwrap().unwrap();
        assert_eq!((found.account, found.tenant), (account, tenant));
        assert_eq!((found.tokens_not_before, found.revoked, found.client_hash), (None, false, None));
        let absent = AccountId(Uuid::from_u128(99));
        assert!(opened.store.caller(&of(absent, None, SESSION)).await.unwrap().is_none());
    }
);

on_both_databases!(
    async fn a_caller_is_found_with_the_revocations_and_the_binding_of_its_token(opened: Opened) {
        let tenant = opened.tenant(1).await;
        let (account, other) = (opened.account(&tenant, 1).await, opened.account(&tenant, 2).await);
        opened.store.revoke_token(Some(account.id), TOKEN, at(50)).await.unwrap();
        opened.store.revoke_tokens_before(account.id, at(20)).await.unwrap();
        opened.store.bind_client(account.id, SESSION, [3; 32], at(50)).await.unwrap();

        let caller = async |id, token, session| {
            let found = opened.store.caller(&of(id, token, session)).await.unwrap().unwrap();
            (found.tokens_not_before, found.revoked, found.client_hash)
        };
        assert_eq!(caller(account.id, Some(TOKEN), SESSION).await, (Some(at(20)), true, Some([3; 32])));
        assert_eq!(caller(account.id, Some([9; 32]), [9; 32]).await, (Some(at(20)), false, None));
        assert_eq!(caller(account.id, None, SESSION).await, (Some(at(20)), false, Some([3; 32])));
        // Sessions belong to an account: the session of the same name of another account is not bound.
        assert_eq!(caller(other.id, None, SESSION).await, (None, false, None));
        // A request to which the binding does not matter gets everything else.
        let query = CallerQuery { session: None, ..of(account.id, Some(TOKEN), SESSION) };
        let found = opened.store.caller(&query).await.unwrap().unwrap();
        assert_eq!((found.account, found.tenant), (account, tenant));
        assert_eq!((found.tokens_not_before, found.revoked, found.client_hash), (Some(at(20)), true, None));
    }
);

on_both_databases!(
    async fn a_caller_is_found_by_an_identity_at_another_provider(opened: Opened) {
        let tenant = opened.tenant(1).await;
        let (account, other) = (opened.account(&tenant, 1).await, opened.account(&tenant, 2).await);
        let identity = Identity { issuer: "https://id.example".to_owned(), subject: "jané|🦀".to_owned() };
        opened.store.link(account.id, &Link { identity: identity.clone(), key: [5; 32] }, at(1)).await.unwrap();
        opened.store.revoke_token(Some(account.id), TOKEN, at(50)).await.unwrap();
        opened.store.revoke_tokens_before(account.id, at(20)).await.unwrap();
        opened.store.bind_client(account.id, SESSION, [3; 32], at(50)).await.unwrap();

        let linked = async |issuer, key| opened.store.linked_account(issuer, key).await.unwrap();
        assert_eq!(linked("https://id.example", [5; 32]).await, Some(account.id));
        assert_eq!(linked("https://other.example", [5; 32]).await, None);
        assert_eq!(linked("https://id.example", [6; 32]).await, None);

        for (session, client_hash) in [(Some(SESSION), Some([3; 32])), (None, None)] {
            let caller = async |account, issuer, key| {
                let query = CallerQuery { account, identity: Some((issuer, key)), token: Some(TOKEN), session };
                opened.store.caller(&query).await.unwrap()
            };
            let found = caller(account.id, "https://id.example", [5; 32]).await.unwrap();
            assert_eq!((found.account, found.tenant), (account.clone(), tenant.clone()));
            assert_eq!((found.tokens_not_before, found.revoked, found.client_hash), (Some(at(20)), true, client_hash));
            assert!(caller(account.id, "https://other.example", [5; 32]).await.is_none());
            assert!(caller(account.id, "https://id.example", [6; 32]).await.is_none());
            assert!(caller(other.id, "https://id.example", [5; 32]).await.is_none());
        }
        assert_eq!(opened.store.identities(account.id).await.unwrap(), [identity]);
    }
);

on_both_databases!(
    async fn an_identity_at_another_provider_is_linked_once(opened: Opened) {
        let tenant = opened.tenant(1).await;
        let (account, other) = (opened.account(&tenant, 1).await, opened.account(&tenant, 2).await);
        let identity = |issuer: &str| Identity { issuer: issuer.to_owned(), subject: "jane".to_owned() };
        let link = |issuer: &str| Link { identity: identity(issuer), key: [5; 32] };
        opened.store.link(account.id, &link("b"), at(1)).await.unwrap();
        assert_eq!(taken(opened.store.link(other.id, &link("b"), at(1)).await), Unique::Identity);
        assert_eq!(taken(opened.store.link(account.id, &link("b"), at(1)).await), Unique::Identity);
        opened.store.link(account.id, &link("a"), at(1)).await.unwrap();
        assert_eq!(opened.store.identities(account.id).await.unwrap(), [identity("a"), identity("b")]);
        assert_eq!(opened.store.identities(other.id).await.unwrap(), []);
    }
);

on_both_databases!(
    async fn one_of_two_first_users_of_a_session_wins(opened: Opened) {
        let other = opened.second().await;
        let account = opened.account(&opened.tenant(1).await, 1).await;
        for round in 0..20 {
            let bind = |store: selfsame::store::Store, hash: u8| {
                tokio::spawn(
                    async move { store.bind_client(account.id, [round; 32], [hash; 32], at(50)).await.unwrap() },
                )
            };
            let (ours, theirs) = tokio::join!(bind(opened.store.clone(), 1), bind(other.clone(), 2));
            let (ours, theirs) = (ours.unwrap(), theirs.unwrap());
            assert_eq!(ours, theirs);
            assert!(ours == [1; 32] || ours == [2; 32]);
            let later = opened.store.bind_client(account.id, [round; 32], [3; 32], at(60)).await.unwrap();
            assert_eq!(later, ours);
        }
    }
);

on_both_databases!(
    async fn a_binding_is_prolonged_for_its_own_client_hash_and_never_shortened(opened: Opened) {
        let account = opened.account(&opened.tenant(1).await, 1).await;
        let bound = async || {
            let found = opened.store.caller(&of(account.id, None, SESSION)).await.unwrap().unwrap();
            found.client_hash.zip(found.bound_until)
        };
        opened.store.bind_client(account.id, SESSION, [3; 32], at(50)).await.unwrap();
        for (hash, end) in [(3, 70), (3, 60), (4, 90)] {
            opened.store.prolong_binding(account.id, SESSION, [hash; 32], at(end)).await.unwrap();
            assert_eq!(bound().await, Some(([3; 32], at(70))));
        }
        // One that was deleted between a request's query and its write is made again.
        opened.store.forget_expired(at(71)).await.unwrap();
        assert_eq!(bound().await, None);
        opened.store.prolong_binding(account.id, SESSION, [3; 32], at(90)).await.unwrap();
        assert_eq!(bound().await, Some(([3; 32], at(90))));
    }
);

on_both_databases!(
    async fn a_revocation_is_never_taken_back_by_an_earlier_one(opened: Opened) {
        let account = opened.account(&opened.tenant(1).await, 1).await;
        assert_eq!(opened.store.tokens_not_before(account.id).await.unwrap(), None);
        for moment in [10, 20, 15] {
            opened.store.revoke_tokens_before(account.id, at(moment)).await.unwrap();
        }
        assert_eq!(opened.store.tokens_not_before(account.id).await.unwrap(), Some(at(20)));

        for end in [30, 40, 35] {
            opened.store.revoke_token(Some(account.id), TOKEN, at(end)).await.unwrap();
        }
        opened.store.forget_expired(at(39)).await.unwrap();
        let found = opened.store.caller(&of(account.id, Some(TOKEN), SESSION)).await.unwrap().unwrap();
        assert!(found.revoked);
    }
);

on_both_databases!(
    async fn only_rows_of_expired_tokens_are_deleted(opened: Opened) {
        let account = opened.account(&opened.tenant(1).await, 1).await;
        for (token, session, end) in [([10; 32], [11; 32], 10), ([20; 32], [21; 32], 20)] {
            opened.store.revoke_token(Some(account.id), token, at(end)).await.unwrap();
            opened.store.bind_client(account.id, session, [3; 32], at(end)).await.unwrap();
        }
        opened.store.revoke_tokens_before(account.id, at(5)).await.unwrap();
        let caller = async |token, session| {
            let found = opened.store.caller(&of(account.id, Some(token), session)).await.unwrap().unwrap();
            (found.revoked, found.client_hash.is_some(), found.tokens_not_before)
        };
        // A token that expires at exactly this moment has not expired yet.
        opened.store.forget_expired(at(10)).await.unwrap();
        assert_eq!(caller([10; 32], [11; 32]).await, (true, true, Some(at(5))));
        opened.store.forget_expired(at(11)).await.unwrap();
        assert_eq!(caller([10; 32], [11; 32]).await, (false, false, Some(at(5))));
        assert_eq!(caller([20; 32], [21; 32]).await, (true, true, Some(at(5))));
    }
);

on_both_databases!(
    async fn a_revocation_is_for_one_account_or_for_all(opened: Opened) {
        let tenant = opened.tenant(1).await;
        let (account, other) = (opened.account(&tenant, 1).await, opened.account(&tenant, 2).await);
        let identity =
            |subject: &str| Identity { issuer: "https://id.example".to_owned(), subject: subject.to_owned() };
        opened.store.link(account.id, &Link { identity: identity("one"), key: [5; 32] }, at(1)).await.unwrap();
        opened.store.link(other.id, &Link { identity: identity("two"), key: [6; 32] }, at(1)).await.unwrap();
        // By all four forms of the query of a request, and by the query without a request.
        let revoked = async |account, key, token| {
            let is_revoked = opened.store.is_revoked(Some(account), token).await.unwrap();
            for identity in [None, Some(("https://id.example", key))] {
                for session in [None, Some(SESSION)] {
                    let query = CallerQuery { account, identity, token: Some(token), session };
                    assert_eq!(opened.store.caller(&query).await.unwrap().unwrap().revoked, is_revoked);
                }
            }
            is_revoked
        };
        opened.store.revoke_token(Some(account.id), TOKEN, at(50)).await.unwrap();
        assert!(revoked(account.id, [5; 32], TOKEN).await);
        assert!(!revoked(other.id, [6; 32], TOKEN).await);
        assert!(!opened.store.is_revoked(None, TOKEN).await.unwrap());
        opened.store.revoke_token(None, [9; 32], at(50)).await.unwrap();
        assert!(revoked(account.id, [5; 32], [9; 32]).await);
        assert!(revoked(other.id, [6; 32], [9; 32]).await);
        assert!(opened.store.is_revoked(None, [9; 32]).await.unwrap());
        assert!(!revoked(account.id, [5; 32], [8; 32]).await);
    }
);
