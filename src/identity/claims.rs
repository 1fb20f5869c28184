use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

use super::rule::{Refusal, Rule};
use crate::account::AccountId;
use crate::clock::after;
use crate::config::AccessTokenClaim;
use crate::json::{Object, Value};

/// How far in the future this installation's tokens may be dated, to outlive a revocation in the same second
/// (`Issuer::issue`).
const SECOND: SignedDuration = SignedDuration::from_secs(1);

/// The claims that are read here. A token with U+0000 in one of them is invalid: no identifier contains it, and PostgreSQL
/// compares no text with it. In any other claim it makes only that claim unfit for a field.
const READ: [&str; 9] = ["iss", "sub", "aud", "scope", "scp", "jti", "sid", "client_hash", "portal"];

/// The claims of a verified token. A token with claims of the wrong type is invalid (RFC 8725 §3.8, §3.9); a claim that is
/// `null` or empty text is absent.
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
    /// Reads claims; `audience` is the claim that the issuer writes audiences to.
    pub fn read(claims: &Object, audience: &str) -> Result<Token, Refusal> {
        let has_nul = |name: &&str| claims.get(name).is_some_and(Value::contains_nul);
        if let Some(name) = READ.into_iter().chain([audience]).find(has_nul) {
            return Err(Refusal::new(Rule::Claims, format!("{name} contains U+0000")));
        }
        let required = |name: &str| Refusal::new(Rule::Claims, format!("{name} is missing"));
        Ok(Token {
            issuer: text(claims, "iss")?.ok_or_else(|| required("iss"))?,
            subject: text(claims, "sub")?.ok_or_else(|| required("sub"))?,
            audience: texts(claims, audience)?,
            scopes: scopes(claims)?,
            token_id: text(claims, "jti")?,
            session_id: text(claims, "sid")?,
            issued_at: time(claims, "iat")?,
            not_before: time(claims, "nbf")?,
            expires_at: time(claims, "exp")?.ok_or_else(|| required("exp"))?,
            client_hash: text(claims, "client_hash")?,
            portal: text(claims, "portal")?,
        })
    }

    /// Returns the account of a token of this installation; `None` if it is for an application itself, which is its subject and
    /// its audience.
    pub(super) fn account(&self) -> Option<AccountId> {
        if self.audience.contains(&self.subject) { None } else { self.subject.parse().ok() }
    }

    /// Checks that the token is valid at a moment, with leeway for clocks that differ.
    pub(super) fn check_time(&self, now: Timestamp, leeway: Duration) -> Result<(), Refusal> {
        let leeway = SignedDuration::try_from(leeway).unwrap_or(SignedDuration::ZERO);
        let refused = |why: &str, time: Timestamp| Err(Refusal::new(Rule::Time, format!("{why} {time}; it is {now}")));
        match (self.not_before, self.issued_at) {
            (Some(begin), _) if begin > after(now, leeway) => refused("nbf: not valid before", begin),
            (_, Some(issued)) if issued > after(now, leeway.max(SECOND)) => {
                refused("iat: issued in the future, at", issued)
            }
            _ if now >= after(self.expires_at, leeway) => refused("exp: expired at", self.expires_at),
            _ => Ok(()),
        }
    }
}

/// Returns a claim that has a value: some providers write `null` or `""` for a claim that they leave out.
pub(super) fn given<'a>(claims: &'a Object, name: &str) -> Option<&'a Value> {
    claims.get(name).filter(|value| !matches!(value, Value::Null) && value.as_str() != Some(""))
}

