//! Request and response bodies.

use jiff::Timestamp;
use serde::Serialize;
use utoipa::ToSchema;

use super::member;
use crate::account::{Account, Contact, Edit, Error, Fault, Field, Patch, Phone, Rule, Text, is_blank};
use crate::app::App;
use crate::json::{Object, Value};

/// The longest name, in Unicode scalar values.
pub(super) const MAX_NAME: usize = 75;
/// The longest display name that is filled in from the parts: the limit of the other contracts.
const MAX_DISPLAY_NAME: usize = 126;
/// The longest phone number, in Unicode scalar values: the limit of the other contracts, and of imports.
pub(super) const MAX_PHONE: usize = 25;
/// The longest push token, in Unicode scalar values.
pub(super) const MAX_PUSH_TOKEN: usize = 4096;

pub(super) const ID: &str = "id";
pub(super) const FIRST_NAME: &str = "firstName";
pub(super) const LAST_NAME: &str = "lastName";
pub(super) const PHONE_NUMBER: &str = "phoneNumber";
pub(super) const PUSH_TOKEN: &str = "pushToken";
const KNOWN: [&str; 5] = [ID, FIRST_NAME, LAST_NAME, PHONE_NUMBER, PUSH_TOKEN];

/// A request's body, not yet checked against an account.
pub(super) struct UpdateRequest(Object);

impl UpdateRequest {
    /// Takes the members of a body that [`is_known`].
    pub(super) fn new(members: Object) -> UpdateRequest {
        UpdateRequest(members)
    }

    /// Returns the `id` of the user to change; an absent, null or empty one is `None`.
    pub(super) fn id(&self) -> Result<Option<&str>, Error> {
        match member(&self.0, ID) {
            None | Some(Value::Null) => Ok(None),
            Some(Value::String(id)) if id.contains('\0') => Err(id_fault(Rule::NoControlCharacters)),
            Some(Value::String(id)) => Ok(Some(id.as_str()).filter(|id| !id.is_empty())),
            Some(_) => Err(id_fault(Rule::Text)),
        }
    }

    /// Builds the patch for an account. Every error of every field is reported at once; whether another account has proved
    /// the phone number is checked only when there are none.
    pub(super) async fn patch(&self, app: &App, account: &Account) -> Result<Patch, Error> {
        let mut reading = Reading { object: &self.0, faults: Vec::new() };
        let first = reading.name(FIRST_NAME, account.text(Field::GivenName));
        let last = reading.name(LAST_NAME, account.text(Field::FamilyName));
        let phone = reading.optional(PHONE_NUMBER, account.text(Field::Phone), phone_rule);
        let push_token = reading.optional(PUSH_TOKEN, None, |text| max_length(text, MAX_PUSH_TOKEN));
        let (Some(first), Some(last), true) = (first, last, reading.faults.is_empty()) else {
            return Err(Error::Fields(reading.faults));
        };
        if let Edit::Set(number) = &phone
            && app.profiles().is_taken(account, &Contact::Phone(number.clone())).await?
        {
            let rule = Rule::Registered(number.as_str().to_owned());
            return Err(Error::Fields(vec![Fault { field: PHONE_NUMBER.into(), rule }]));
        }
        let mut patch = Patch::default();
        // Names that stay as they are fill nothing: clients send back what they were shown.
        if account.text(Field::GivenName) != Some(first.as_str())
            || account.text(Field::FamilyName) != Some(last.as_str())
        {
            patch.edit(Field::DisplayName, display_name(&first, &last));
        }
        patch.edit(Field::GivenName, Edit::Set(first));
        patch.edit(Field::FamilyName, Edit::Set(last));
        patch.edit(Field::Phone, phone);
        patch.edit(Field::PushToken, push_token);
        Ok(patch)
    }
}

/// Checks whether the contract reads a member of this name, in any case.
pub(super) fn is_known(name: &str) -> bool {
    KNOWN.iter().any(|known| known.eq_ignore_ascii_case(name))
}

/// Returns an error about the identifier alone: without the account, the other members cannot be checked.
pub(super) fn id_fault(rule: Rule) -> Error {
    Error::Fields(vec![Fault { field: ID.into(), rule }])
}

/// Reads members and collects their errors.
struct Reading<'a> {
    object: &'a Object,
    faults: Vec<Fault>,
}

