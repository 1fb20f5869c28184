//! Strict parsing of a line, which collects all its errors.

use jiff::Timestamp;

use super::line;
use crate::account::{Account, AccountId, Edit, Field, Patch, Phone, Portal, Status, Tenant, Text, Texts};
use crate::json::{self, MAX_DEPTH, Object, Value};
use crate::picture;
use crate::store::Identity;

/// The highest number: the last integer that every JSON parser represents exactly (RFC 8259, section 6).
const MAX_NUMBER: i64 = (1 << 53) - 1;
/// The most identities of one account.
const MAX_IDENTITIES: usize = 32;
/// The most unknown members that are named in errors.
const MAX_UNKNOWN: usize = 8;
/// The least similarity, from 0 to 1, at which a known member is suggested for an unknown one.
const LIKE: f64 = 0.5;
/// The most characters shown of an unknown name.
const MAX_SHOWN: usize = 40;

/// The account that a line describes.
///
/// A member that the system can assign (an `Option` that is not a field) is assigned by it if absent.
#[derive(Debug, PartialEq)]
pub(super) struct Draft {
    pub(super) id: AccountId,
    pub(super) number: Option<i64>,
    biz_id: Option<String>,
    pub(super) tenant: String,
    portal: Option<Portal>,
    status: Status,
    texts: Texts,
    email_verified: bool,
    phone_verified: bool,
    authenticated: bool,
    auth_valid_until: Option<Timestamp>,
    /// Sorted by issuer and subject.
    pub(super) identities: Vec<Identity>,
    created_at: Option<Timestamp>,
    updated_at: Option<Timestamp>,
}

impl Draft {
    /// Parses a line, or returns all its errors; `public_url` is the origin of this installation's own pictures.
    pub(super) fn read(line: &[u8], public_url: &str) -> Result<Draft, Vec<String>> {
        // Attributes may be as deep as a whole document, and are one level down in a line.
        let value = json::parse_within(line, MAX_DEPTH + 1).map_err(|malformed| vec![malformed.to_string()])?;
        let members =
            value.into_object().map_err(|other| vec![format!("expected an object, found {}", found(&other))])?;
        let mut reader = Reader { members, faults: Vec::new() };
        let id = reader.required(line::ID, id);
        let number = reader.optional(line::NUMBER, number);
        let biz_id = reader.optional(line::BIZ_ID, |value| Ok(text(value)?.as_str().to_owned()));
        let tenant = reader.required(line::TENANT, string);
        let portal = reader.optional(line::PORTAL, |value| string(value)?.parse());
        let status = reader.optional(line::STATUS, |value| string(value)?.parse()).unwrap_or(Status::Active);
        let mut texts = Texts::default();
        for field in Field::ALL {
            texts[field] = reader.optional(field.name(), |value| match field {
                Field::Attributes => attributes(value),
                Field::Picture => picture(value, public_url),
                field => {
                    let text = text(value)?;
                    field.check(text.as_str()).map(|()| text).map_err(|rule| rule.to_string())
                }
            });
        }
        let email_verified = reader.verified(line::EMAIL_VERIFIED, Field::Email, &texts);
        let phone_verified = reader.verified(line::PHONE_VERIFIED, Field::Phone, &texts);
        let authenticated = reader.optional(line::AUTHENTICATED, truth).unwrap_or(true);
        let auth_valid_until = reader.optional(line::AUTH_VALID_UNTIL, moment);
        let identities = reader.optional(line::IDENTITIES, identities).unwrap_or_default();
        let created_at = reader.optional(line::CREATED_AT, moment);
        let updated_at = reader.optional(line::UPDATED_AT, moment);
        if updated_at.zip(created_at).is_some_and(|(updated, created)| updated < created) {
            reader.faults.push(format!("{}: lies before {}", line::UPDATED_AT, line::CREATED_AT));
        }
        reader.refuse_others();
        match (id, tenant) {
            (Some(id), Some(tenant)) if reader.faults.is_empty() => Ok(Draft {
                id,
                number,
                biz_id,
                tenant,
                portal,
                status,
                texts,
                email_verified,
                phone_verified,
                authenticated,
                auth_valid_until,
                identities,
                created_at,
                updated_at,
            }),
            _ => Err(reader.faults),
        }
    }

