use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

use crate::clock::after;
use crate::json::{Object, Value};

/// How far ahead a token of ours may be dated, to outlive a revocation in the very second (`Issuer::issue`).
const SECOND: SignedDuration = SignedDuration::from_secs(1);

/// What a verified token says. Claims of the wrong type make it no token at all (RFC 8725 §3.8, §3.9, §3.11).
#[derive(Clone, Debug, PartialEq)]
pub struct Token {
    /// Who issued it.
    pub issuer: String,
    /// Whom it names, in the issuer's words.
    pub subject: String,
    /// Whom it is for.
    pub audience: Vec<String>,
    /// What it may be used for.
    pub scopes: Vec<String>,
    /// Its identifier, by which it can be revoked.
    pub token_id: Option<String>,
    /// The session that it belongs to, which outlives it.
    pub session_id: Option<String>,
    /// When it was issued, in whole seconds.
    pub issued_at: Option<Timestamp>,
    /// When it begins to hold.
    pub not_before: Option<Timestamp>,
    /// When it ends.
    pub expires_at: Timestamp,
    /// The client hash that it is bound to from the beginning.
    pub client_hash: Option<String>,
    /// The portal that it was issued for.
    pub portal: Option<String>,
}

impl Token {
    /// Reads claims. `None` says that this is no access token.
    pub fn read(claims: &Object) -> Option<Token> {
        if is_id_token(claims) {
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

    /// Whether it holds at a moment, with leeway for clocks that differ.
    pub fn is_valid_at(&self, now: Timestamp, leeway: Duration) -> bool {
        let leeway = SignedDuration::try_from(leeway).unwrap_or(SignedDuration::ZERO);
        self.not_before.is_none_or(|begin| begin <= after(now, leeway))
            && self.issued_at.is_none_or(|issued| issued <= after(now, leeway.max(SECOND)))
            && now < after(self.expires_at, leeway)
    }
}

/// An ID token is for the client that asked for it and opens nothing (RFC 8725 §3.11, OpenID Connect Core §2).
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

/// A claim that is a string: `None` when it is anything else, `Some(None)` when it is absent.
fn text(claims: &Object, name: &str) -> Option<Option<String>> {
    match claims.get(name) {
        None => Some(None),
        Some(Value::String(text)) if !text.is_empty() => Some(Some(text.clone())),
        Some(_) => None,
    }
}

/// A claim that is one string or an array of strings; absent is an empty list.
fn texts(claims: &Object, name: &str) -> Option<Vec<String>> {
    match claims.get(name) {
        None => Some(Vec::new()),
        Some(Value::String(text)) => Some(vec![text.clone()]),
        Some(Value::Array(texts)) => texts.iter().map(|text| text.as_str().map(str::to_owned)).collect(),
        Some(_) => None,
    }
}

/// `scope` as one string of words (RFC 8693 §4.2) or as an array of them; some providers call it `scp`.
fn scopes(claims: &Object) -> Option<Vec<String>> {
    let name = if claims.contains_key("scope") { "scope" } else { "scp" };
    match claims.get(name) {
        Some(Value::String(words)) => {
            Some(words.split(' ').filter(|word| !word.is_empty()).map(str::to_owned).collect())
        }
        _ => texts(claims, name),
    }
}

/// A NumericDate (RFC 7519 §2) in whole seconds, fractions cut off.
fn time(claims: &Object, name: &str) -> Option<Option<Timestamp>> {
    match claims.get(name) {
        None => Some(None),
        Some(Value::Number(number)) => {
            let seconds: f64 = number.as_str().parse().ok()?;
            // Beyond this a double no longer counts seconds, and no calendar is that long.
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
    fn a_token_holds_until_its_end_and_the_leeway() {
        assert!(read(r#"{"iss":"i","sub":"s","exp":1001}"#).is_some());
        assert!(read(r#"{"iss":"i","sub":"s","exp":941}"#).is_some());
        assert!(read(r#"{"iss":"i","sub":"s","exp":940}"#).is_none());
        assert!(read(r#"{"iss":"i","sub":"s","exp":2000,"nbf":1060}"#).is_some());
        assert!(read(r#"{"iss":"i","sub":"s","exp":2000,"nbf":1061}"#).is_none());
        assert!(read(r#"{"iss":"i","sub":"s","exp":2000,"iat":1061}"#).is_none());
    }

    #[test]
    fn claims_of_the_wrong_type_make_it_no_token() {
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
    fn an_id_token_opens_nothing() {
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
