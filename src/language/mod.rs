//! The languages people are answered in: which one a request asks for, and what each text says in it.

mod negotiate;
mod tag;
mod texts;

pub use tag::is_well_formed;
pub use texts::Argument;

/// A language every text of the server exists in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Language {
    /// English, answered when nothing else is asked for.
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

    /// The language tag (BCP 47), as `Content-Language` carries it.
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
