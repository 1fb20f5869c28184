use selfsame::account::history::ChangeContext;
use selfsame::account::{Account, AccountId, Error, Field, Patch, Portal, Status, TenantId, Text, Unique};
use uuid::Uuid;

use super::{Opened, at, change, first, taken, unique_key};
use crate::support::{Server, patch};

on_both_databases!(
    async fn an_account_reads_as_it_was_added(opened: Opened) {
        let tenant = opened.tenant(1).await;
        let mut before = first(&tenant, 1).account;
        before.version = 0;
        for (position, field) in Field::ALL.into_iter().enumerate() {
            before.set_text(field, Some(Text::new(format!("{position} ẞ e\u{301} 名前 🧑‍🚀 ' \" \\ \u{1}\n")).unwrap()));
        }
        before.biz_id = "Ünïque".to_owned();
        (before.portal, before.status) = (Portal::Partner, Status::Locked);
        (before.email_verified, before.phone_verified, before.authenticated) = (true, false, true);
        (before.auth_valid_until, before.created_at, before.updated_at) = (Some(at(7)), at(3), at(4));
        let added = change(&before, |_| {});
        opened.store.add_account(&added, None).await.unwrap();
        assert_eq!(opened.stored(&added.account).await, added.account);
    }
);

on_both_databases!(
    async fn every_status_portal_and_flag_is_stored(opened: Opened) {
        let tenant = opened.tenant(1).await;
        let mut number = 0;
        for status in Status::ALL {
            for portal in Portal::ALL {
                number += 1;
                let added = change(&Account { version: 0, ..first(&tenant, number).account }, |account| {
                    (account.status, account.portal) = (*status, *portal);
                    account.email_verified = number % 2 == 0;
                    account.phone_verified = number % 3 == 0;
                    account.authenticated = number % 5 == 0;
                });
                opened.store.add_account(&added, None).await.unwrap();
                assert_eq!(opened.stored(&added.account).await, added.account);
            }
        }
    }
);

on_both_databases!(
    async fn the_largest_text_comes_back_to_the_byte(opened: Opened) {
        let tenant = opened.tenant(1).await;
        let account = opened.account(&tenant, 1).await;
        let largest = Text::new("🦀".repeat(Text::MAX_BYTES / 4)).unwrap();
        assert_eq!(largest.as_str().len(), 65_536);
        let changed = change(&account, |account| {
            for field in Field::ALL {
                account.set_text(field, Some(largest.clone()));
            }
        });
        let expected = changed.account.clone();
        let attempt = std::sync::Arc::new(move |_: &Account| Ok(Some(changed.clone())));
        opened.store.commit(account, attempt).await.unwrap();
        assert_eq!(opened.stored(&expected).await, expected);
    }
);

on_both_databases!(
    async fn times_are_kept_to_the_microsecond_at_both_ends_of_the_calendar(opened: Opened) {
        let tenant = opened.tenant(1).await;
        // Both ends of the calendar, cut to microseconds, and the microseconds before and after the epoch.
        for (number, moment) in [(1, -377_705_023_201_000_000), (2, 253_402_207_200_000_000), (3, -1), (4, 1)] {
            let moment = jiff::Timestamp::from_microsecond(moment).unwrap();
            let added = change(&Account { version: 0, ..first(&tenant, number).account }, |account| {
                account.auth_valid_until = Some(moment);
                (account.created_at, account.updated_at) = (moment, moment);
            });
            opened.store.add_account(&added, None).await.unwrap();
            assert_eq!(opened.stored(&added.account).await, added.account);
            assert_eq!(opened.entries(&added.account).await[0].metadata.at, moment);
        }
    }
);

on_both_databases!(
    async fn an_unknown_account_is_not_found(opened: Opened) {
        assert!(opened.store.account(AccountId(Uuid::from_u128(1))).await.unwrap().is_none());
    }
);

on_both_databases!(
    async fn an_account_that_claims_another_accounts_unique_key_is_not_added(opened: Opened) {
        let tenant = opened.tenant(1).await;
        let mut added = first(&tenant, 1);
        added.claim = vec![unique_key(Unique::Username, 1), unique_key(Unique::Email, 2)];
        opened.store.add_account(&added, None).await.unwrap();

        let same_id = change(&Account { version: 0, number: 2, ..added.account.clone() }, |_| {});
        assert_eq!(taken(opened.store.add_account(&same_id, None).await), Unique::AccountId);
        let same_number = change(&Account { version: 0, number: 1, ..first(&tenant, 2).account }, |_| {});
        assert_eq!(taken(opened.store.add_account(&same_number, None).await), Unique::Number);
        let mut same_email = first(&tenant, 2);
        same_email.claim = vec![unique_key(Unique::Username, 3), unique_key(Unique::Email, 2)];
        assert_eq!(taken(opened.store.add_account(&same_email, None).await), Unique::Email);

        // Nothing of the refused accounts was stored, not even their free unique keys.
        assert_eq!(opened.store.accounts(AccountId(Uuid::nil()), None, 10).await.unwrap().len(), 1);
        assert_eq!(opened.store.owner_of(tenant.id, &unique_key(Unique::Username, 3)).await.unwrap(), None);
        assert_eq!(opened.entries(&same_email.account).await.len(), 0);
        // The same key of another tenant or of another kind is a different unique key.
        let mut elsewhere = first(&opened.tenant(2).await, 2);
        elsewhere.claim = vec![unique_key(Unique::Email, 2)];
        opened.store.add_account(&elsewhere, None).await.unwrap();
        let mut of_another_kind = first(&tenant, 3);
        of_another_kind.claim = vec![unique_key(Unique::Phone, 2)];
        opened.store.add_account(&of_another_kind, None).await.unwrap();
    }
);

