//! The body of a change.

use super::claims;
use super::refusal::{Address, Refused};
use crate::account::attributes;
use crate::account::schema::{Property, Schema};
use crate::account::{
    Account, Application, Contact, Edit, Email, Field, MAINLAND, Patch, Phone, Rules, Text, is_time_zone,
};
use crate::json::{Object, Value};

/// The longest value of each attribute, in Unicode scalar values.
pub(super) const MAX_NAME: usize = 126;
pub(super) const MAX_NICKNAME: usize = 128;
pub(super) const MAX_LOCALE: usize = 35;
pub(super) const MAX_CUSTOM: usize = 1024;

/// The attributes that have a field of their own, each with its limit.
const PLAIN: [(&str, Field, usize); 4] = [
    ("name", Field::DisplayName, MAX_NAME),
    ("nickname", Field::Nickname, MAX_NICKNAME),
    ("zoneinfo", Field::TimeZone, usize::MAX),
    ("locale", Field::Language, MAX_LOCALE),
];

/// The members that the contract itself defines in a body.
pub(super) const KNOWN: [&str; 12] = [
    "phone_number",
    "phone_number_otp_token",
    "phone_number_otp",
    "email",
    "email_otp_token",
    "email_otp",
    "name",
    "nickname",
    "zoneinfo",
    "locale",
    "hone_number_otp_token",
    "Name",
];

/// Other names that the published page uses for two members, each with the name that it stands for.
const ALIASES: [(&str, &str); 2] = [("hone_number_otp_token", "phone_number_otp_token"), ("Name", "name")];

/// Known attributes of a person that cannot be changed here, unless the tenant's schema defines them.
const UNSUPPORTED: [&str; 20] = [
    "sub",
    "username",
    "status",
    PICTURE,
    "email_verified",
    "phone_number_verified",
    "created_at",
    "updated_at",
    "last_sign_on",
    "groups",
    "user_groups",
    "password",
    "wechat_open_id",
    "wechat_union_id",
    "qq_open_id",
    "qq_union_id",
    "weibo_user_id",
    "alipay_user_id",
    "apple_user_id",
    "authenticationMethod",
];

/// The attribute that a body can only remove.
const PICTURE: &str = "picture";

/// Checks whether a member removes the picture.
fn removes_picture(name: &str, value: &Value) -> bool {
    name == PICTURE && value.as_str() == Some("")
}

/// Returns the names of all known members of a body.
pub(super) fn names(rules: &Rules) -> Vec<&str> {
    let custom = match rules {
        Rules::Schema(schema) => schema.properties().map(|(name, _)| name).collect(),
        Rules::Unknown | Rules::Free => Vec::new(),
    };
    KNOWN.into_iter().chain(UNSUPPORTED).chain(custom).collect()
}

/// The changes that a body asks for.
pub(super) struct UpdateRequest {
    /// Everything but the addresses.
    pub(super) patch: Patch,
    /// Addresses that are not proved yet, each with its token and its code.
    pub(super) addresses: Vec<ClaimedAddress>,
}

/// An address, with the token and the code that prove it.
pub(super) struct ClaimedAddress {
    pub(super) address: Address,
    pub(super) contact: Contact,
    pub(super) token: Option<String>,
    pub(super) code: Option<String>,
}

