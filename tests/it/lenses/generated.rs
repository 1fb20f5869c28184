//! Generated accounts and bodies: values that people and libraries send, and arbitrary ones.

use proptest::collection::{btree_map, vec};
use proptest::option;
use proptest::prelude::{Just, Strategy, any, prop_oneof};
use proptest::sample::{select, subsequence};
use selfsame::account::{Account, Edit, Field, Patch, Text};
use serde_json::{Map, Value, json};

use super::{WRITABLE, body, writable};
use crate::support::{Person, Side};

/// The body of a request.
pub(super) type Body = Map<String, Value>;

/// Values of an account's fields; absent ones are unset.
#[derive(Clone, Debug)]
pub(super) struct Fields(Vec<(Field, Option<String>)>);

impl Fields {
    /// Gives these fields to a person's account as an operator does, and returns it.
    pub(super) async fn store(&self, person: &Person<'_>) -> Account {
        let mut patch = Patch::default();
        for (field, value) in &self.0 {
            let text = value.as_deref().and_then(|value| Text::new(value).ok());
            patch.edit(*field, text.map_or(Edit::Clear, Edit::Set));
        }
        person.server.operate(&person.account, patch).await
    }
}

/// Every field, unset or with a text that some contract, an import or an operator stores in it.
pub(super) fn any_fields() -> impl Strategy<Value = Fields> {
    let value = |field: Field| match field {
        Field::Attributes => option::of(any_object().prop_map(|object| without_null(object).to_string())).boxed(),
        field => option::of(text_for(field)).boxed(),
    };
    Field::ALL.map(|field| value(field).prop_map(move |value| (field, value)).boxed()).to_vec().prop_map(Fields)
}

/// Some of the members that a person may write through a contract, each with a value that fits or does not.
pub(super) fn any_body(side: Side) -> impl Strategy<Value = Body> {
    let members: Vec<_> = writable(side).collect();
    let all = members.len();
    subsequence(members, 0..=all).prop_flat_map(|members| {
        let member =
            |(name, field): (&'static str, Field)| value_for(field).prop_map(move |value| (name.to_owned(), value));
        members.into_iter().map(member).collect::<Vec<_>>().prop_map(body)
    })
}

/// Members that a contract does not let a person write: those of the other contracts, and those that are only shown.
pub(super) fn foreign_members(side: Side) -> impl Strategy<Value = Body> {
    const SHOWN: [&str; 34] = [
        "bizId",
        "institutionBizId",
        "accountEmail",
        "accountRemark",
        "accountPortal",
        "accountStatus",
        "createdAt",
        "updatedAt",
        "userName",
        "email",
        "emailConfirmed",
        "authenticated",
        "authValidUpto",
        "authLocation",
        "walletAddress",
        "user_id",
        "primary_email",
        "updated_at",
        "is_system_admin",
        "disabled_at",
        "user_metadata",
        "sub",
        "username",
        "email_verified",
        "phone_number_verified",
        "status",
        "tenant_id",
        "portal",
        "version",
        "texts",
        "attributes",
        "history_head",
        "account_id",
        "PICTURE",
    ];
    let of_others = WRITABLE.into_iter().filter(move |(of, _, _)| *of != side).map(|(_, name, _)| name);
    let own: Vec<&str> = writable(side).map(|(name, _)| name).collect();
    let names: Vec<&str> = of_others.chain(SHOWN).filter(|name| !own.contains(name)).collect();
    btree_map(select(names).prop_map(str::to_owned), any_value(), 1..6).prop_map(body)
}

/// A value for a member that writes a field: mostly text, sometimes of another type.
fn value_for(field: Field) -> impl Strategy<Value = Value> {
    let fitting = match field {
        Field::Attributes => any_object().boxed(),
        field => prop_oneof![8 => text_for(field), 1 => Just(String::new())].prop_map(Value::from).boxed(),
    };
    prop_oneof![12 => fitting, 1 => Just(Value::Null), 1 => any_value()]
}

/// A text as it is written into a field, or any text.
fn text_for(field: Field) -> impl Strategy<Value = String> {
    let usual: &[&str] = match field {
        Field::Email => &["jane@example.com", "Jane.Roe@Example.com", "jörg@bücher.example"],
        Field::Phone => &["+1987654321", "+86 138 0013 8000", "13800138000", "ask reception", "(0)20 7946 0018"],
        Field::Language => &["en", "zh-Hant-TW", "zh_CN", "sr-Latn-RS", "i-klingon", "x", "en--US"],
        Field::TimeZone => &["Europe/Paris", "PRC", "UTC", "GMT+8", "Mars/Olympus", "Factory"],
        Field::Country => &["CN", "us", "ZZ", "Atlantis"],
        Field::Picture => {
            &["https://example.com/a.png", "http://example.com/%E5%9B%BE", "ftp://example.com/a", "a.png"]
        }
        Field::Username => &["jane_roe", "jroe"],
        _ => &[
            "Jane",
            "  Jane Roe ",
            "山田 太郎",
            "Zoë\u{301}",
            "👩\u{200d}🚀",
            "\u{200b}\u{2060}",
            "O'Neil <b>",
            "a\tb",
        ],
    };
    let longest = "\u{20bb7}".repeat(126);
    prop_oneof![
        6 => select(usual).prop_map(str::to_owned),
        3 => "\\PC{1,30}",
        1 => vec(any::<char>(), 1..12).prop_map(String::from_iter),
        1 => (1..200_usize).prop_map(move |length| longest.chars().cycle().take(length).collect()),
    ]
}

/// A JSON object with members that a profile may have.
fn any_object() -> impl Strategy<Value = Value> {
    btree_map(any_name(), any_value(), 0..5).prop_map(|members| Value::Object(members.into_iter().collect()))
}

/// A JSON value, nested up to three levels deep.
fn any_value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i32>().prop_map(Value::from),
        select(vec![json!(0.5), json!(-1.25e3)]),
        "\\PC{0,12}".prop_map(Value::from),
    ];
    leaf.prop_recursive(3, 16, 4, |inner| {
        let object = btree_map(any_name(), inner.clone(), 0..4);
        prop_oneof![
            vec(inner, 0..4).prop_map(Value::from),
            object.prop_map(|members| Value::Object(members.into_iter().collect())),
        ]
    })
}

/// The name of a profile's member; few, so that patches often meet members that are there.
fn any_name() -> impl Strategy<Value = String> {
    prop_oneof![4 => select(&["a", "b", "bio", "links"][..]).prop_map(str::to_owned), 1 => "\\PC{1,8}"]
}

/// A value without null members, which no merge patch can store (RFC 7396 §1).
fn without_null(value: Value) -> Value {
    match value {
        Value::Object(members) => {
            let kept = members.into_iter().filter(|(_, value)| !value.is_null());
            kept.map(|(name, value)| (name, without_null(value))).collect()
        }
        value => value,
    }
}
