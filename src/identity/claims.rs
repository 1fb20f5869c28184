use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

use crate::clock::after;
use crate::json::{Object, Value};

/// How far in the future this installation's tokens may be dated, to outlive a revocation in the same second
/// (`Issuer::issue`).
const SECOND: SignedDuration = SignedDuration::from_secs(1);

/// The claims that are read here. A token with U+0000 in one of them is invalid: no identifier contains it, and PostgreSQL
/// compares no text with it. In any other claim it makes only that claim unfit for a field.
const READ: [&str; 9] = ["iss", "sub", "aud", "scope", "scp", "jti", "sid", "client_hash", "portal"];

/// The claims of a verified token. A token with claims of the wrong type is invalid (RFC 8725 §3.8, §3.9, §3.11).
#[derive(Clone, Debug, PartialEq)]
pub struct Token {
    /// The issuer.
    pub issuer: String,
    /// The subject, as the issuer names it.
    pub subject: String,
    /// The audiences.
    pub audience: Vec<String>,
    /// The scopes.
    pub scopes: Vec<String>,
    /// Its identifier, by which it can be revoked.
    pub token_id: Option<String>,
    /// The session that it belongs to, which outlives it.
    pub session_id: Option<String>,
    /// When it was issued, in whole seconds.
    pub issued_at: Option<Timestamp>,
    /// When it becomes valid.
    pub not_before: Option<Timestamp>,
    /// When it expires.
    pub expires_at: Timestamp,
    /// The client hash that it is bound to from the start.
    pub client_hash: Option<String>,
    /// The portal that it was issued for.
    pub portal: Option<String>,
}

impl Token {
    /// Reads claims; `None` if they are not those of an access token.
    pub fn read(claims: &Object) -> Option<Token> {
        let has_nul = |name: &&str| claims.get(name).is_some_and(Value::contains_nul);
        if is_id_token(claims) || READ.iter().any(has_nul) {
            return None;
        }
        Some(Token {
            issuer: text(claims, "iss")??,
            subject: text(claims, "sub")??,
            audience: texts(claims, "aud")?,
            scopes: scopes(claims)?,
            token_id: text(claims, "jti")?,
            session_id: text(claims, "sid")?,
            issued_at: time(claims, "iat")?,
            not_before: time(claims, "nbf")?,
            expires_at: time(claims, "exp")??,
            client_hash: text(claims, "client_hash")?,
            portal: text(claims, "portal")?,
        })
    }

    /// Checks whether the token is valid at a moment, with leeway for clocks that differ.
    pub fn is_valid_at(&self, now: Timestamp, leeway: Duration) -> bool {
        let leeway = SignedDuration::try_from(leeway).unwrap_or(SignedDuration::ZERO);
        self.not_before.is_none_or(|begin| begin <= after(now, leeway))
            && self.issued_at.is_none_or(|issued| issued <= after(now, leeway.max(SECOND)))
            && now < after(self.expires_at, leeway)
    }
}

/// Checks for an ID token: it is for the client that requested it and grants no access (RFC 8725 §3.11, OpenID Connect
/// Core §2).
fn is_id_token(claims: &Object) -> bool {
    let has = |name| claims.contains_key(name);
    has("nonce")
        || has("at_hash")
        || (has("azp") && !has("scope") && !has("scp"))
        || ["token_use", "typ"].iter().any(|name| {
            let kind = claims.get(name).and_then(Value::as_str);
            kind.is_some_and(|kind| kind.eq_ignore_ascii_case("id") || kind.eq_ignore_ascii_case("id_token"))
        })
}

/// Reads a string claim: `None` if it is anything else or empty, `Some(None)` if absent.
fn text(claims: &Object, name: &str) -> Option<Option<String>> {
    match claims.get(name) {
        None => Some(None),
        Some(Value::String(text)) if !text.is_empty() => Some(Some(text.clone())),
        Some(_) => None,
    }
}

/// Reads a claim that is one string or an array of strings; absent is an empty list.
fn texts(claims: &Object, name: &str) -> Option<Vec<String>> {
    match claims.get(name) {
        None => Some(Vec::new()),
        Some(Value::String(text)) => Some(vec![text.clone()]),
        Some(Value::Array(texts)) => texts.iter().map(|text| text.as_str().map(str::to_owned)).collect(),
        Some(_) => None,
    }
}

