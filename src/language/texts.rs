//! The texts in each language, from the files in `locales/`.

use std::borrow::Cow;
use std::sync::{LazyLock, Once};

use fluent_bundle::{FluentArgs, FluentResource, FluentValue, concurrent::FluentBundle};

use super::Language;

type Bundle = FluentBundle<FluentResource>;

/// The value of a variable in a text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Argument<'a> {
    /// Inserted verbatim.
    Text(&'a str),
    /// Rendered in plain digits, without grouping.
    Number(u32),
}

impl Language {
    /// Returns the text of `key` in this language, for texts without variables.
    ///
    /// If this language lacks the key, the English text is used, then the key itself; the first such case is logged as
    /// an error.
    pub fn text(self, key: &str) -> Cow<'static, str> {
        self.find(key, |language| language.format(key, None))
    }

    /// Returns the text of `key` in this language, with each variable replaced by the argument of that name.
    ///
    /// If this language lacks the key, or the text needs a variable that is not in `arguments`, the English text is
    /// used, then the key itself; the first such case is logged as an error.
    pub fn text_with(self, key: &str, arguments: &[(&str, Argument<'_>)]) -> String {
        let arguments: FluentArgs<'_> = arguments.iter().copied().collect();
        self.find(key, |language| Some(Cow::Owned(language.format(key, Some(&arguments))?.into_owned()))).into_owned()
    }

    /// Tries this language, then English: a foreign text is better than none.
    fn find(self, key: &str, text_in: impl Fn(Self) -> Option<Cow<'static, str>>) -> Cow<'static, str> {
        text_in(self).unwrap_or_else(|| {
            report_missing(self, key);
            text_in(Self::English).unwrap_or_else(|| Cow::Owned(key.to_owned()))
        })
    }

    /// Returns the formatted text, or `None` if this language lacks the key or the text needs other arguments.
    fn format<'a>(self, key: &str, arguments: Option<&'a FluentArgs<'_>>) -> Option<Cow<'a, str>> {
        let bundle = self.bundle();
        let pattern = bundle.get_message(key)?.value()?;
        let mut errors = Vec::new();
        let text = bundle.format_pattern(pattern, arguments, &mut errors);
        errors.is_empty().then_some(text)
    }

    fn bundle(self) -> &'static Bundle {
        static BUNDLES: LazyLock<[Bundle; Language::ALL.len()]> = LazyLock::new(|| Language::ALL.map(load));
        &BUNDLES[self as usize]
    }

    const fn source(self) -> &'static str {
        match self {
            Self::English => include_str!("../../locales/en.ftl"),
            Self::Chinese => include_str!("../../locales/zh.ftl"),
            Self::TraditionalChinese => include_str!("../../locales/zh-Hant.ftl"),
            Self::Japanese => include_str!("../../locales/ja.ftl"),
            Self::Vietnamese => include_str!("../../locales/vi.ftl"),
        }
    }
}

impl<'a> From<Argument<'a>> for FluentValue<'a> {
    fn from(argument: Argument<'a>) -> Self {
        match argument {
            Argument::Text(text) => text.into(),
            Argument::Number(number) => number.into(),
        }
    }
}

/// The tests below verify that every entry parses, so a malformed entry is simply skipped here.
fn load(language: Language) -> Bundle {
    let identifier = language.tag().parse().expect("every tag is a language identifier");
    let mut bundle = Bundle::new_concurrent(vec![identifier]);
    // The isolation marks U+2068 and U+2069 are for displayed text; in JSON they are stray characters.
    bundle.set_use_isolating(false);
    let resource = FluentResource::try_new(language.source().to_owned()).unwrap_or_else(|(readable, _)| readable);
    bundle.add_resource_overriding(resource);
    bundle
}

/// Logs once: a missing text is missing in every request.
fn report_missing(language: Language, key: &str) {
    static REPORTED: Once = Once::new();
    REPORTED.call_once(|| {
        tracing::error!(language = language.tag(), key, "translation missing; further cases are not logged");
    });
}

#[cfg(test)]
mod tests {
    use std::collections::{BTreeMap, BTreeSet};

    use fluent_syntax::ast::{Entry, Expression, InlineExpression, PatternElement};
    use fluent_syntax::parser;

    use super::*;

    type Variables = BTreeSet<&'static str>;

