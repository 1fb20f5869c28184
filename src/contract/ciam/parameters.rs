use axum::extract::Request;
use axum::http::{HeaderMap, header};

use crate::account::{Error, RequestFault};
use crate::app::App;
use crate::headers::Single;
use crate::http::body;
use crate::json::{Object, Value};

/// The most parameters of one request.
const MAX_PARAMETERS: usize = 100;

/// The parameters of a request for tokens or a revocation, sent as JSON or as `application/x-www-form-urlencoded` (RFC 6749
/// §3.2).
pub(super) struct Parameters(Vec<(String, String)>);

/// Why parameters cannot be read: an error that the contract renders, or a repeated parameter.
pub(super) enum Fault {
    Error(Error),
    Doubled,
}

impl Parameters {
    /// Reads the parameters of a request.
    pub(super) async fn read(app: &App, request: Request) -> Result<Parameters, Fault> {
        if !is_form(request.headers()) {
            let object = body::object(app, request, super::MAX_BODY).await?;
            body::refuse_nul_outside(&object, &[])?;
            return Ok(Parameters::of_object(&object));
        }
        body::refuse_coding(request.headers())?;
        let bytes = body::bytes(app, request, super::MAX_BODY).await?;
        Parameters::of_form(&bytes)
    }

    /// Returns a parameter; an empty one counts as absent (RFC 6749 §3.2).
    pub(super) fn get(&self, name: &str) -> Option<&str> {
        let found = self.0.iter().find(|(known, _)| known == name);
        found.map(|(_, value)| value.as_str()).filter(|value| !value.is_empty())
    }

    /// Reads strings as they are, and numbers and booleans as text; any other value counts as absent.
    fn of_object(object: &Object) -> Parameters {
        let text = |value: &Value| match value {
            Value::String(text) => Some(text.clone()),
            Value::Bool(_) | Value::Number(_) => Some(value.to_text()),
            Value::Null | Value::Array(_) | Value::Object(_) => None,
        };
        Parameters(object.iter().filter_map(|(name, value)| Some((name.clone(), text(value)?))).collect())
    }

    /// Reads a form. A repeated parameter is refused, since either value could be meant (RFC 6749 §3.2).
    fn of_form(bytes: &[u8]) -> Result<Parameters, Fault> {
        let malformed = || Fault::Error(Error::Request(RequestFault::Body(crate::account::BodyFault::Malformed)));
        let mut parameters: Vec<(String, String)> = Vec::new();
        for (name, value) in form_urlencoded::parse(bytes).take(MAX_PARAMETERS + 1) {
            if parameters.len() == MAX_PARAMETERS || name.contains('\0') || value.contains('\0') {
                return Err(malformed());
            }
            if parameters.iter().any(|(known, _)| *known == name) {
                return Err(Fault::Doubled);
            }
            parameters.push((name.into_owned(), value.into_owned()));
        }
        Ok(Parameters(parameters))
    }
}

fn is_form(headers: &HeaderMap) -> bool {
    let media_type =
        Single::of(headers, header::CONTENT_TYPE).first().and_then(|value| value.to_str().ok()).unwrap_or_default();
    let essence = media_type.split(';').next().unwrap_or_default().trim();
    essence.eq_ignore_ascii_case("application/x-www-form-urlencoded")
}

/// Decodes one part of form-encoded credentials (RFC 6749 §2.3.1): `+` is a space, `%` precedes two hexadecimal digits.
/// Returns `None` when an escape is malformed, or the result is not UTF-8 or contains U+0000.
pub(super) fn decode(part: &str) -> Option<String> {
    let mut bytes = part.bytes();
    let mut decoded = Vec::with_capacity(part.len());
    while let Some(byte) = bytes.next() {
        decoded.push(match byte {
            b'+' => b' ',
            b'%' => {
                let digit = |byte: Option<u8>| char::from(byte?).to_digit(16);
                let (high, low) = (digit(bytes.next())?, digit(bytes.next())?);
                u8::try_from(high * 16 + low).ok()?
            }
            byte => byte,
        });
    }
    String::from_utf8(decoded).ok().filter(|text| !text.contains('\0'))
}

impl From<Error> for Fault {
    fn from(error: Error) -> Fault {
        Fault::Error(error)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn decoding_reverses_form_encoding(text in "[^\\x00]{0,40}") {
            let encoded: String = form_urlencoded::byte_serialize(text.as_bytes()).collect();
            prop_assert_eq!(decode(&encoded), Some(text));
        }

        #[test]
        fn every_member_of_a_form_is_read(
            members in proptest::collection::btree_map("[a-z_]{1,8}", "[^\\x00]{1,20}", 0..8)
        ) {
            let form: String = form_urlencoded::Serializer::new(String::new()).extend_pairs(&members).finish();
            let read = Parameters::of_form(form.as_bytes()).ok().unwrap();
            for (name, value) in &members {
                prop_assert_eq!(read.get(name), Some(value.as_str()));
            }
            prop_assert_eq!(read.0.len(), members.len());
        }

        #[test]
        fn arbitrary_bytes_cause_no_panic(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            let _ = Parameters::of_form(&bytes);
            let _ = decode(&String::from_utf8_lossy(&bytes));
        }
    }

    #[test]
    fn malformed_escapes_are_refused() {
        for part in ["%", "%2", "%zz", "%2z", "%ff", "%00"] {
            assert_eq!(decode(part), None, "{part}");
        }
        assert_eq!(decode("a%3Ab+c%25%2B").as_deref(), Some("a:b c%+"));
    }

    #[test]
    fn a_repeated_parameter_is_refused() {
        assert!(matches!(Parameters::of_form(b"a=1&a=1"), Err(Fault::Doubled)));
    }
}
