//! The unique keys that earlier versions made of a phone number.

use super::index;
use crate::account::Phone;
use crate::keys::Keyring;
use crate::store::{OwnedKey, PhoneRecord};

/// Returns the keys that an earlier version may have made of a number, and this one does not: first they were made of the text,
/// unless it had a `+`, and then of a form that did not leave out the `(0)` after a country code.
pub(super) fn keys(keys: &Keyring, record: &PhoneRecord) -> Vec<OwnedKey> {
    let Some(text) = record.phone.as_ref().map(|phone| phone.as_str()) else { return Vec::new() };
    let form = international(text);
    let typed = (form.is_none() || !text.starts_with('+')).then(|| text.to_owned());
    let present = Phone(text).e164();
    let earlier = typed.into_iter().chain(form).filter(|value| Some(value) != present.as_ref());
    let owned = |value: String| OwnedKey {
        tenant: record.tenant,
        unique_key: index(keys, record.tenant, &value),
        owner: record.account,
    };
    earlier.map(owned).collect()
}

/// The form in which versions before this one compared a number with `+`. It must stay as it was.
fn international(text: &str) -> Option<String> {
    let digits: String =
        text.strip_prefix('+')?.chars().filter(|c| !matches!(c, ' ' | '-' | '.' | '(' | ')')).collect();
    let well_formed =
        (2..=15).contains(&digits.len()) && !digits.starts_with('0') && digits.bytes().all(|b| b.is_ascii_digit());
    well_formed.then(|| format!("+{digits}"))
}