/// Reads `scope` as one string of words (RFC 8693 §4.2) or as an array of them; some providers name it `scp`.
fn scopes(claims: &Object) -> Option<Vec<String>> {
    let name = if claims.contains_key("scope") { "scope" } else { "scp" };
    match claims.get(name) {
        Some(Value::String(words)) => {
            Some(words.split(' ').filter(|word| !word.is_empty()).map(str::to_owned).collect())
        }
        _ => texts(claims, name),
    }
}

/// Reads a NumericDate (RFC 7519 §2) in whole seconds, truncating fractions.
fn time(claims: &Object, name: &str) -> Option<Option<Timestamp>> {
    match claims.get(name) {
        None => Some(None),
        Some(Value::Number(number)) => {
            let seconds: f64 = number.as_str().parse().ok()?;
            // The end of the year 9999; a later time is malformed.
            if !(0.0..=253_402_300_799.0).contains(&seconds) {
                return None;
            }
            Timestamp::from_second(seconds as i64).ok().map(Some)
        }
        Some(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::json::parse;

    fn read(claims: &str) -> Option<Token> {
        let claims = parse(claims.as_bytes()).unwrap().into_object().unwrap();
        let token = Token::read(&claims)?;
        token.is_valid_at(Timestamp::from_second(1000).unwrap(), Duration::from_secs(60)).then_some(token)
    }

    #[test]
    fn a_token_is_valid_until_its_expiry_plus_the_leeway() {
        assert!(read(r#"{"iss":"i","sub":"s","exp":1001}"#).is_some());
        assert!(read(r#"{"iss":"i","sub":"s","exp":941}"#).is_some());
        assert!(read(r#"{"iss":"i","sub":"s","exp":940}"#).is_none());
        assert!(read(r#"{"iss":"i","sub":"s","exp":2000,"nbf":1060}"#).is_some());
        assert!(read(r#"{"iss":"i","sub":"s","exp":2000,"nbf":1061}"#).is_none());
        assert!(read(r#"{"iss":"i","sub":"s","exp":2000,"iat":1061}"#).is_none());
    }

    #[test]
    fn claims_of_the_wrong_type_make_a_token_invalid() {
        for claims in [
            r#"{"iss":"i","sub":"s"}"#,
            r#"{"iss":"i","sub":"s","exp":"2000"}"#,
            r#"{"iss":["i"],"sub":"s","exp":2000}"#,
            r#"{"iss":"i","sub":7,"exp":2000}"#,
            r#"{"iss":"i","sub":"","exp":2000}"#,
            r#"{"sub":"s","exp":2000}"#,
            r#"{"iss":"i","sub":"s","exp":1e300}"#,
            r#"{"iss":"i","sub":"s","exp":-1}"#,
            r#"{"iss":"i","sub":"s","exp":2000,"nbf":"0"}"#,
            r#"{"iss":"i","sub":"s","exp":2000,"aud":{"system":1}}"#,
            r#"{"iss":"i","sub":"s","exp":2000,"aud":["system",1]}"#,
            r#"{"iss":"i","sub":"s","exp":2000,"scope":1}"#,
            r#"{"iss":"i","sub":"s","exp":2000,"jti":1}"#,
        ] {
            assert_eq!(read(claims), None, "{claims}");
        }
    }

    #[test]
    fn an_id_token_grants_no_access() {
        for claim in [r#""nonce":"n""#, r#""at_hash":"h""#, r#""azp":"client""#, r#""token_use":"id""#, r#""typ":"ID""#]
        {
            assert_eq!(read(&format!(r#"{{"iss":"i","sub":"s","exp":2000,{claim}}}"#)), None, "{claim}");
        }
        assert!(read(r#"{"iss":"i","sub":"s","exp":2000,"azp":"client","scope":"profile"}"#).is_some());
    }

    #[test]
    fn scopes_are_words_or_an_array() {
        let words = read(r#"{"iss":"i","sub":"s","exp":2000,"scope":"openid  profile"}"#).unwrap();
        let array = read(r#"{"iss":"i","sub":"s","exp":2000,"scope":["openid","profile"]}"#).unwrap();
        let scp = read(r#"{"iss":"i","sub":"s","exp":2000,"scp":["openid","profile"]}"#).unwrap();
        assert_eq!(words.scopes, ["openid", "profile"]);
        assert_eq!(words.scopes, array.scopes);
        assert_eq!(words.scopes, scp.scopes);
    }
}
