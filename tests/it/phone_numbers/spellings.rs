//! One number in several spellings can be verified by one account only, in whatever way it is verified.

use std::time::Duration;

use selfsame::account::history::ChangeContext;
use selfsame::account::{Account, Error, Field, Kind, Patch, Unique};
use serde_json::json;

use super::verified;
use crate::support::{Person, Server, Side, patch};

/// Spellings of one number.
const SPELLINGS: [&str; 3] = ["13800138000", "+8613800138000", "+86 (138) 0013-8000"];
/// The number as CIAM's clients write it.
const TYPED: &str = "13800138000";
const SMS: &str = "http://tencentciam.com/oauth2/grant-type/otp/sms";

async fn owner(server: &Server, number: &str) -> Account {
    server.person_with(&server.tenant, verified(number)).await
}

/// Removes the mark of an account, so that another one may verify its number.
async fn unverify(server: &Server, account: &Account) {
    let mut unproved = Patch::default();
    unproved.phone_verified = Some(false);
    server.operate(account, unproved).await;
}

on_both_databases!(
    async fn operators_cannot_verify_one_number_for_two_accounts(server: Server) {
        for stored in SPELLINGS {
            let owner = owner(&server, stored).await;
            for other in SPELLINGS {
                let profiles = server.app.profiles();
                let draft = profiles.draft(&server.tenant).await.unwrap();
                let created = profiles.create(draft, &verified(other), None, &ChangeContext::operator()).await;
                assert!(matches!(created, Err(Error::Taken(Unique::Phone))), "{stored}, {other}: {created:?}");
                let neighbour = server.person(&[(Field::Phone, other)]).await;
                let mut mark = Patch::default();
                mark.phone_verified = Some(true);
                let updated = profiles.update(neighbour, mark, ChangeContext::operator(), |_| Ok(())).await;
                assert!(matches!(updated, Err(Error::Taken(Unique::Phone))), "{stored}, {other}: {updated:?}");
            }
            assert_eq!(server.account(&owner).await.text(Field::Phone), Some(stored), "the text stays as typed");
            unverify(&server, &owner).await;
        }
    }
);

on_both_databases!(
    async fn a_code_cannot_verify_a_number_that_another_account_has_in_another_spelling(server: Server) {
        for stored in SPELLINGS {
            let owner = owner(&server, stored).await;
            let neighbour = Person::new(&server, Patch::default()).await;
            let refused = neighbour.client.send(json!({"usage": "signup", "phone_number": TYPED})).await;
            assert_eq!(
                (refused.status.as_u16(), refused.json()["error"].as_str()),
                (400, Some("phone_number_is_used"))
            );
            let refused = neighbour.prove("phone_number", TYPED).await;
            assert_eq!(refused.status, 400, "{stored}: {refused}");
            assert!(!server.account(&neighbour.account).await.phone_verified, "{stored}");
            unverify(&server, &owner).await;
            server.pass(Duration::from_secs(31));
        }
    }
);

on_both_databases!(
    async fn a_code_to_a_number_in_any_spelling_signs_its_account_in(server: Server) {
        let client = server.client_with(Kind::Web, &[], |application| application.auto_signup = true).await;
        for stored in SPELLINGS {
            let owner = owner(&server, stored).await;
            let token = client.otp_token(json!({"phone_number": TYPED})).await;
            let code = server.code_to(stored);
            let grant = json!({
                "grant_type": SMS, "phone_number": TYPED, "otp_token": token, "otp": code, "auto_signup": "true",
            });
            let answer = client.ask(grant).await;
            assert_eq!(answer.status, 200, "{stored}: {answer}");
            let token = answer.json()["access_token"].as_str().unwrap().to_owned();
            let shown = server.request("GET", "/userinfo").bearer(&token).send().await.json();
            assert_eq!(shown["sub"], owner.id.to_string(), "{stored}");
            unverify(&server, &owner).await;
            server.pass(Duration::from_secs(31));
        }
    }
);

on_both_databases!(
    async fn a_verified_number_is_refused_by_cl2c_in_every_spelling(server: Server) {
        let neighbour = Person::new(&server, Patch::default()).await;
        for stored in SPELLINGS {
            let owner = owner(&server, stored).await;
            for other in SPELLINGS {
                let refused = neighbour.write(Side::Cl2c, "phoneNumber", other).await;
                assert!(refused.body.contains("already registered"), "{stored}, {other}: {refused}");
            }
            unverify(&server, &owner).await;
        }
    }
);

on_both_databases!(
    async fn a_verified_number_stays_verified_with_and_without_its_country_code(server: Server) {
        for (side, name) in [(Side::System, "accountPhone"), (Side::Cl2c, "phoneNumber")] {
            let person = Person::new(&server, verified(SPELLINGS[2])).await;
            for spelling in &SPELLINGS[..2] {
                assert_eq!(person.write(side, name, *spelling).await.status, 200);
                let stored = server.account(&person.account).await;
                assert_eq!((stored.text(Field::Phone), stored.phone_verified), (Some(*spelling), true), "{side:?}");
            }
            // Eleven digits are a number of mainland China only as CIAM's clients write them.
            assert_eq!(person.write(Side::System, "accountPhone", "138 0013 8000").await.status, 200);
            assert!(!server.account(&person.account).await.phone_verified);
        }
    }
);

on_both_databases!(
    async fn a_number_without_an_e164_form_loses_its_mark_with_the_next_change(server: Server) {
        let person = server.person(&[(Field::Phone, "4155550123")]).await;
        server.database().execute("UPDATE account SET phone_verified = true").await;
        let changed = server.operate(&person, patch(&[(Field::DisplayName, "Jo")])).await;
        assert!(!changed.phone_verified);
    }
);
