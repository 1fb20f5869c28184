//! Request and response bodies.

use std::borrow::Cow;

use serde::Serialize;
use utoipa::ToSchema;

use crate::account::{Account, Edit, Error, Fault, Field, Patch, Portal, Rule, Status, Tenant, Text};
use crate::http::body::seconds;
use crate::json::{Object, Value};
use crate::language::Language;

/// The members that a person may change: the name on the wire, the field, and the longest value in Unicode scalar values.
pub(super) const WRITABLE: [(&str, Field, usize); 5] = [
    ("accountName", Field::DisplayName, 126),
    ("accountPhone", Field::Phone, 25),
    ("defaultLanguage", Field::Language, 10),
    ("defaultTimezone", Field::TimeZone, 50),
    ("defaultCountry", Field::Country, 10),
];

/// Checks whether a person may change the member of this name.
pub(super) fn is_writable(name: &str) -> bool {
    WRITABLE.iter().any(|(writable, _, _)| *writable == name)
}

/// Reads a request for an account. Every error of every field is reported at once.
pub(super) fn patch(update: &Object, account: &Account) -> Result<Patch, Error> {
    let mut patch = Patch::default();
    let mut faults = Vec::new();
    for (name, field, max) in WRITABLE {
        match edit(update.get(name), shown(account, field), max) {
            Ok(edit) => patch.edit(field, edit),
            Err(rules) => faults.extend(rules.into_iter().map(|rule| Fault { field: name.into(), rule })),
        }
    }
    if faults.is_empty() { Ok(patch) } else { Err(Error::Fields(faults)) }
}

/// Reads a member: null keeps the value, the empty string clears it. A value equal to the one shown changes nothing, even if
/// another contract wrote it beyond this contract's limit: clients read, edit one field, and send all of them back.
fn edit(update: Option<&Value>, shown: &str, max: usize) -> Result<Edit<Text>, Vec<Rule>> {
    let text = match update {
        None | Some(Value::Null) => return Ok(Edit::Keep),
        Some(Value::String(text)) if text == shown => return Ok(Edit::Keep),
        Some(Value::String(text)) if text.is_empty() => return Ok(Edit::Clear),
        Some(Value::String(text)) => text,
        Some(_) => return Err(vec![Rule::Text]),
    };
    let mut broken = Vec::new();
    if text.chars().count() > max {
        broken.push(Rule::MaxLength(max));
    }
    match Text::new(text.as_str()) {
        Ok(text) if broken.is_empty() => return Ok(Edit::Set(text)),
        Ok(_) => {}
        Err(_) if text.contains('\0') => broken.push(Rule::NoControlCharacters),
        // A text that is too long for storage is too long for the field.
        Err(_) => {}
    }
    Err(broken)
}

/// The envelope of every successful response.
#[derive(Serialize, ToSchema)]
pub(super) struct Success<'a> {
    success: bool,
    #[schema(pattern = "^2000$")]
    code: &'static str,
    #[schema(pattern = "^SUCCESS$")]
    message: &'static str,
    data: Profile<'a>,
}

/// The profile, its members in the contract's order. Unset ones are empty strings; only an unset remark is null.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct Profile<'a> {
    biz_id: &'a str,
    institution_biz_id: &'a str,
    account_email: &'a str,
    account_phone: &'a str,
    account_name: &'a str,
    /// The operators' remark.
    #[schema(required)]
    account_remark: Option<&'a str>,
    account_portal: Member,
    account_status: Member,
    #[schema(format = DateTime, pattern = r"^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}Z$")]
    created_at: String,
    #[schema(format = DateTime, pattern = r"^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}Z$")]
    updated_at: String,
    default_language: &'a str,
    default_timezone: &'a str,
    default_country: &'a str,
}

/// A member of an enumeration.
#[derive(Serialize, ToSchema)]
struct Member {
    /// Its name.
    code: &'static str,
    /// Its number.
    value: i64,
    /// Its label, in the language of the response.
    label: Cow<'static, str>,
}

/// Renders an account.
pub(super) fn success<'a>(account: &'a Account, tenant: &'a Tenant, language: Language) -> Success<'a> {
    let data = Profile {
        biz_id: &account.biz_id,
        institution_biz_id: &tenant.biz_id,
        account_email: shown(account, Field::Email),
        account_phone: shown(account, Field::Phone),
        account_name: shown(account, Field::DisplayName),
        account_remark: account.text(Field::Remark),
        account_portal: portal(account.portal, language),
        account_status: status(account.status, language),
        created_at: seconds(account.created_at),
        updated_at: seconds(account.updated_at),
        default_language: shown(account, Field::Language),
        default_timezone: shown(account, Field::TimeZone),
        default_country: shown(account, Field::Country),
    };
    Success { success: true, code: "2000", message: "SUCCESS", data }
}

/// Returns the text of a field, or the empty string if it is unset.
fn shown(account: &Account, field: Field) -> &str {
    account.text(field).unwrap_or("")
}

fn portal(portal: Portal, language: Language) -> Member {
    Member { code: portal.code(), value: portal.value(), label: language.text(portal.label_key()) }
}

fn status(status: Status, language: Language) -> Member {
    Member { code: status.code(), value: status.value(), label: language.text(status.label_key()) }
}
