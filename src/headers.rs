//! Reads request headers that may occur only once.

use axum::http::header::AsHeaderName;
use axum::http::{HeaderMap, HeaderValue};

/// The lines of a header that may occur only once (RFC 9110 §5.3). The caller decides what several lines mean; an
/// intermediary may have read a different one of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Single<'a> {
    /// No line.
    Absent,
    /// One line.
    Once(&'a HeaderValue),
    /// Several lines; contains the first.
    Repeated(&'a HeaderValue),
}

impl<'a> Single<'a> {
    /// Reads the header with this name.
    pub fn of(headers: &'a HeaderMap, name: impl AsHeaderName) -> Single<'a> {
        let mut lines = headers.get_all(name).iter();
        match (lines.next(), lines.next()) {
            (None, _) => Single::Absent,
            (Some(value), None) => Single::Once(value),
            (Some(first), Some(_)) => Single::Repeated(first),
        }
    }

    /// The value of the one line; `None` when there is no line, or several.
    pub fn once(self) -> Option<&'a HeaderValue> {
        match self {
            Single::Once(value) => Some(value),
            Single::Absent | Single::Repeated(_) => None,
        }
    }

    /// The value of the first line, even if others follow it.
    pub fn first(self) -> Option<&'a HeaderValue> {
        match self {
            Single::Once(value) | Single::Repeated(value) => Some(value),
            Single::Absent => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use axum::http::header::COOKIE;

    use super::*;

    #[test]
    fn a_repeated_header_is_detected_even_if_its_values_are_empty_or_equal() {
        let mut headers = HeaderMap::new();
        let (empty, other) = (HeaderValue::from_static(""), HeaderValue::from_static("a, b"));
        assert_eq!(Single::of(&headers, COOKIE), Single::Absent);
        headers.append(COOKIE, empty.clone());
        assert_eq!(Single::of(&headers, "Cookie"), Single::Once(&empty));
        headers.append(COOKIE, empty.clone());
        assert_eq!(Single::of(&headers, COOKIE), Single::Repeated(&empty));
        headers.insert(COOKIE, other.clone());
        assert_eq!(Single::of(&headers, COOKIE), Single::Once(&other));
    }
}