/// Reads a body, and checks it in the contract's order: unknown members, members that cannot be changed or not by this
/// application, the forms of addresses, the values. `present` are the account's attributes.
pub(super) fn read(
    body: &Object,
    account: &Account,
    present: &Object,
    rules: &Rules,
    application: Option<&Application>,
) -> Result<UpdateRequest, Refused> {
    let schema = match rules {
        Rules::Schema(schema) => Some(schema.as_ref()),
        Rules::Unknown | Rules::Free => None,
    };
    let is_known = |name: &str, value: &Value| KNOWN.contains(&name) || removes_picture(name, value);
    let custom: Vec<_> = body.iter().filter(|(name, value)| !is_known(name, value)).collect();
    let property = |name: &str| schema.and_then(|schema| schema.property(name));
    if custom.iter().any(|(name, _)| !UNSUPPORTED.contains(&name.as_str()) && property(name).is_none()) {
        return Err(Refused::Unknown);
    }
    let changeable = |name: &str| property(name).is_some_and(|property| !property.read_only && is_scalar(property));
    let may_write = |name: &str| application.is_none_or(|application| application.may_write(attribute(name)));
    if custom.iter().any(|(name, _)| !changeable(name)) || body.iter().any(|(name, _)| !may_write(name)) {
        return Err(Refused::Unsupported);
    }
    for address in [Address::Phone, Address::Email] {
        if let Some(text) = member(body, address.name()).and_then(Value::as_str)
            && !is_well_formed(address, text)
        {
            return Err(Refused::MalformedAddress(address));
        }
    }
    let mut patch = Patch { rules: rules.clone(), ..Patch::default() };
    for (name, field, limit) in PLAIN {
        if let Some(value) = member(body, name) {
            patch.edit(field, plain(name, value, field, limit, account)?);
        }
    }
    if body.iter().any(|(name, value)| removes_picture(name, value)) {
        patch.edit(Field::Picture, Edit::Clear);
    }
    patch.merge = custom_attributes(&custom, present, rules, schema)?;
    let addresses = [Address::Phone, Address::Email].map(|address| claimed(body, address));
    let addresses = addresses.into_iter().filter_map(Result::transpose).collect::<Result<_, _>>()?;
    Ok(UpdateRequest { patch, addresses })
}

/// Returns the attribute that a member changes; the token and the code of an address belong to it.
fn attribute(member: &str) -> &str {
    let name = ALIASES.iter().find(|(alias, _)| *alias == member).map_or(member, |(_, known)| known);
    match name {
        "phone_number_otp_token" | "phone_number_otp" => Address::Phone.name(),
        "email_otp_token" | "email_otp" => Address::Email.name(),
        name => name,
    }
}

/// Returns a member by its name or, without that, by its alias.
fn member<'a>(body: &'a Object, name: &str) -> Option<&'a Value> {
    let alias = || ALIASES.iter().find(|(_, known)| *known == name).and_then(|(alias, _)| body.get(alias));
    body.get(name).or_else(alias)
}

fn is_well_formed(address: Address, text: &str) -> bool {
    match address {
        Address::Phone => Phone(text).is_mainland_mobile(),
        Address::Email => Email(text).is_well_formed(),
    }
}

/// Reads an attribute that has a field of its own. A value equal to the one shown changes nothing, even if it breaks a rule.
fn plain(name: &str, value: &Value, field: Field, limit: usize, account: &Account) -> Result<Edit<Text>, Refused> {
    let text = value.as_str().ok_or(Refused::IllegalValue)?;
    if text.is_empty() {
        return Ok(Edit::Clear);
    }
    let shown = match field {
        Field::TimeZone => claims::zoneinfo(account),
        Field::Language => claims::locale(account),
        field => account.text(field),
    };
    if shown == Some(text) {
        return Ok(Edit::Keep);
    }
    // Some clients write tags with underscores (OpenID Connect Core §5.1).
    let text = if name == "locale" { text.replace('_', "-") } else { text.to_owned() };
    let fits = text.chars().count() <= limit
        && (field != Field::TimeZone || is_time_zone(&text))
        && (field != Field::Language || claims::is_tag(&text));
    let text = Text::new(text).ok().filter(|_| fits);
    text.map(Edit::Set).ok_or(Refused::IllegalValue)
}

/// Checks whether an attribute's values are scalar; without a type they could be anything.
fn is_scalar(property: &Property) -> bool {
    let single = ["string", "number", "integer", "boolean"];
    !property.types.is_empty() && property.types.iter().all(|kind| single.contains(&kind.as_str()) || kind == "null")
}

