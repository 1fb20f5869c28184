//! Reading a request's headers, for whatever reads one that may be there once.

use axum::http::header::AsHeaderName;
use axum::http::{HeaderMap, HeaderValue};

/// What a request has of a header that may be there once (RFC 9110 §5.3). What several lines mean is for the caller to decide;
/// another program on the way may have read another one of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Single<'a> {
    /// No line.
    Absent,
    /// One line.
    Once(&'a HeaderValue),
    /// Several lines, and the first of them.
    Repeated(&'a HeaderValue),
}

impl<'a> Single<'a> {
    /// Reads the header with a name.
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

    /// The value of the first line, whatever follows it.
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
    fn lines_are_counted_even_when_they_are_empty_or_alike() {
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
