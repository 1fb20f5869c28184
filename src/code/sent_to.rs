//! The address that a code was sent to, sealed beside the code. The code proves this address, never one that a client
//! typed.

use uuid::Uuid;

use crate::account::{Contact, Medium, Text};
use crate::keys::SealingKey;

/// Seals the address, bound to the code that was sent to it. The nonce must be random.
pub(super) fn seal(key: &SealingKey, nonce: [u8; 12], code: Uuid, contact: &Contact) -> Vec<u8> {
    key.seal(nonce, &additional_data(code), contact.text().as_str().as_bytes())
}

/// Opens the address of a code; `None` if it was sealed for another code, or is not a valid [`Text`].
pub(super) fn open(key: &SealingKey, code: Uuid, medium: Medium, sealed: &[u8]) -> Option<Contact> {
    opened(key, &additional_data(code), medium, sealed)
}

/// Seals the address that a proved one replaces, bound to the code that proves it. The nonce must be random.
pub(super) fn seal_previous(key: &SealingKey, nonce: [u8; 12], code: Uuid, contact: &Contact) -> Vec<u8> {
    key.seal(nonce, &previous_data(code), contact.text().as_str().as_bytes())
}

/// Opens the address that a proved one replaced, as [`open`] does.
pub(super) fn open_previous(key: &SealingKey, code: Uuid, medium: Medium, sealed: &[u8]) -> Option<Contact> {
    opened(key, &previous_data(code), medium, sealed)
}

fn opened(key: &SealingKey, additional_data: &[u8], medium: Medium, sealed: &[u8]) -> Option<Contact> {
    let plain = key.open(additional_data, sealed).ok()?;
    let text = Text::new(String::from_utf8(plain).ok()?).ok()?;
    Some(medium.contact(text))
}

/// Returns what the address is bound to. The label keeps addresses and notices apart, which the same key seals: a notice is
/// bound to its identifier alone.
fn additional_data(code: Uuid) -> Vec<u8> {
    [b"one-time code: contact".as_slice(), code.as_bytes()].concat()
}

fn previous_data(code: Uuid) -> Vec<u8> {
    [b"one-time code: previous contact".as_slice(), code.as_bytes()].concat()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_opens_only_with_its_own_code() {
        let key = SealingKey::new(&[1; 32]);
        let (code, other) = (Uuid::from_u128(1), Uuid::from_u128(2));
        let contact = Medium::Email.contact(Text::new("\u{212a}im@example.org").unwrap());
        let sealed = seal(&key, [9; 12], code, &contact);
        assert_eq!(open(&key, code, Medium::Email, &sealed), Some(contact.clone()));
        assert_eq!(open(&key, other, Medium::Email, &sealed), None);
        assert_eq!(open(&SealingKey::new(&[2; 32]), code, Medium::Email, &sealed), None);
        let previous = seal_previous(&key, [9; 12], code, &contact);
        assert_eq!(open_previous(&key, code, Medium::Email, &previous), open(&key, code, Medium::Email, &sealed));
        assert_eq!(open(&key, code, Medium::Email, &previous), None);
        let notice = key.seal([9; 12], code.as_bytes(), b"kim@example.org");
        assert_eq!(open(&key, code, Medium::Email, &notice), None);
    }
}
