//! The claims that an application gets about a person: `sub`, and those that it may see and that have a value.

use std::borrow::Cow;

use crate::account::{Account, Application, Error, Field, MAINLAND, Phone, Rules, is_time_zone};
use crate::identity::Caller;
use crate::json::Object;
use crate::picture;

/// The contract's own claims, in display order.
pub(super) const CLAIMS: [&str; 10] = [
    "email",
    "name",
    "nickname",
    "zoneinfo",
    "locale",
    "phone_number",
    "email_verified",
    "phone_number_verified",
    "username",
    "picture",
];

/// Names that an attribute cannot have: the claims, and the members of a body that are not attributes.
pub(in crate::contract) const RESERVED_ATTRIBUTES: [&str; 18] = [
    "sub",
    "email",
    "name",
    "nickname",
    "zoneinfo",
    "locale",
    "phone_number",
    "email_verified",
    "phone_number_verified",
    "picture",
    "username",
    "status",
    "phone_number_otp_token",
    "phone_number_otp",
    "email_otp_token",
    "email_otp",
    "hone_number_otp_token",
    "Name",
];

/// The claims of each scope (OpenID Connect Core §5.4), of those that the contract has.
const SCOPES: [(&str, &[&str]); 3] = [
    ("profile", &["name", "nickname", "zoneinfo", "locale", "username", "picture"]),
    ("email", &["email", "email_verified"]),
    ("phone", &["phone_number", "phone_number_verified"]),
];

/// Returns the claims that a token may show: those of its application, or, if another provider issued it to a client that
/// is no application of this installation, those that the operator chose for that provider, else those of its scopes.
pub(super) fn visible<'a>(caller: &'a Caller, application: Option<&'a Application>) -> Cow<'a, [String]> {
    match application {
        Some(application) => Cow::Borrowed(&application.claims),
        None if !caller.userinfo_claims().is_empty() => Cow::Borrowed(caller.userinfo_claims()),
        None => {
            let granted = |scope: &str| caller.token().scopes.iter().any(|granted| granted == scope);
            let scopes = SCOPES.into_iter().filter(|(scope, _)| granted(scope));
            scopes.flat_map(|(_, claims)| claims).map(|claim| (*claim).to_owned()).collect()
        }
    }
}

/// Renders `sub` and the claims in `visible`. Claims without a value are left out,
/// never null or empty (OpenID Connect Core §5.3.2). E-mail address and phone number appear only while they are verified,
/// since applications trust claims. Fails with [`Error::Internal`] when attributes that the application may see cannot be
/// read.
pub(super) fn shown(
    subject: &str,
    account: &Account,
    rules: &Rules,
    visible: &[String],
    public_url: &str,
) -> Result<Object, Error> {
    let mut shown = Object::from_iter([("sub", subject)]);
    let may = |claim: &str| visible.iter().any(|known| known == claim);
    let mut add = |claim: &str, value: Option<String>| {
        if let Some(value) = value.filter(|_| may(claim)) {
            shown.insert(claim, value);
        }
    };
    let text = |field| account.text(field).map(str::to_owned);
    add("email", email(account));
    add("name", text(Field::DisplayName));
    add("nickname", text(Field::Nickname));
    add("zoneinfo", zoneinfo(account).map(str::to_owned));
    add("locale", locale(account).map(str::to_owned));
    add("phone_number", phone_number(account));
    if may("email_verified") && email(account).is_some() {
        shown.insert("email_verified", true);
    }
    if may("phone_number_verified") && phone_number(account).is_some() {
        shown.insert("phone_number_verified", true);
    }
    if let Some(username) = text(Field::Username).filter(|name| may("username") && is_username(name)) {
        shown.insert("username", username);
    }
    if let Some(picture) = picture::shown(account, public_url).filter(|_| may("picture")) {
        shown.insert("picture", picture.into_owned());
    }
    let mut custom: Vec<&String> = visible.iter().filter(|claim| !is_own(claim)).collect();
    custom.sort_unstable();
    custom.dedup();
    if custom.is_empty() {
        return Ok(shown);
    }
    let attributes = rules.shown(account.attributes()?);
    for claim in custom {
        if let Some(value) =
            attributes.get(claim).filter(|value| is_defined(claim, rules) && value.as_str() != Some(""))
        {
            shown.insert(claim.as_str(), value.clone());
        }
    }
    Ok(shown)
}

/// Checks whether the tenant's schema defines an attribute; without a schema, none is defined.
fn is_defined(name: &str, rules: &Rules) -> bool {
    matches!(rules, Rules::Schema(schema) if schema.property(name).is_some())
}

/// Checks whether a claim is the contract's own; no attribute can have its name.
fn is_own(claim: &str) -> bool {
    claim == "sub" || CLAIMS.contains(&claim)
}

fn email(account: &Account) -> Option<String> {
    account.text(Field::Email).filter(|_| account.email_verified).map(str::to_owned)
}

/// Returns the verified phone number: a mobile number of mainland China as its eleven digits, any other as it is stored.
fn phone_number(account: &Account) -> Option<String> {
    let stored = account.text(Field::Phone).filter(|_| account.phone_verified)?;
    let national = Phone(stored).e164().and_then(|number| Some(number.strip_prefix(MAINLAND)?.to_owned()));
    Some(national.filter(|digits| Phone(digits).is_mainland_mobile()).unwrap_or_else(|| stored.to_owned()))
}

/// Returns the time zone, if it is a valid one.
pub(super) fn zoneinfo(account: &Account) -> Option<&str> {
    account.text(Field::TimeZone).filter(|zone| is_time_zone(zone))
}

/// Returns the language, if it is a well-formed tag.
pub(super) fn locale(account: &Account) -> Option<&str> {
    account.text(Field::Language).filter(|tag| is_tag(tag))
}

/// Checks for a well-formed language tag (RFC 5646 §2.1).
pub(super) fn is_tag(text: &str) -> bool {
    crate::language::is_well_formed(text)
}

/// Checks for 1 to 32 letters, digits and underscores, the first a letter.
fn is_username(text: &str) -> bool {
    text.len() <= 32
        && text.starts_with(|first: char| first.is_ascii_alphabetic())
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
}