    /// Returns the new account without its fields, and the patch that sets them.
    pub(super) fn account(&self, tenant: &Tenant, number: i64, now: Timestamp) -> (Account, Patch) {
        // Without `created_at`, the account was created at the latest when it was last updated.
        let created_at = self.created_at.or(self.updated_at).unwrap_or(now);
        let mut account = Account::new(self.id, number, self.biz_id.clone(), tenant, created_at);
        account.updated_at = self.updated_at.unwrap_or(created_at);
        let mut patch = Patch {
            status: Some(self.status),
            portal: self.portal,
            email_verified: Some(self.email_verified),
            phone_verified: Some(self.phone_verified),
            authenticated: Some(self.authenticated),
            auth_valid_until: self.auth_valid_until.map_or(Edit::Keep, Edit::Set),
            ..Patch::default()
        };
        for field in Field::ALL {
            patch.edit(field, self.texts[field].clone().map_or(Edit::Keep, Edit::Set));
        }
        (account, patch)
    }

    /// Returns the members in which an existing account differs; its identities must be sorted by issuer and subject.
    pub(super) fn differences(&self, account: &Account, identities: &[Identity], tenant: &Tenant) -> Vec<&'static str> {
        let texts = Field::ALL
            .into_iter()
            .map(|field| (field.name(), self.texts[field].as_ref().map(Text::as_str) == account.text(field)));
        let others = [
            (line::NUMBER, self.number.is_none_or(|number| number == account.number)),
            (line::BIZ_ID, self.biz_id.as_ref().is_none_or(|biz_id| *biz_id == account.biz_id)),
            (line::TENANT, tenant.id == account.tenant_id),
            (line::PORTAL, self.portal.is_none_or(|portal| portal == account.portal)),
            (line::STATUS, self.status == account.status),
            (line::EMAIL_VERIFIED, self.email_verified == account.email_verified),
            (line::PHONE_VERIFIED, self.phone_verified == account.phone_verified),
            (line::AUTHENTICATED, self.authenticated == account.authenticated),
            (line::AUTH_VALID_UNTIL, self.auth_valid_until == account.auth_valid_until),
            (line::IDENTITIES, self.identities == identities),
            (line::CREATED_AT, self.created_at.is_none_or(|at| at == account.created_at)),
            (line::UPDATED_AT, self.updated_at.is_none_or(|at| at == account.updated_at)),
        ];
        texts.chain(others).filter(|(_, same)| !same).map(|(name, _)| name).collect()
    }
}

/// Takes members from a line and collects their errors.
struct Reader {
    members: Object,
    faults: Vec<String>,
}

impl Reader {
    /// Reads a member; `null` counts as absent.
    fn optional<T>(&mut self, name: &str, read: impl FnOnce(Value) -> Result<T, String>) -> Option<T> {
        let value = self.members.remove(name).filter(|value| *value != Value::Null)?;
        read(value).map_err(|reason| self.faults.push(format!("{name}: {reason}"))).ok()
    }

    fn required<T>(&mut self, name: &str, read: impl FnOnce(Value) -> Result<T, String>) -> Option<T> {
        if self.members.get(name).is_none_or(|value| *value == Value::Null) {
            self.faults.push(format!("{name}: must be there"));
        }
        self.optional(name, read)
    }

    /// Reads whether a field is verified, which requires a value. A malformed e-mail address is an error by itself.
    fn verified(&mut self, name: &str, field: Field, texts: &Texts) -> bool {
        let proved = self.optional(name, truth).unwrap_or(false);
        match &texts[field] {
            None if proved => self.faults.push(format!("{name}: must not be true without {}", field.name())),
            Some(text) if proved && field == Field::Phone && Phone(text.as_str()).e164().is_none() => {
                self.faults.push(format!("{name}: must not be true without a number such as +14155550123 (E.164)"));
            }
            _ => {}
        }
        proved
    }

