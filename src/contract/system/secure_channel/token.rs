//! Messages of the JOSE form (RFC 7516).

use aws_lc_rs::digest;
use axum::http::{HeaderMap, header};
use jiff::{SignedDuration, Timestamp};

use super::answer::Answer;
use super::is_binding_required;
use super::open::{Context, Message};
use super::session::room;
use crate::account::{ChannelFault, Error};
use crate::app::App;
use crate::clock::after;
use crate::jose::{Algorithm, Curve, PublicKey, Recipient};
use crate::json::{Object, Value};
use crate::keys;
use crate::secure_channel::{KeyKind, MAX_TOKENS, Scope, access_token_hash, fresh};
use crate::store::Nonce;

const REFUSED: Error = Error::Channel(ChannelFault::Payload);
/// The longest `jti`, in bytes.
const MAX_TOKEN_ID: usize = 255;

/// The claims in a message's protected header; only the last two are optional.
struct Claims {
    token_id: String,
    issued_at: Timestamp,
    /// The hash of the access token that it is bound to (RFC 9449 §4.2).
    access_token_hash: Option<String>,
    answer_to: Option<PublicKey>,
}

/// Opens a parsed message; `None` stands for one that could not be parsed.
pub(super) async fn open(context: &Context<'_>, message: Option<crate::jose::Message>) -> Result<Message, Error> {
    let app = context.app;
    let message = message.ok_or(REFUSED)?;
    let claims = Claims::read(message.header()).ok_or(REFUSED)?;
    let kind = match (message.algorithm(), message.curve()) {
        (Algorithm::RsaOaep256, _) => KeyKind::Rsa,
        (_, Some(Curve::X25519)) => KeyKind::X25519,
        _ => KeyKind::P256,
    };
    let named = match message.key_id() {
        Some(name) => app.channel_keys().find(name).await?.filter(|key| key.kind == kind),
        None => Some(app.channel_keys().current(kind).await?),
    };
    let is_known = named.is_some();
    let key = match named {
        Some(key) => key,
        None => app.channel_keys().current(kind).await?,
    };
    let (account, now) = (context.caller.account.id, app.now());
    let window = SignedDuration::try_from(app.config().secure_channel.replay_window).unwrap_or(SignedDuration::ZERO);
    let is_bound_elsewhere = match &claims.access_token_hash {
        Some(hash) => !keys::equal(hash.as_bytes(), access_token_hash(&context.access_token).as_bytes()),
        None => is_binding_required(app),
    };
    let is_now = now.duration_since(claims.issued_at).abs() <= window;
    let scope = Scope::Token.bytes();
    let nonce = digest::digest(&digest::SHA256, claims.token_id.as_bytes()).as_ref().to_vec();
    let state = app.store().channel_nonce(&scope, &nonce, account, now).await?;
    let opened = message.open(&key.private, app.random());
    let plain = opened.filter(|_| is_known && is_now && !is_bound_elsewhere && !state.used).ok_or(REFUSED)?;
    // Remembered for as long as any instance could accept it, even one whose clock is behind.
    let expires_at = after(claims.issued_at, window.saturating_mul(2));
    let answer = match claims.answer_to.filter(|_| context.wants_token) {
        Some(key) => Some(Answer::Token { recipient: agree(app, key).ok_or(REFUSED)?, token_id: claims.token_id }),
        None => None,
    };
    Ok(Message {
        plain,
        nonce: Nonce { scope, nonce, account: Some(account), expires_at },
        room: room(&state, MAX_TOKENS, now),
        answer,
    })
}

fn agree(app: &App, key: PublicKey) -> Option<Recipient> {
    let (_, ephemeral) = fresh(|| app.random(), key.curve)?;
    Recipient::agree(key, &ephemeral)
}

/// Checks whether the client accepts a response in JOSE form (RFC 9110 §12.5.1).
pub(super) fn is_wanted(headers: &HeaderMap) -> bool {
    let ranges = headers.get_all(header::ACCEPT).iter().filter_map(|value| value.to_str().ok());
    ranges.flat_map(|line| line.split(',')).any(|range| {
        let mut parts = range.split(';').map(str::trim);
        let is_jose = parts.next().is_some_and(|range| range.eq_ignore_ascii_case("application/jose"));
        let is_refused = |parameter: &str| {
            let weight = parameter.strip_prefix("q=").or_else(|| parameter.strip_prefix("Q="));
            weight.is_some_and(|weight| weight.parse::<f32>().is_ok_and(|weight| weight <= 0.0))
        };
        is_jose && !parts.any(is_refused)
    })
}

impl Claims {
    fn read(header: &Object) -> Option<Claims> {
        let token_id = header.get("jti")?.as_str()?;
        if token_id.is_empty() || token_id.len() > MAX_TOKEN_ID {
            return None;
        }
        let answer_to = match header.get("reply_jwk") {
            None => None,
            Some(jwk) => Some(PublicKey::read(jwk.as_object()?)?),
        };
        let access_token_hash = match header.get("ath") {
            None => None,
            Some(hash) => Some(hash.as_str().filter(|hash| !hash.is_empty())?.to_owned()),
        };
        let issued_at = time(header.get("iat")?)?;
        Some(Claims { token_id: token_id.to_owned(), issued_at, access_token_hash, answer_to })
    }
}

/// Reads a NumericDate (RFC 7519 §2), truncated to whole seconds.
fn time(value: &Value) -> Option<Timestamp> {
    let Value::Number(number) = value else { return None };
    let seconds: f64 = number.as_str().parse().ok()?;
    // The upper bound is the end of the year 9999.
    if !(0.0..=253_402_300_799.0).contains(&seconds) {
        return None;
    }
    Timestamp::from_second(seconds as i64).ok()
}