on_both_databases!(
    async fn the_refusal_of_an_account_names_the_taken_unique_key(server: Server) {
        let mut fields =
            patch(&[(Field::Username, "john_doe"), (Field::Email, "John@Example.com"), (Field::Phone, "+1 234 567")]);
        (fields.email_verified, fields.phone_verified) = (Some(true), Some(true));
        let owner = server.person_with(&server.tenant, fields).await;

        let create = async |id: AccountId, number: i64, biz_id: &str, patch: Patch| {
            let account = Account::new(id, number, Some(biz_id.to_owned()), &server.tenant, server.app.now());
            server.app.profiles().create(account, &patch, None, &ChangeContext::operator()).await
        };
        let fresh = || AccountId(server.app.new_id());
        let verified = |field, value| {
            let mut patch = patch(&[(field, value)]);
            (patch.email_verified, patch.phone_verified) = (Some(true), Some(true));
            patch
        };
        let none = Patch::default;
        assert_eq!(taken(create(owner.id, 91, "a", none()).await), Unique::AccountId);
        assert_eq!(taken(create(fresh(), owner.number, "a", none()).await), Unique::Number);
        assert_eq!(taken(create(fresh(), 92, &owner.biz_id, none()).await), Unique::BizId);
        assert_eq!(taken(create(fresh(), 92, "a", patch(&[(Field::Username, "JOHN_doe")])).await), Unique::Username);
        assert_eq!(taken(create(fresh(), 92, "a", verified(Field::Email, "john@EXAMPLE.com")).await), Unique::Email);
        assert_eq!(taken(create(fresh(), 92, "a", verified(Field::Phone, "+1-234-567")).await), Unique::Phone);
        // Any number of accounts may have an unverified address.
        create(fresh(), 92, "a", patch(&[(Field::Email, "john@example.com")])).await.unwrap();
    }
);

on_both_databases!(
    async fn exactly_one_of_several_accounts_that_claim_one_name_is_added(opened: Opened) {
        let (other, tenant) = (opened.second().await, opened.tenant(1).await);
        for round in 0..20 {
            let add = |store: selfsame::store::Store, number: u8| {
                let mut added = first(&tenant, number);
                added.claim = vec![unique_key(Unique::Username, round)];
                tokio::spawn(async move { store.add_account(&added, None).await })
            };
            let (ours, theirs) = tokio::join!(add(opened.store.clone(), 2 * round), add(other.clone(), 2 * round + 1));
            match (ours.unwrap(), theirs.unwrap()) {
                (Ok(()), Err(Error::Taken(_))) | (Err(Error::Taken(_)), Ok(())) => {}
                outcome => panic!("one of two is added: {outcome:?}"),
            }
        }
        assert_eq!(opened.store.accounts(AccountId(Uuid::nil()), None, 100).await.unwrap().len(), 20);
    }
);

on_both_databases!(
    async fn accounts_are_paged_by_identifier_without_gaps_or_duplicates(opened: Opened) {
        let tenants = [opened.tenant(1).await, opened.tenant(2).await];
        for number in [7, 3, 5, 1, 6, 2, 4] {
            opened.account(&tenants[usize::from(number % 2)], number).await;
        }
        let pages = async |tenant: Option<TenantId>| {
            let (mut after, mut pages) = (AccountId(Uuid::nil()), Vec::new());
            loop {
                let page = opened.store.accounts(after, tenant, 3).await.unwrap();
                let Some(last) = page.last() else { return pages };
                after = last.id;
                pages.push(page.iter().map(|account| account.number).collect::<Vec<_>>());
            }
        };
        assert_eq!(pages(None).await, [vec![1, 2, 3], vec![4, 5, 6], vec![7]]);
        assert_eq!(pages(Some(tenants[0].id)).await, [[2, 4, 6]]);
        assert_eq!(pages(Some(tenants[1].id)).await, [vec![1, 3, 5], vec![7]]);
    }
);

on_both_databases!(
    async fn history_is_paged_oldest_first_as_it_was_written(opened: Opened) {
        let mut account = opened.account(&opened.tenant(1).await, 1).await;
        let mut links = vec![account.history_head];
        for second in 10..14 {
            let before = account.clone();
            let attempt = std::sync::Arc::new(move |current: &Account| {
                Ok(Some(change(current, |account| account.updated_at = at(second))))
            });
            account = opened.store.commit(before, attempt).await.unwrap().account;
            links.push(account.history_head);
        }
        let page = async |after, limit| {
            let entries = opened.store.history(account.id, after, limit).await.unwrap();
            entries.iter().map(|entry| entry.metadata.sequence).collect::<Vec<_>>()
        };
        assert_eq!(page(0, 2).await, [1, 2]);
        assert_eq!(page(2, 2).await, [3, 4]);
        assert_eq!(page(4, 2).await, [5]);
        assert_eq!(page(5, 2).await, Vec::<i64>::new());
        let entries = opened.entries(&account).await;
        assert_eq!(entries.iter().map(|entry| entry.link).collect::<Vec<_>>(), links);
        let sealed = entries[4].sealed.as_ref().unwrap();
        assert_eq!((sealed.key, sealed.payload.as_slice(), sealed.salt), (1, b"payload".as_slice(), [7; 32]));
        let metadata = &entries[4].metadata;
        assert_eq!((metadata.account_id, metadata.at), (account.id, at(13)));
        let said = (metadata.actor.as_str(), metadata.contract.as_str(), metadata.request_id.as_str());
        assert_eq!(said, ("owner", "system", "request"));
    }
);
