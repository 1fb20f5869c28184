use email_address::{EmailAddress, Options};
use icu_normalizer::ComposingNormalizerBorrowed;

use super::{Field, Phone, Text, Unique, is_hidden};

/// The longest e-mail address, in bytes (RFC 5321 §4.5.3.1.3, without the angle brackets).
pub const MAX_EMAIL: usize = 254;

/// The medium that messages are sent through.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Medium {
    /// SMS, to phone numbers.
    Sms,
    /// E-mail, to e-mail addresses.
    Email,
}

impl Medium {
    /// Every medium.
    pub const ALL: [Medium; 2] = [Medium::Sms, Medium::Email];

    /// The name in the database and in the logs.
    pub fn name(self) -> &'static str {
        match self {
            Medium::Sms => "sms",
            Medium::Email => "email",
        }
    }

    /// Makes the contact that this medium reaches at an address.
    pub fn contact(self, text: Text) -> Contact {
        match self {
            Medium::Sms => Contact::Phone(text),
            Medium::Email => Contact::Email(text),
        }
    }
}

/// An address that messages are sent to, as it was typed. Two that compare equal share one unique key; whether they share
/// one mailbox is another question: [`Contact::has_destination_of`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Contact {
    /// A phone number.
    Phone(Text),
    /// An e-mail address.
    Email(Text),
}

impl Contact {
    /// The medium that reaches it.
    pub fn medium(&self) -> Medium {
        match self {
            Contact::Phone(_) => Medium::Sms,
            Contact::Email(_) => Medium::Email,
        }
    }

    /// The account field that stores it.
    pub fn field(&self) -> Field {
        match self {
            Contact::Phone(_) => Field::Phone,
            Contact::Email(_) => Field::Email,
        }
    }

    /// The kind of its unique key, once it is proved.
    pub fn unique(&self) -> Unique {
        match self {
            Contact::Phone(_) => Unique::Phone,
            Contact::Email(_) => Unique::Email,
        }
    }

    /// The address as it was typed.
    pub fn text(&self) -> &Text {
        match self {
            Contact::Phone(text) | Contact::Email(text) => text,
        }
    }

    /// The form in which addresses are compared.
    pub fn comparable(&self) -> String {
        match self {
            Contact::Phone(text) => Phone(text.as_str()).comparable().into_owned(),
            Contact::Email(text) => Email(text.as_str()).folded(),
        }
    }

    /// Whether messages to both reach the same phone number or the same mailbox: phone numbers with the same E.164 form (or
    /// the same text, if they have none), or e-mail addresses that differ only in ASCII case. Mail servers do not fold as
    /// [`Email::folded`] does: an address with U+212A KELVIN SIGN and one with `k` can be the mailboxes of two people.
    pub fn has_destination_of(&self, other: &Contact) -> bool {
        match (self, other) {
            (Contact::Phone(one), Contact::Phone(other)) => {
                Phone(one.as_str()).comparable() == Phone(other.as_str()).comparable()
            }
            (Contact::Email(one), Contact::Email(other)) => one.as_str().eq_ignore_ascii_case(other.as_str()),
            (Contact::Phone(_), Contact::Email(_)) | (Contact::Email(_), Contact::Phone(_)) => false,
        }
    }
}

/// A view of the text of an e-mail address, stored or not.
#[derive(Clone, Copy)]
pub struct Email<'a>(pub &'a str);