    fn refuse_others(&mut self) {
        for (name, _) in self.members.iter().take(MAX_UNKNOWN) {
            let shown: String = name.chars().take(MAX_SHOWN).collect();
            let likeness = |known: &&str| strsim::normalized_damerau_levenshtein(known, name);
            let nearest = line::members().max_by(|a, b| likeness(a).total_cmp(&likeness(b)));
            self.faults.push(match nearest.filter(|nearest| likeness(nearest) >= LIKE) {
                Some(nearest) => format!("unknown member {shown:?}; the nearest is {nearest:?}"),
                None => format!("unknown member {shown:?}"),
            });
        }
        if let Some(more @ 1..) = self.members.len().checked_sub(MAX_UNKNOWN) {
            self.faults.push(format!("{more} more unknown members"));
        }
    }
}

fn found(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "true or false",
        Value::Number(_) => "a number",
        Value::String(_) => "a string",
        Value::Array(_) => "an array",
        Value::Object(_) => "an object",
    }
}

fn string(value: Value) -> Result<String, String> {
    match value {
        Value::String(text) => Ok(text),
        other => Err(format!("expected a string, found {}", found(&other))),
    }
}

fn text(value: Value) -> Result<Text, String> {
    Text::new(string(value)?).map_err(|error| error.to_string())
}

fn truth(value: Value) -> Result<bool, String> {
    match value {
        Value::Bool(truth) => Ok(truth),
        other => Err(format!("expected true or false, found {}", found(&other))),
    }
}

fn id(value: Value) -> Result<AccountId, String> {
    let id = string(value)?.parse().ok().filter(|AccountId(id)| !id.is_nil());
    id.ok_or_else(|| "expected a UUID such as 0197f0c2-7d51-7c3e-9a44-2f1be6a0d35c".to_owned())
}

fn number(value: Value) -> Result<i64, String> {
    let number = match &value {
        Value::Number(number) => number.as_str().parse().ok().filter(|number| (1..=MAX_NUMBER).contains(number)),
        _ => None,
    };
    number.ok_or_else(|| format!("expected a whole number from 1 to {MAX_NUMBER}"))
}

/// Parses a timestamp (RFC 3339), truncated to the microsecond, the precision of both databases.
fn moment(value: Value) -> Result<Timestamp, String> {
    let moment: Option<Timestamp> = string(value)?.parse().ok();
    let kept = moment.and_then(|moment| Timestamp::from_microsecond(moment.as_microsecond()).ok());
    kept.ok_or_else(|| "expected a moment such as 2027-01-01T00:00:00Z".to_owned())
}

fn picture(value: Value, public_url: &str) -> Result<Text, String> {
    let text = text(value)?;
    picture::check(text.as_str(), public_url).map(|()| text).map_err(str::to_owned)
}

fn attributes(value: Value) -> Result<Text, String> {
    if !matches!(value, Value::Object(_)) {
        return Err(format!("expected an object, found {}", found(&value)));
    }
    if value.contains_nul() {
        return Err("must not contain NUL".to_owned());
    }
    // A deeper line was already refused as malformed.
    Text::new(value.to_text()).map_err(|error| error.to_string())
}

fn identities(value: Value) -> Result<Vec<Identity>, String> {
    const EXPECTED: &str = r#"expected an array of {"issuer": …, "subject": …}"#;
    let Value::Array(items) = value else { return Err(EXPECTED.to_owned()) };
    if items.len() > MAX_IDENTITIES {
        return Err(format!("must be at most {MAX_IDENTITIES}"));
    }
    let mut identities = Vec::new();
    for item in items {
        let mut item = item.into_object().map_err(|_| EXPECTED)?;
        let mut part =
            |name: &str| text(item.remove(name).ok_or(EXPECTED)?).map_err(|reason| format!("{name} {reason}"));
        let (issuer, subject) = (part("issuer")?, part("subject")?);
        if !item.is_empty() {
            return Err(EXPECTED.to_owned());
        }
        identities.push(Identity { issuer: issuer.as_str().to_owned(), subject: subject.as_str().to_owned() });
    }
    sort(&mut identities);
    match identities.windows(2).any(|pair| pair[0] == pair[1]) {
        true => Err("names one twice".to_owned()),
        false => Ok(identities),
    }
}

/// Sorts by issuer and subject: the same order in every installation.
pub(super) fn sort(identities: &mut [Identity]) {
    identities.sort_by(|a, b| (&a.issuer, &a.subject).cmp(&(&b.issuer, &b.subject)));
}
