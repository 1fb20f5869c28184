//! Negotiates the language of a response from `Accept-Language` (RFC 9110 §12.5.4).

use icu_locale::subtags::{language, script};
use icu_locale::{LanguageIdentifier, LocaleExpander};

use super::Language;

/// The most ranges read of one request; people list a handful, and more are not worth the work.
const MAX_RANGES: usize = 32;

/// A weight in thousandths, exact, as a weight has at most three decimals; a malformed one is the lowest.
#[derive(Clone, Copy, PartialEq, PartialOrd)]
enum Quality {
    /// Less than every well-formed weight but 0.
    Lowest,
    Thousandths(u16),
}

const FULL_QUALITY: u16 = 1000;
/// The languages that are written as Chinese is (ISO 639-3, macrolanguage `zho`), besides `zh` itself.
const CHINESE: [&str; 14] =
    ["cmn", "yue", "nan", "hak", "wuu", "gan", "hsn", "cdo", "cjy", "cpx", "czh", "czo", "lzh", "mnp"];

impl Language {
    /// Returns the language to respond in, from all `Accept-Language` field lines in order of arrival.
    ///
    /// Several lines count as one list. Among the ranges that name a supported language, the one with the highest
    /// weight wins, and of equal ones the first; a malformed weight (RFC 9110 §12.4.2) is the lowest. Ranges with weight 0,
    /// `*` (RFC 4647 §3.4), and ranges after the 32nd are ignored. Without a match it is English.
    pub fn negotiate<'a>(field_lines: impl IntoIterator<Item = &'a [u8]>) -> Self {
        field_lines
            .into_iter()
            .flat_map(|line| line.split(|&byte| byte == b','))
            .map(<[u8]>::trim_ascii)
            .filter(|element| !element.is_empty())
            .take(MAX_RANGES)
            .filter_map(accepted)
            .reduce(|best, next| if next.1 > best.1 { next } else { best })
            .map_or(Self::English, |(language, _)| language)
    }

    /// Returns the supported language that a tag (BCP 47) names, if any.
    pub fn of_tag(tag: &str) -> Option<Self> {
        supported(tag.as_bytes())
    }
}

/// Returns the supported language that a list element accepts, with its weight.
fn accepted(element: &[u8]) -> Option<(Language, Quality)> {
    let mut parts = element.splitn(2, |&byte| byte == b';').map(<[u8]>::trim_ascii);
    let language = supported(parts.next()?)?;
    let quality = match parts.next() {
        None => Quality::Thousandths(FULL_QUALITY),
        Some(parameter) => weight(parameter).map_or(Quality::Lowest, Quality::Thousandths),
    };
    (quality != Quality::Thousandths(0)).then_some((language, quality))
}

/// Returns the supported language that a range names, with hyphens or, as some systems write it, underscores. Only the
/// language counts, and for Chinese the script, which is the likely one (CLDR) if it is not named.
fn supported(range: &[u8]) -> Option<Language> {
    let range: Vec<u8> = range.iter().map(|byte| if *byte == b'_' { b'-' } else { *byte }).collect();
    // `*` is not a language tag, so it is skipped here, as RFC 4647 §3.4 requires.
    let tag = LanguageIdentifier::try_from_locale_bytes(&range).ok()?;
    match tag.language.as_str() {
        "en" => Some(Language::English),
        "ja" => Some(Language::Japanese),
        "vi" => Some(Language::Vietnamese),
        language if language == "zh" || CHINESE.contains(&language) => Some(in_script(tag)),
        _ => None,
    }
}

/// Returns the Chinese of a tag's script, or of the one that is likely for its language and region. Truncating `zh-TW` to
/// `zh` would select Simplified characters for Taiwan.
fn in_script(mut tag: LanguageIdentifier) -> Language {
    // The expander is a few references to compiled-in data, so keeping one saves nothing.
    let expander = LocaleExpander::new_common();
    expander.maximize(&mut tag);
    if tag.script.is_none() {
        // A language that the data does not have is written as Chinese is in its region.
        tag.language = language!("zh");
        expander.maximize(&mut tag);
    }
    if tag.script == Some(script!("Hant")) { Language::TraditionalChinese } else { Language::Chinese }
}

