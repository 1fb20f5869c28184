use axum::extract::Request;
use axum::http::HeaderMap;
use uuid::Uuid;

use super::answer::{Answer, Slot};
use super::{OLD_SESSION_ID, SESSION_ID, VERSION, VERSION_TEXT, presented_hash, session, session_id, token};
use crate::account::{BodyFault, ChannelFault, Error, RequestFault};
use crate::app::App;
use crate::config::BodyEncryption;
use crate::contract::system::MAX_BODY;
use crate::contract::system::body::is_writable;
use crate::http::body::{bytes, is_json, keep_members, media_type, members_of, object_in, refuse_coding};
use crate::identity::{Caller, credentials};
use crate::json::{self, Malformed, Object, Value};
use crate::secure_channel::envelope::{self, MAX_BYTES};
use crate::store::Nonce;

/// The body of a request, decrypted if it was encrypted.
pub(in crate::contract::system) struct Opened {
    /// The members of the JSON object that a person may change.
    pub(in crate::contract::system) update: Object,
    /// The nonce to use up with the change, if the body was encrypted.
    pub(in crate::contract::system) nonce: Option<Nonce>,
}

/// A message that was decrypted.
pub(super) struct Message {
    /// The plaintext.
    pub(super) plain: Vec<u8>,
    /// The nonce by which a replay of the message is detected.
    pub(super) nonce: Nonce,
    /// Whether the account may have another nonce stored. The message was decrypted, so this error goes into an encrypted
    /// response.
    pub(super) room: Result<(), Error>,
    /// How the response is encrypted, if it is.
    pub(super) answer: Option<Answer>,
}

/// The parts of a request that are needed to open its message.
pub(super) struct Context<'a> {
    pub(super) app: &'a App,
    pub(super) caller: &'a Caller,
    pub(super) session: Option<Uuid>,
    pub(super) client_hash: Vec<u8>,
    pub(super) access_token: String,
    pub(super) wants_token: bool,
}

/// The form of a body.
enum Form {
    /// JSON, or an envelope of the session form.
    Json,
    /// JOSE, compact.
    Compact,
    /// JOSE, flattened.
    Flattened,
}

/// Reads the body of a request and decrypts it, if it is encrypted. From then on, the response is encrypted as
/// `Message::answer` specifies.
pub(in crate::contract::system) async fn read(app: &App, caller: &Caller, request: Request) -> Result<Opened, Error> {
    let form = form(request.headers())?;
    let announced = announces_encryption(request.headers());
    let limit = if announced || !matches!(form, Form::Json) { MAX_BYTES } else { MAX_BODY };
    let is_version = has_version(request.headers());
    let slot = request.extensions().get::<Slot>().cloned().unwrap_or_default();
    let context = Context {
        app,
        caller,
        session: session_id(request.headers()),
        client_hash: presented_hash(request.headers()),
        access_token: credentials(request.headers(), "Bearer")?.to_owned(),
        wants_token: token::is_wanted(request.headers()),
    };
    let bytes = bytes(app, request, limit).await?;
    let message = match form {
        Form::Compact => token::open(&context, jose_compact(&bytes)).await?,
        Form::Flattened => token::open(&context, jose_flattened(&bytes)).await?,
        Form::Json if envelope::is_binary(&bytes) => {
            session::open(&context, envelope::read(&bytes).filter(|_| is_version), false).await?
        }
        Form::Json => {
            let bytes = json::without_mark(&bytes);
            let parsed = json::parse(bytes);
            let object = parsed.as_ref().ok().and_then(Value::as_object);
            match object.and_then(envelope::read_json) {
                Some(payload) => {
                    let payload = payload.filter(|_| is_version);
                    let envelope = payload.as_deref().map(|payload| envelope::Envelope::Session { payload });
                    session::open(&context, envelope, true).await?
                }
                None => return plain(app, bytes.len(), parsed),
            }
        }
    };
    if let Some(answer) = message.answer {
        slot.fill(answer);
    }
    message.room?;
    if message.plain.len() > MAX_BODY {
        return Err(RequestFault::BodyTooLarge.into());
    }
    Ok(Opened { update: members_of(&message.plain, is_writable)?, nonce: Some(message.nonce) })
}

fn plain(app: &App, length: usize, parsed: Result<Value, Malformed>) -> Result<Opened, Error> {
    if app.config().system.secure_channel == BodyEncryption::Required {
        return Err(ChannelFault::Payload.into());
    }
    match length {
        0 => Err(BodyFault::Empty.into()),
        length if length > MAX_BODY => Err(Error::Request(RequestFault::BodyTooLarge)),
        _ => Ok(Opened { update: keep_members(object_in(parsed)?, is_writable)?, nonce: None }),
    }
}

fn form(headers: &HeaderMap) -> Result<Form, Error> {
    let essence = media_type(headers)?.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    let form = match essence.as_str() {
        "application/jose" => Form::Compact,
        "application/jose+json" => Form::Flattened,
        _ => return is_json(headers).map(|()| Form::Json),
    };
    refuse_coding(headers).map(|()| form)
}

/// Checks whether the headers announce an encrypted body. It is larger than its plaintext and may have more bytes than a
/// plain body.
fn announces_encryption(headers: &HeaderMap) -> bool {
    [SESSION_ID, OLD_SESSION_ID, VERSION].iter().any(|name| headers.contains_key(name))
}

/// Checks that the version in the header, if present, is the supported one.
fn has_version(headers: &HeaderMap) -> bool {
    headers.get_all(VERSION).iter().all(|version| version.as_bytes().trim_ascii() == VERSION_TEXT.as_bytes())
}

fn jose_compact(bytes: &[u8]) -> Option<crate::jose::Message> {
    crate::jose::Message::compact(bytes)
}

fn jose_flattened(bytes: &[u8]) -> Option<crate::jose::Message> {
    crate::jose::Message::flattened(json::parse_unique(bytes).ok()?.as_object()?)
}
