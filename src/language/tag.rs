/// Checks whether a language tag follows the grammar of RFC 5646 §2.1, but not whether its subtags are registered.
pub fn is_well_formed(tag: &str) -> bool {
    oxilangtag::LanguageTag::parse(tag).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tags_of_the_standard_are_well_formed() {
        // RFC 5646, appendix A, and further registered tags.
        for tag in [
            "de",
            "i-enochian",
            "zh-Hant",
            "zh-cmn-Hans-CN",
            "cmn-Hans-CN",
            "zh-yue-HK",
            "sr-Latn-RS",
            "sl-rozaj-biske",
            "de-CH-1901",
            "sl-IT-nedis",
            "hy-Latn-IT-arevela",
            "es-419",
            "de-CH-x-phonebk",
            "az-Arab-x-AZE-derbend",
            "x-whatever",
            "qaa-Qaaa-QM-x-southern",
            "en-US-u-islamcal",
            "zh-CN-a-myext-x-private",
            "en-a-myext-b-another",
            "zh-min-nan",
            "zh-Hant-TW",
            "abcdefgh",
        ] {
            assert!(is_well_formed(tag), "{tag}");
        }
    }

    #[test]
    fn tags_that_break_the_grammar_are_not_well_formed() {
        for tag in [
            "",
            "x",
            "a",
            "en--US",
            "-en",
            "en-",
            "en_US",
            "de-419-DE",
            "a-DE",
            "zh-",
            "en-a",
            "en-x",
            "en-a-b",
            "abcdefghi",
            "1a",
            "en-U",
            "en-\u{e9}\u{e9}",
            "en US",
        ] {
            assert!(!is_well_formed(tag), "{tag}");
        }
    }
}
