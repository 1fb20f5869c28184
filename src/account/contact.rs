use std::borrow::Cow;

use icu_normalizer::ComposingNormalizerBorrowed;

/// A view on a stored e-mail address.
#[derive(Clone, Copy)]
pub struct Email<'a>(pub &'a str);

impl Email<'_> {
    /// The form in which addresses compare: the whole address in Unicode NFC and lower case, the domain in its IDNA
    /// (UTS 46) ASCII form where it has one.
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
}

/// A view on a stored phone number.
#[derive(Clone, Copy)]
pub struct Phone<'a>(pub &'a str);

impl<'a> Phone<'a> {
    /// The number in E.164 form (`+` and at most 15 digits), when it starts with `+` and is nothing but digits and the
    /// separators that people type. Only the shape is checked: published example numbers are not assigned ones.
    pub fn e164(&self) -> Option<String> {
        let digits: String =
            self.0.strip_prefix('+')?.chars().filter(|c| !matches!(c, ' ' | '-' | '.' | '(' | ')')).collect();
        let well_formed =
            (2..=15).contains(&digits.len()) && !digits.starts_with('0') && digits.bytes().all(|b| b.is_ascii_digit());
        well_formed.then(|| format!("+{digits}"))
    }

    /// The form in which numbers compare: E.164 where there is one, else as typed.
    pub fn comparable(&self) -> Cow<'a, str> {
        self.e164().map_or(Cow::Borrowed(self.0), Cow::Owned)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_that_differ_in_case_composition_or_domain_spelling_are_one() {
        assert_eq!(Email("Jane@EXAMPLE.com").folded(), "jane@example.com");
        assert_eq!(Email("jose\u{301}@example.com").folded(), Email("JOSÉ@example.com").folded());
        assert_eq!(Email("a@bücher.example").folded(), Email("A@xn--bcher-kva.EXAMPLE").folded());
        assert_eq!(Email("not an address").folded(), "not an address");
    }

    #[test]
    fn numbers_compare_in_e164_where_they_start_with_a_plus() {
        assert_eq!(Phone("+1 (987) 654-321").comparable(), "+1987654321");
        assert_eq!(Phone("1987654321").comparable(), "1987654321");
        assert_eq!(Phone("abc").comparable(), "abc");
        assert_eq!(Phone("+0123").e164(), None);
        assert_eq!(Phone("+1234567890123456").e164(), None);
    }
}