/// Returns the tenant's own attributes as a merge patch; an empty string removes an attribute.
fn custom_attributes(
    custom: &[(&String, &Value)],
    present: &Object,
    rules: &Rules,
    schema: Option<&Schema>,
) -> Result<Option<Object>, Refused> {
    if custom.is_empty() {
        return Ok(None);
    }
    let shown = rules.shown(present);
    let mut merge = Object::new();
    for (name, value) in custom {
        if shown.get(name) == Some(*value) {
            continue;
        }
        let property = schema.and_then(|schema| schema.property(name)).ok_or(Refused::Unknown)?;
        let is_text = property.types.iter().any(|kind| kind == "string");
        if is_text && value.as_str() == Some("") && schema.is_some_and(|schema| refuses_empty(schema, present, name)) {
            return Err(Refused::IllegalValue);
        }
        merge.insert(name.as_str(), own_value(property, value)?);
    }
    if merge.is_empty() {
        return Ok(None);
    }
    // Checked now, so that a value that the schema refuses is reported before any code is checked.
    let mut merged = present.clone();
    attributes::merge(&mut merged, &merge);
    if merged.to_string().len() > attributes::MAX_BYTES || rules.check(present, &merged, true).is_err() {
        return Err(Refused::IllegalValue);
    }
    Ok(Some(merge))
}

/// Checks whether the schema, for example a pattern, forbids the empty string that would clear an attribute.
fn refuses_empty(schema: &Schema, present: &Object, name: &str) -> bool {
    let mut probe = present.clone();
    probe.insert(name, "");
    let place = format!("/{}", name.replace('~', "~0").replace('/', "~1"));
    schema.faults(&probe).iter().any(|fault| fault.field == place)
}

fn own_value(property: &Property, value: &Value) -> Result<Value, Refused> {
    let may = |kind: &str| property.types.iter().any(|known| known == kind);
    match value {
        Value::String(text) if text.contains('\0') || text.chars().count() > MAX_CUSTOM => Err(Refused::IllegalValue),
        Value::String(text) if text.is_empty() => Ok(Value::Null),
        Value::String(_) if may("string") => Ok((*value).clone()),
        Value::Number(number) if may("number") || may("integer") => {
            let fits = number.as_str().parse().is_ok_and(f64::is_finite);
            if fits { Ok(value.clone()) } else { Err(Refused::IllegalValue) }
        }
        Value::Bool(_) if may("boolean") => Ok(value.clone()),
        _ => Err(Refused::IllegalValue),
    }
}

/// Reads an address with its token and code; a token or a code without an address is refused.
fn claimed(body: &Object, address: Address) -> Result<Option<ClaimedAddress>, Refused> {
    let text = |name: &str| match member(body, name) {
        None => Ok(None),
        Some(Value::String(text)) if !text.contains('\0') => Ok(Some(text.clone())),
        Some(_) => Err(Refused::IllegalValue),
    };
    let token = text(&format!("{}_otp_token", address.name()))?;
    let code = text(&format!("{}_otp", address.name()))?;
    let Some(typed) = text(address.name())? else {
        return if token.is_none() && code.is_none() { Ok(None) } else { Err(Refused::IllegalValue) };
    };
    let contact = contact(address, &typed).ok_or(Refused::MalformedAddress(address))?;
    Ok(Some(ClaimedAddress { address, contact, token, code }))
}

/// Returns an address as it is stored, or `None` if it is malformed; eleven digits are a number of mainland China.
pub(super) fn contact(address: Address, typed: &str) -> Option<Contact> {
    if !is_well_formed(address, typed) {
        return None;
    }
    match address {
        Address::Phone => Text::new(format!("{MAINLAND}{typed}")).ok().map(Contact::Phone),
        Address::Email => Text::new(typed).ok().map(Contact::Email),
    }
}
