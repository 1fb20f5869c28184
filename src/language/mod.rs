//! The languages of responses: negotiation for a request, and the texts in each language.

mod negotiate;
mod tag;
mod texts;

pub use tag::is_well_formed;
pub use texts::Argument;

/// A language in which every text of the server exists.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Language {
    /// English, the default.
    English,
    /// Chinese in Simplified characters.
    Chinese,
    /// Chinese in Traditional characters.
    TraditionalChinese,
    /// Japanese.
    Japanese,
    /// Vietnamese.
    Vietnamese,
}

impl Language {
    /// Every language, in the order of declaration.
    pub const ALL: [Self; 5] =
        [Self::English, Self::Chinese, Self::TraditionalChinese, Self::Japanese, Self::Vietnamese];

    /// Returns the language tag (BCP 47), as used in `Content-Language`.
    pub const fn tag(self) -> &'static str {
        match self {
            Self::English => "en",
            Self::Chinese => "zh",
            Self::TraditionalChinese => "zh-Hant",
            Self::Japanese => "ja",
            Self::Vietnamese => "vi",
        }
    }
}
