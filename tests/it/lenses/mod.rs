//! The contracts as lenses over one account, with laws that they obey for any account and any body: what is shown can be sent
//! back and changes nothing; what is accepted is shown; what is not sent stays; no other field changes.

mod generated;

use proptest::strategy::Strategy;
use proptest::test_runner::{Config, TestRunner};
use selfsame::account::{Account, Field, Patch, is_blank};
use serde_json::{Map, Value};
use tokio::runtime::Handle;
use tokio::task::block_in_place;

use crate::support::{Person, Server, Side};
use generated::{Body, Fields, any_body, any_fields, foreign_members};

const SIDES: [Side; 4] = [Side::System, Side::Cl2c, Side::RiverGen, Side::Ciam];

/// The members that each contract lets a person write without a proof, and their fields.
const WRITABLE: [(Side, &str, Field); 16] = [
    (Side::System, "accountName", Field::DisplayName),
    (Side::System, "accountPhone", Field::Phone),
    (Side::System, "defaultLanguage", Field::Language),
    (Side::System, "defaultTimezone", Field::TimeZone),
    (Side::System, "defaultCountry", Field::Country),
    (Side::Cl2c, "firstName", Field::GivenName),
    (Side::Cl2c, "lastName", Field::FamilyName),
    (Side::Cl2c, "phoneNumber", Field::Phone),
    (Side::Cl2c, "pushToken", Field::PushToken),
    (Side::RiverGen, "display_name", Field::DisplayName),
    (Side::RiverGen, "profile_image_url", Field::Picture),
    (Side::RiverGen, "profile", Field::Attributes),
    (Side::Ciam, "name", Field::DisplayName),
    (Side::Ciam, "nickname", Field::Nickname),
    (Side::Ciam, "zoneinfo", Field::TimeZone),
    (Side::Ciam, "locale", Field::Language),
];

/// The writable members of a contract, with their fields.
fn writable(side: Side) -> impl Iterator<Item = (&'static str, Field)> {
    WRITABLE.into_iter().filter(move |(of, _, _)| *of == side).map(|(_, name, field)| (name, field))
}

/// Checks generated values; a value that fails is simplified before it is reported. A case takes several requests, so there
/// are a quarter as many as of other properties.
fn for_any<Generated: std::fmt::Debug>(
    strategy: impl Strategy<Value = Generated>,
    mut check: impl AsyncFnMut(Generated),
) {
    let defaults = Config::default();
    let config = Config { cases: defaults.cases / 4, failure_persistence: None, ..defaults };
    let check = std::cell::RefCell::new(&mut check);
    block_in_place(|| {
        TestRunner::new(config)
            .run(&strategy, |value| {
                Handle::current().block_on((check.borrow_mut())(value));
                Ok(())
            })
            .unwrap_or_else(|failure| panic!("{failure}"));
    });
}

/// Sends a body to a contract that requires both names, with the ones that are shown.
fn with_required(side: Side, shown: &Value, mut body: Body) -> Body {
    if side == Side::Cl2c {
        for name in ["firstName", "lastName"] {
            body.entry(name).or_insert_with(|| shown[name].clone());
        }
    }
    body
}

on_both_databases!(
    async fn what_is_shown_can_be_sent_back_and_changes_nothing(server: Server) {
        let person = Person::new(&server, Patch::default()).await;
        for side in SIDES {
            for_any(any_fields(), async |fields: Fields| {
                let before = fields.store(&person).await;
                let mut shown = person.read(side).await;
                if side == Side::Ciam {
                    // The contract refuses attributes that no person may change, even with the value that it shows.
                    shown = writable(side).filter_map(|(name, _)| Some((name, shown.get(name)?.clone()))).collect();
                }
                let answer = person.send(side, shown.clone()).await;
                assert_eq!(server.account(&person.account).await, before, "{side:?}: {shown}: {answer}");
                let lacks_a_required_name = side == Side::Cl2c
                    && ["firstName", "lastName"].iter().any(|name| shown[name].as_str().is_none_or(is_blank));
                assert_eq!(answer.status, if lacks_a_required_name { 400 } else { 200 }, "{side:?}: {shown}: {answer}");
            });
        }
    }
);