/// Checks that a token with these claims is an access token, and not an ID token, which is for the client that requested
/// it and grants no access (RFC 8725 §3.11, OpenID Connect Core §2). Some providers write the claims of ID tokens into
/// access tokens too: a token is accepted with them if its type, its scope or `marker`, a claim that the operator named,
/// is that of an access token, and it does not name itself an ID token.
pub(super) fn check_kind(claims: &Object, media_type: &str, marker: Option<&AccessTokenClaim>) -> Result<(), Refusal> {
    let refused = |why: String| Err(Refusal::new(Rule::Kind, why));
    let named = |name: &str, kinds: &[&str]| {
        let kind = claims.get(name).and_then(Value::as_str);
        kind.is_some_and(|kind| kinds.iter().any(|known| kind.eq_ignore_ascii_case(known)))
    };
    if let Some(name) = ["token_use", "typ"].into_iter().find(|name| named(name, &["id", "id_token"])) {
        return refused(format!("{name} names it an ID token"));
    }
    let is_access_token = media_type == "at+jwt"
        || named("typ", &["bearer", "at+jwt"])
        || named("token_use", &["access", "access_token"])
        || given(claims, "scope").is_some()
        || given(claims, "scp").is_some()
        || marker.is_some_and(|marker| marker.is_in(claims));
    match ["nonce", "at_hash", "azp"].into_iter().find(|name| given(claims, name).is_some()) {
        Some(name) if !is_access_token => refused(format!(
            "it has {name}, as an ID token, and nothing of an access token: neither a type (at+jwt, Bearer), token_use, \
             scope or scp, nor the claim of access_token_claim"
        )),
        _ => Ok(()),
    }
}

fn wrong_type(name: &str) -> Refusal {
    Refusal::new(Rule::Claims, format!("{name} is of the wrong type or out of range"))
}

/// Reads a string claim: an error if it is anything else.
fn text(claims: &Object, name: &str) -> Result<Option<String>, Refusal> {
    match given(claims, name) {
        None => Ok(None),
        Some(Value::String(text)) => Ok(Some(text.clone())),
        Some(_) => Err(wrong_type(name)),
    }
}

/// Reads a claim that is one string or an array of strings; absent is an empty list.
fn texts(claims: &Object, name: &str) -> Result<Vec<String>, Refusal> {
    match given(claims, name) {
        None => Ok(Vec::new()),
        Some(Value::String(text)) => Ok(vec![text.clone()]),
        Some(Value::Array(texts)) => texts
            .iter()
            .map(|text| text.as_str().map(str::to_owned))
            .collect::<Option<_>>()
            .ok_or_else(|| wrong_type(name)),
        Some(_) => Err(wrong_type(name)),
    }
}

/// Reads `scope` as one string of words (RFC 8693 §4.2) or as an array of them; some providers name it `scp`.
fn scopes(claims: &Object) -> Result<Vec<String>, Refusal> {
    let name = if given(claims, "scope").is_some() { "scope" } else { "scp" };
    match given(claims, name) {
        Some(Value::String(words)) => Ok(words.split(' ').filter(|word| !word.is_empty()).map(str::to_owned).collect()),
        _ => texts(claims, name),
    }
}

/// Reads a NumericDate (RFC 7519 §2) in whole seconds, truncating fractions.
fn time(claims: &Object, name: &str) -> Result<Option<Timestamp>, Refusal> {
    match given(claims, name) {
        None => Ok(None),
        Some(Value::Number(number)) => {
            let seconds = number.as_str().parse::<f64>().ok();
            // The end of the year 9999; a later time is malformed.
            let seconds = seconds.filter(|seconds| (0.0..=253_402_300_799.0).contains(seconds));
            let moment = seconds.and_then(|seconds| Timestamp::from_second(seconds as i64).ok());
            moment.map(Some).ok_or_else(|| wrong_type(name))
        }
        Some(_) => Err(wrong_type(name)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::json::parse;

    fn read(claims: &str) -> Option<Token> {
        let claims = parse(claims.as_bytes()).unwrap().into_object().unwrap();
        check_kind(&claims, "jwt", None).ok()?;
        let token = Token::read(&claims, "aud").ok()?;
        token.check_time(Timestamp::from_second(1000).unwrap(), Duration::from_secs(60)).ok()?;
        Some(token)
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