impl Email<'_> {
    /// The form in which addresses are compared: the whole address in Unicode NFC and lower case, the domain in its IDNA
    /// (UTS 46) ASCII form if it has one.
    pub fn folded(&self) -> String {
        let fold = |text: &str| {
            let normalizer = ComposingNormalizerBorrowed::new_nfc();
            normalizer.normalize(&normalizer.normalize(text).to_lowercase()).into_owned()
        };
        match self.0.rsplit_once('@') {
            Some((local, domain)) => {
                let domain = idna::domain_to_ascii(domain).unwrap_or_else(|_| fold(domain));
                format!("{}@{domain}", fold(local))
            }
            None => fold(self.0),
        }
    }

    /// Whether it is one address that mail can be sent to (RFC 5321 §4.1.2, RFC 6531 §3.3): at most 254 bytes, a local part
    /// without quotes, a domain that is a host name of at least two labels (RFC 1123 §2.1), and no character that is not
    /// seen: an address with one looks like another address.
    pub fn is_well_formed(&self) -> bool {
        let options = Options::default().with_required_tld().without_domain_literal().without_display_text();
        let plain = |text: &str| !text.contains(|c: char| c.is_whitespace() || is_hidden(c) || c == '"');
        let is_host = |domain: &str| {
            let labels = idna::domain_to_ascii_strict(domain).unwrap_or_default();
            labels.len() <= 253 && labels.contains('.') && !labels.ends_with('.')
        };
        self.0.len() <= MAX_EMAIL
            && plain(self.0)
            && EmailAddress::parse_with_options(self.0, options).is_ok()
            && self.0.rsplit_once('@').is_some_and(|(_, domain)| is_host(domain))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_that_differ_in_case_composition_or_domain_spelling_compare_equal() {
        assert_eq!(Email("Jane@EXAMPLE.com").folded(), "jane@example.com");
        assert_eq!(Email("jose\u{301}@example.com").folded(), Email("JOSÉ@example.com").folded());
        assert_eq!(Email("a@bücher.example").folded(), Email("A@xn--bcher-kva.EXAMPLE").folded());
        assert_eq!(Email("not an address").folded(), "not an address");
    }

    #[test]
    fn only_addresses_that_differ_in_ascii_case_and_equal_numbers_share_a_destination() {
        let contact = |medium: Medium, text: &str| medium.contact(Text::new(text).unwrap());
        let same = |medium: Medium, one: &str, other: &str| {
            let (one, other) = (contact(medium, one), contact(medium, other));
            assert_eq!(one.comparable(), other.comparable());
            one.has_destination_of(&other)
        };
        assert!(same(Medium::Email, "Jane@EXAMPLE.com", "jane@example.com"));
        for (one, other) in [
            ("\u{212a}im@example.org", "kim@example.org"),
            ("stra\u{1e9e}e@example.org", "stra\u{df}e@example.org"),
            ("\u{c9}va@example.org", "\u{e9}va@example.org"),
            ("jose\u{301}@example.org", "jos\u{e9}@example.org"),
        ] {
            assert!(!same(Medium::Email, one, other), "{one}");
        }
        assert!(same(Medium::Sms, "+86 138-0013-8000", "+8613800138000"));
        let number = contact(Medium::Sms, "jane@example.com");
        assert!(!number.has_destination_of(&contact(Medium::Email, "jane@example.com")));
    }

    #[test]
    fn only_deliverable_addresses_are_well_formed() {
        let long = format!("{}@{}.example", "a".repeat(64), "b".repeat(60));
        for address in ["jane@example.com", "j.a+n_e@sub.example.co", "jos\u{e9}@b\u{fc}cher.example", &long] {
            assert!(Email(address).is_well_formed(), "{address}");
        }
        let too_long = format!("a@{}example", "b".repeat(50).repeat(5));
        for address in [
            "",
            "jane",
            "@example.com",
            "jane@",
            "jane@localhost",
            "jane@example..com",
            "jane@-example.com",
            "jane@exa_mple.com",
            "jane@example.com.",
            "jane@[127.0.0.1]",
            "jane@example.com, jo@example.com",
            "jane@example.com,jo@example.com",
            "Jane <jane@example.com>",
            "<jane@example.com>",
            "jane@example.com\r\nBcc: jo@example.com",
            "jane\n@example.com",
            "\"a b\"@example.com",
            "jane doe@example.com",
            " jane@example.com",
            "ja..ne@example.com",
            "jane@exam\u{0}ple.com",
            "jane\u{200b}@example.com",
            "\u{feff}jane@example.com",
            "jane@exam\u{ad}ple.com",
            "jane@example.com\u{2060}",
            &too_long,
        ] {
            assert!(!Email(address).is_well_formed(), "{address}");
        }
    }
}