on_both_databases!(
    async fn what_is_accepted_is_shown_in_the_contracts_own_form(server: Server) {
        let person = Person::new(&server, Patch::default()).await;
        for side in SIDES {
            for_any((any_fields(), any_body(side)), async |(fields, body): (Fields, Body)| {
                fields.store(&person).await;
                let before = person.read(side).await;
                let body = with_required(side, &before, body);
                let answer = person.send(side, body.clone()).await;
                if answer.status != 200 {
                    return;
                }
                let after = person.read(side).await;
                for (name, sent) in body.iter().filter(|(name, _)| *name != "pushToken") {
                    let expected = expected(side, name, sent, &before[name]);
                    assert_eq!(after[name], expected, "{side:?}: {name}: {sent}, before {}", before[name]);
                }
            });
        }
    }
);

on_both_databases!(
    async fn members_that_were_not_sent_move_nothing(server: Server) {
        let person = Person::new(&server, Patch::default()).await;
        for side in SIDES {
            for_any((any_fields(), any_body(side)), async |(fields, body): (Fields, Body)| {
                let before = fields.store(&person).await;
                let body = with_required(side, &person.read(side).await, body);
                let answer = person.send(side, body.clone()).await;
                let mut after = server.account(&person.account).await;
                if answer.status != 200 {
                    assert_eq!(after, before, "{side:?}: {answer}");
                    return;
                }
                let mut sent: Vec<Field> =
                    writable(side).filter(|(name, _)| body.contains_key(*name)).map(|(_, field)| field).collect();
                if side == Side::Cl2c && before.text(Field::DisplayName).is_none() {
                    // Names fill a display name that is unset.
                    sent.push(Field::DisplayName);
                }
                restore(&mut after, &before, &sent);
                assert_eq!(after, before, "{side:?}: {body:?}");
            });
        }
    }
);

on_both_databases!(
    async fn no_contract_writes_a_field_that_its_page_does_not_let_it_write(server: Server) {
        let person = Person::new(&server, Patch::default()).await;
        for side in SIDES {
            for_any((any_fields(), foreign_members(side)), async |(fields, body): (Fields, Body)| {
                let before = fields.store(&person).await;
                let body = with_required(side, &person.read(side).await, body);
                let answer = person.send(side, body).await;
                assert!(answer.status.is_client_error() || answer.status == 200, "{side:?}: {answer}");
                assert_eq!(server.account(&person.account).await, before, "{side:?}: {answer}");
            });
        }
    }
);

/// The value that a contract shows after it accepted `sent` for a member that showed `before`.
fn expected(side: Side, name: &str, sent: &Value, before: &Value) -> Value {
    let text = sent.as_str();
    match (side, name) {
        (Side::System | Side::RiverGen, _) if sent.is_null() => before.clone(),
        // Without a value CL2C and RiverGen show null, and CIAM no member, which reads as null.
        (Side::Cl2c | Side::RiverGen | Side::Ciam, _) if text == Some("") => Value::Null,
        (Side::RiverGen, "profile") => merged(before, sent),
        (Side::RiverGen, "display_name") if sent != before => text.unwrap().trim().into(),
        (Side::Ciam, "locale") if sent != before => text.unwrap().replace('_', "-").into(),
        _ => sent.clone(),
    }
}

/// Merges a patch into a value by the algorithm of RFC 7396 §2.
fn merged(target: &Value, patch: &Value) -> Value {
    let Value::Object(patch) = patch else { return patch.clone() };
    let mut result = target.as_object().cloned().unwrap_or_default();
    for (name, value) in patch {
        if value.is_null() {
            result.remove(name);
        } else {
            let merged = merged(result.get(name).unwrap_or(&Value::Null), value);
            result.insert(name.clone(), merged);
        }
    }
    Value::Object(result)
}

/// Gives an account the fields of another one that a request has sent, and what changes with every change.
fn restore(account: &mut Account, before: &Account, sent: &[Field]) {
    for field in sent {
        account.texts[*field] = before.texts[*field].clone();
    }
    if sent.contains(&Field::Attributes) {
        account.attributes = before.attributes.clone();
    }
    if sent.contains(&Field::Phone) {
        account.phone_verified = before.phone_verified;
    }
    account.version = before.version;
    account.updated_at = before.updated_at;
    account.history_head = before.history_head;
    account.usage = before.usage;
}

/// A body from its members.
fn body(members: impl IntoIterator<Item = (String, Value)>) -> Map<String, Value> {
    members.into_iter().collect()
}