impl Reading<'_> {
    /// Reads a name, which is required and must not be blank.
    fn name(&mut self, field: &'static str, shown: Option<&str>) -> Option<Text> {
        let read = match member(self.object, field) {
            None | Some(Value::Null) => Err(Rule::Required),
            Some(Value::String(text)) if text.contains('\0') => Err(Rule::NoControlCharacters),
            Some(Value::String(text)) if is_blank(text) => Err(Rule::Required),
            Some(Value::String(text)) if Some(text.as_str()) == shown => stored(text),
            Some(Value::String(text)) => stored(text).and_then(|name| max_length(text, MAX_NAME).map(|()| name)),
            Some(_) => Err(Rule::Text),
        };
        read.map_err(|rule| self.faults.push(Fault { field: field.into(), rule })).ok()
    }

    /// Reads an optional value: absence keeps it, null or the empty string erases it.
    fn optional(
        &mut self,
        field: &'static str,
        shown: Option<&str>,
        check: impl FnOnce(&str) -> Result<(), Rule>,
    ) -> Edit<Text> {
        let read = match member(self.object, field) {
            None => Ok(Edit::Keep),
            Some(Value::Null) => Ok(Edit::Clear),
            Some(Value::String(text)) if text.is_empty() => Ok(Edit::Clear),
            Some(Value::String(text)) if Some(text.as_str()) == shown => Ok(Edit::Keep),
            Some(Value::String(text)) => stored(text).and_then(|value| check(text).map(|()| Edit::Set(value))),
            Some(_) => Err(Rule::Text),
        };
        read.unwrap_or_else(|rule| {
            self.faults.push(Fault { field: field.into(), rule });
            Edit::Keep
        })
    }
}

fn stored(text: &str) -> Result<Text, Rule> {
    Text::new(text).map_err(|_| if text.contains('\0') { Rule::NoControlCharacters } else { Rule::MaxLength(MAX_NAME) })
}

fn max_length(text: &str, max: usize) -> Result<(), Rule> {
    if text.chars().count() > max { Err(Rule::MaxLength(max)) } else { Ok(()) }
}

/// Checks for an optional `+` and 7 to 15 ASCII digits, the first of which is not 0, or a text of at most [`MAX_PHONE`]
/// characters that has an E.164 form with as many digits.
fn phone_rule(text: &str) -> Result<(), Rule> {
    let is_number = |text: &str| {
        let digits = text.strip_prefix('+').unwrap_or(text).as_bytes();
        (7..=15).contains(&digits.len()) && digits.iter().all(u8::is_ascii_digit) && digits[0] != b'0'
    };
    let is_pasted =
        || max_length(text, MAX_PHONE).is_ok() && Phone(text).e164().is_some_and(|number| is_number(&number));
    if is_number(text) || is_pasted() { Ok(()) } else { Err(Rule::PhoneNumber) }
}

/// Fills an unset display name from the name's parts; any other display name is kept.
fn display_name(first: &Text, last: &Text) -> Edit<Text> {
    let whole: String = format!("{} {}", first.as_str(), last.as_str()).chars().take(MAX_DISPLAY_NAME).collect();
    Text::new(whole).map_or(Edit::Keep, Edit::Fill)
}

/// A user, its members in the contract's order; unset ones are null.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct User<'a> {
    #[schema(value_type = uuid::Uuid)]
    id: String,
    #[schema(required)]
    user_name: Option<&'a str>,
    #[schema(required)]
    first_name: Option<&'a str>,
    #[schema(required)]
    last_name: Option<&'a str>,
    #[schema(required)]
    email: Option<&'a str>,
    email_confirmed: bool,
    authenticated: bool,
    #[schema(required, format = DateTime, pattern = r"^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}\.[0-9]{3}Z$")]
    auth_valid_upto: Option<String>,
    #[schema(required)]
    auth_location: Option<&'a str>,
    #[schema(required)]
    phone_number: Option<&'a str>,
    #[schema(required)]
    wallet_address: Option<&'a str>,
}

/// Renders an account.
pub(super) fn user(account: &Account) -> User<'_> {
    User {
        id: account.id.to_string(),
        user_name: account.text(Field::Username),
        first_name: account.text(Field::GivenName),
        last_name: account.text(Field::FamilyName),
        email: account.text(Field::Email),
        email_confirmed: account.email_verified,
        authenticated: account.authenticated,
        auth_valid_upto: account.auth_valid_until.map(milliseconds),
        auth_location: account.text(Field::AuthLocation),
        phone_number: account.text(Field::Phone),
        wallet_address: account.text(Field::WalletAddress),
    }
}

/// Formats a time in UTC with milliseconds, `2024-11-05T19:42:26.587Z`.
fn milliseconds(moment: Timestamp) -> String {
    moment.strftime("%Y-%m-%dT%H:%M:%S.%3fZ").to_string()
}