/// Parses `q=` and a number from 0 to 1 with at most three decimals (RFC 9110 §12.4.2).
fn weight(parameter: &[u8]) -> Option<u16> {
    let [b'q' | b'Q', b'=', whole @ (b'0' | b'1'), fraction @ ..] = parameter else {
        return None;
    };
    let decimals = match fraction {
        [] => fraction,
        [b'.', decimals @ ..] if decimals.len() <= 3 && decimals.iter().all(u8::is_ascii_digit) => decimals,
        _ => return None,
    };
    let thousandths: u16 =
        [100, 10, 1].iter().zip(decimals).map(|(place, digit)| place * u16::from(digit - b'0')).sum();
    let quality = u16::from(whole - b'0') * FULL_QUALITY + thousandths;
    (quality <= FULL_QUALITY).then_some(quality)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn negotiate(lines: &[&str]) -> &'static str {
        Language::negotiate(lines.iter().map(|line| line.as_bytes())).tag()
    }

    #[track_caller]
    fn assert_each(rows: &[(&str, &str)]) {
        for (line, expected) in rows {
            assert_eq!(negotiate(&[line]), *expected, "Accept-Language: {line}");
        }
    }

    #[test]
    fn a_request_without_a_supported_language_is_answered_in_english() {
        assert_eq!(negotiate(&[]), "en");
        assert_each(&[("", "en"), (" ", "en"), (",, ,", "en"), ("*", "en"), ("fr", "en")]);
    }

    #[test]
    fn every_supported_tag_is_answered_in_its_own_language() {
        for language in Language::ALL {
            assert_eq!(negotiate(&[language.tag()]), language.tag());
        }
    }

    #[test]
    fn chinese_is_answered_in_the_script_its_region_reads() {
        assert_each(&[
            ("zh-TW", "zh-Hant"),
            ("zh-HK", "zh-Hant"),
            ("zh-MO", "zh-Hant"),
            ("zh-Hant-TW", "zh-Hant"),
            ("zh-Hant-CN", "zh-Hant"),
            ("zh-CN", "zh"),
            ("zh-SG", "zh"),
            ("zh-Hans", "zh"),
            ("zh-Hans-HK", "zh"),
            ("yue", "zh-Hant"),
            ("yue-HK", "zh-Hant"),
            ("yue-CN", "zh"),
            ("yue-Hans", "zh"),
            ("cmn", "zh"),
            ("cmn-Hant-TW", "zh-Hant"),
            ("cmn-TW", "zh-Hant"),
            ("nan-TW", "zh-Hant"),
            ("wuu", "zh"),
        ]);
    }

    #[test]
    fn underscores_count_as_hyphens() {
        assert_each(&[("zh_TW", "zh-Hant"), ("ja_JP", "ja"), ("zh_Hant_HK", "zh-Hant"), ("fr_FR, vi_VN", "vi")]);
    }

    #[test]
    fn subtags_that_do_not_change_the_text_are_ignored() {
        assert_each(&[
            ("en-GB", "en"),
            ("ja-JP", "ja"),
            ("ja-JP-u-ca-japanese", "ja"),
            ("vi-VN", "vi"),
            ("zh-TW-u-nu-hanidec", "zh-Hant"),
            ("zh-HK-x-private", "zh-Hant"),
        ]);
    }

    #[test]
    fn tags_compare_without_regard_to_case() {
        assert_each(&[("JA", "ja"), ("ZH-hant", "zh-Hant"), ("zh-tw", "zh-Hant"), ("vI-vn", "vi")]);
    }

    #[test]
    fn the_highest_weight_wins() {
        assert_each(&[
            ("ja;q=0.9, zh;q=1", "zh"),
            ("en;q=0.5,vi;q=0.501", "vi"),
            ("en;q=0.8, zh-TW;q=0.9", "zh-Hant"),
            ("fr, ja;q=0.1", "ja"),
            ("*, ja;q=0.1", "ja"),
            ("en ; q=0.1 , ja\t;\tQ=0.2", "ja"),
            ("en;q=0.9, ja;q=1.", "ja"),
            ("en;q=0.9, ja;q=1.000", "ja"),
        ]);
    }

    #[test]
    fn the_first_of_equal_weights_wins() {
        assert_each(&[("ja, vi", "ja"), ("vi;q=1.0, ja", "vi"), ("fr, zh;q=0.5, ja;q=0.50", "zh")]);
    }

    #[test]
    fn a_range_of_weight_zero_is_never_chosen() {
        assert_each(&[
            ("en;q=0", "en"),
            ("ja;q=0", "en"),
            ("ja;q=0., vi;q=0.001", "vi"),
            ("zh;q=0.000, zh-TW;q=0.1", "zh-Hant"),
        ]);
    }

    #[test]
    fn a_malformed_weight_is_the_lowest() {
        for weight in [
            "", "q", "q=", "q=2", "q=1.1", "q=1.001", "q=0.1234", "q=.9", "q=-0", "q=+1", "q=1e0", "q =1", "q= 1",
            "q=\"1\"", "q=1;q=1", "level=1", "q=00", "q=0.5x", "q=NaN",
        ] {
            assert_each(&[
                (&format!("ja;{weight}"), "ja"),
                (&format!("ja;{weight}, vi;q=0.001"), "vi"),
                (&format!("ja;{weight}, vi;q=0"), "ja"),
            ]);
        }
    }

    #[test]
    fn garbage_is_answered_in_english() {
        assert_each(&[
            ("garbage garbage", "en"),
            ("_ja", "en"),
            ("-ja", "en"),
            ("ja-", "en"),
            ("jajajajajaja", "en"),
            ("日本語", "en"),
            ("und-TW", "en"),
            (";q=1", "en"),
        ]);
        assert_eq!(Language::negotiate([b"\xff\xfe\0".as_slice()]), Language::English);
    }

    #[test]
    fn several_field_lines_read_as_one_list() {
        assert_eq!(negotiate(&["fr;q=0.9, ja;q=0.5", "vi;q=0.8"]), "vi");
        assert_eq!(negotiate(&["ja", "vi"]), "ja");
    }

    #[test]
    fn ranges_after_the_thirty_second_are_ignored() {
        let before = |count| "fr,".repeat(count) + "ja";
        assert_eq!(negotiate(&[&before(MAX_RANGES - 1)]), "ja");
        assert_eq!(negotiate(&[&before(MAX_RANGES)]), "en");
        assert_eq!(negotiate(&[&"fr,".repeat(MAX_RANGES), "ja"]), "en");
    }

    proptest! {
        #[test]
        fn no_bytes_make_negotiation_panic(lines in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..64), 0..4)) {
            Language::negotiate(lines.iter().map(Vec::as_slice));
        }

        #[test]
        fn no_near_miss_makes_negotiation_panic(
            line in prop::collection::vec(prop::sample::select(b"aehijnvzHTWx019-*;=q., \t\xe6".to_vec()), 0..64),
        ) {
            Language::negotiate([line.as_slice()]);
        }
    }
}