    /// Every key of a file with the variables of its text.
    fn entries(language: Language) -> BTreeMap<&'static str, Variables> {
        let file = parser::parse(language.source()).expect("a locale file has an entry that is not Fluent");
        let mut entries = BTreeMap::new();
        for entry in file.body {
            let message = match entry {
                Entry::Message(message) => message,
                Entry::Comment(_) | Entry::GroupComment(_) | Entry::ResourceComment(_) => continue,
                other => panic!("teach this test about {other:?}"),
            };
            let key = message.id.name;
            let text = message.value.unwrap_or_else(|| panic!("{key} has no text"));
            let variables = text.elements.into_iter().filter_map(variable).collect();
            assert_eq!(entries.insert(key, variables), None, "{} has {key} twice", language.tag());
        }
        entries
    }

    fn variable(element: PatternElement<&'static str>) -> Option<&'static str> {
        match element {
            PatternElement::TextElement { .. } => None,
            PatternElement::Placeable {
                expression: Expression::Inline(InlineExpression::VariableReference { id }),
            } => Some(id.name),
            other => panic!("teach this test about {other:?}"),
        }
    }

    /// Every key with its text, formatted by the language itself without a fallback.
    fn texts(language: Language) -> impl Iterator<Item = (&'static str, String)> {
        entries(language).into_iter().map(move |(key, variables)| {
            let arguments: FluentArgs<'_> = variables.into_iter().map(|name| (name, Argument::Number(1))).collect();
            let text = language.format(key, Some(&arguments));
            let text = text.unwrap_or_else(|| panic!("{} cannot format {key}", language.tag()));
            (key, text.into_owned())
        })
    }

    #[test]
    fn every_language_finds_its_own_file() {
        for language in Language::ALL {
            assert_eq!(Language::ALL[language as usize], language);
        }
        let labels = |key| Language::ALL.map(|language| language.text(key));
        assert_eq!(labels("portal-system"), ["System", "系统", "系統", "システム", "Hệ thống"]);
        assert_eq!(labels("status-active"), ["Active", "活跃", "活躍", "有効", "Đang hoạt động"]);
    }

    #[test]
    fn all_files_have_the_same_keys_and_variables() {
        let english = entries(Language::English);
        assert!(!english.is_empty());
        for language in Language::ALL {
            assert_eq!(entries(language), english, "{}", language.tag());
        }
    }

    #[test]
    fn every_text_can_be_formatted() {
        for language in Language::ALL {
            for (key, text) in texts(language) {
                assert_eq!(text.trim(), text, "{} {key}", language.tag());
                assert!(!text.is_empty(), "{} {key}", language.tag());
            }
        }
    }

    #[test]
    fn no_text_carries_isolation_marks() {
        for language in Language::ALL {
            for (key, text) in texts(language) {
                assert!(!text.contains(['\u{2068}', '\u{2069}']), "{} {key}", language.tag());
            }
        }
    }

    #[test]
    fn no_text_is_left_in_english() {
        let english: BTreeMap<_, _> = texts(Language::English).collect();
        for language in Language::ALL.into_iter().filter(|&language| language != Language::English) {
            for (key, text) in texts(language) {
                let foreign = text.chars().any(|letter| letter.is_alphabetic() && !letter.is_ascii());
                assert!(foreign, "{} {key} has no letter of its language: {text}", language.tag());
                assert_ne!(text, english[key], "{} {key}", language.tag());
            }
        }
    }

    #[test]
    fn a_number_is_rendered_in_plain_digits() {
        let size = |max| Language::English.text_with("system-size", &[("max", Argument::Number(max))]);
        assert_eq!(size(126), "size must be between 0 and 126");
        assert_eq!(size(u32::MAX), "size must be between 0 and 4294967295");
        for language in Language::ALL {
            let text = language.text_with("system-size", &[("max", Argument::Number(1_048_576))]);
            assert!(text.contains("1048576"), "{text}");
        }
    }

    #[test]
    fn a_text_argument_is_inserted_verbatim() {
        let header = [("header", Argument::Text("X-{ $max }"))];
        let text = Language::Japanese.text_with("system-header-missing", &header);
        assert_eq!(text, "必須ヘッダーがありません：X-{ $max }");
    }

    #[test]
    fn a_text_that_one_language_lacks_is_rendered_in_english() {
        let text = Language::Japanese
            .find("key", |language| (language == Language::English).then_some(Cow::Borrowed("English text")));
        assert_eq!(text, "English text");
    }

    #[test]
    fn a_key_without_a_text_is_answered_with_itself() {
        assert_eq!(Language::Vietnamese.text("no-such-key"), "no-such-key");
        assert_eq!(Language::Vietnamese.text_with("no-such-key", &[]), "no-such-key");
    }

    #[test]
    fn a_text_without_its_argument_is_answered_with_its_key() {
        assert_eq!(Language::Chinese.text("system-size"), "system-size");
    }
}
