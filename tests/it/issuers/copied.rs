//! Claims are copied into a new account only as a contract would write them.

use selfsame::account::Field;

use super::accounts::{Believing, Creating};
use super::*;
use crate::support::patch;

/// The internal form of a picture that this installation stores.
const STORED: &str = "stored:abababababababababababababababab.png:\
                      c414cd0e204de974f73753c7e28d7638e7b3691bb8b1a2bab6b25bb7fed7ce77.70";

on_both_databases!(
    async fn a_claim_never_takes_over_a_picture_of_another_account(creating: Creating) {
        let Creating(world) = creating;
        world.server.operate(&world.alice, patch(&[(Field::Picture, STORED)])).await;
        let bob = world.make_bob(&[("picture", json!(STORED)), ("name", json!("Bob"))]).await;
        assert_eq!((bob.text(Field::Picture), bob.text(Field::DisplayName)), (None, Some("Bob")));
    }
);

on_both_databases!(
    async fn claims_that_no_contract_would_write_are_left_out(creating: Creating) {
        let Creating(world) = creating;
        let here = format!("{}/pictures/abababababababababababababababab.png", world.server.app.public_url());
        let long = |length: usize| "\u{e9}".repeat(length);
        let claims = [
            ("picture", Field::Picture, STORED),
            ("picture", Field::Picture, "stored::"),
            ("picture", Field::Picture, here.as_str()),
            ("picture", Field::Picture, "javascript:alert(1)"),
            ("picture", Field::Picture, "data:image/png;base64,iVBORw0KGgo="),
            ("picture", Field::Picture, "https://user@example.com/a.png"),
            ("picture", Field::Picture, "https://example.com/a.png\n"),
            ("name", Field::DisplayName, &long(127)),
            ("name", Field::DisplayName, " \t"),
            ("given_name", Field::GivenName, &long(76)),
            ("family_name", Field::FamilyName, &long(76)),
            ("nickname", Field::Nickname, &long(129)),
            ("preferred_username", Field::Username, &long(129)),
            ("preferred_username", Field::Username, "bo\nb"),
            ("preferred_username", Field::Username, "bob\u{200b}"),
            ("email", Field::Email, "bob@example.com\r\nBcc: jo@example.com"),
            ("email", Field::Email, " bob@example.com"),
            ("email", Field::Email, "bob\u{200b}@example.com"),
            ("email", Field::Email, "bob@exam\u{ad}ple.com"),
            ("email", Field::Email, "\u{feff}bob@example.com"),
            ("email", Field::Email, "Bob <bob@example.com>"),
            ("phone_number", Field::Phone, "+1415555\n0123"),
            ("phone_number", Field::Phone, "\u{202d}+14155550123"),
            ("phone_number", Field::Phone, "+1 415 555 0123 ext. 45678"),
            ("locale", Field::Language, "no tag"),
            ("zoneinfo", Field::TimeZone, "Mars/Olympus"),
        ];
        for (number, (claim, field, value)) in claims.into_iter().enumerate() {
            let person = world.make(&format!("person {number}"), &[(claim, json!(value))]).await;
            assert_eq!(person.text(field), None, "{value:?}");
        }
    }
);

on_both_databases!(
    async fn a_language_with_an_underscore_is_copied_as_a_tag(creating: Creating) {
        let Creating(world) = creating;
        assert_eq!(world.make_bob(&[("locale", json!("en_US"))]).await.text(Field::Language), Some("en-US"));
    }
);

on_both_databases!(
    async fn a_trusted_mark_needs_a_well_formed_address(believing: Believing) {
        let Believing(world) = believing;
        let verified = |more: &[(&'static str, Value)]| {
            let marks = [("email_verified", json!(true)), ("phone_number_verified", json!(true))];
            [more, &marks].concat()
        };
        let addresses = verified(&[("email", json!("bob\u{200b}@example.com")), ("phone_number", json!("4155550123"))]);
        let bob = world.make_bob(&addresses).await;
        assert_eq!((bob.text(Field::Email), bob.email_verified), (None, false));
        assert_eq!((bob.text(Field::Phone), bob.phone_verified), (Some("4155550123"), false));
        let addresses = verified(&[("email", json!("joe@example.com")), ("phone_number", json!("+1 415 555-0123"))]);
        let joe = world.make("joe", &addresses).await;
        assert!(joe.email_verified && joe.phone_verified);
    }
);

on_both_databases!(
    async fn a_trusted_number_of_another_account_is_copied_unverified_in_every_spelling(believing: Believing) {
        let Believing(world) = believing;
        let numbers = ["13800138000", "+86 138 0013 8000"];
        for (stored, claimed) in [(numbers[0], numbers[1]), (numbers[1], numbers[0])] {
            let mut owned = patch(&[(Field::Phone, stored)]);
            owned.phone_verified = Some(true);
            let owner = world.server.person_with(&world.server.tenant, owned).await;
            let claims = [("phone_number", json!(claimed)), ("phone_number_verified", json!(true))];
            let copied = world.make(stored, &claims).await;
            assert_eq!((copied.text(Field::Phone), copied.phone_verified), (Some(claimed), false));
            let mut unproved = patch(&[]);
            unproved.phone_verified = Some(false);
            world.server.operate(&owner, unproved).await;
            // Without a country code, a provider may mean a number of another country.
            let next = world.make(&format!("{stored}, later"), &claims).await;
            assert_eq!(next.phone_verified, claimed.starts_with('+'), "{claimed}");
            world.server.database().execute("DELETE FROM unique_key WHERE kind = 'phone'").await;
        }
    }
);
