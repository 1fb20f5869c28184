//! The program whose instructions `bench/instructions` counts: the product in this process, on one thread beside the writer of
//! its embedded database, without sockets.
//!
//! `instructions FOLDER keys` makes an installation with all its keys: what it takes to find RSA keys depends on chance.
//! `instructions FOLDER KIND SENT OF` adds an account to it, prepares `OF` requests and sends the first `SENT` of them, one after
//! the other. The kinds are `read`, `update` and `encrypted` (an update in the session form of docs/secure-channel.md). It fails
//! unless every request was answered with success, and the last change is stored; an installation can be used once.
//! `instructions FOLDER reference SENT OF` makes `SENT` passes of the reference, in memory. All that is done once costs the same
//! for each `SENT`, so the difference of two runs is what the requests between them cost.

use std::error::Error;
use std::hint::black_box;
use std::mem::forget;
use std::time::Duration;

use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, Nonce, UnboundKey};
use aws_lc_rs::digest::{SHA256, digest};
use aws_lc_rs::rsa::{OAEP_SHA256_MGF1SHA256, OaepPublicEncryptingKey, PublicEncryptingKey};
use aws_lc_rs::signature::{ED25519, Ed25519KeyPair, KeyPair, UnparsedPublicKey};
use axum::Router;
use axum::body::{Body, Bytes};
use axum::http::request::Builder;
use axum::http::{Method, Request, StatusCode};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http_body_util::BodyExt;
use rusqlite::Connection;
use selfsame::account::history::ChangeContext;
use selfsame::account::{Account, AccountId, Contract, Edit, Field, Patch, Portal, Tenant, TenantId, Text};
use selfsame::app::App;
use selfsame::clock::Clock;
use selfsame::config::{Config, Overrides, Sources};
use selfsame::http::{KeepOpen, Peer};
use selfsame::identity::Grant;
use selfsame::serve::Hosts;
use serde_json::{Value, json};
use tower::ServiceExt;

const PEER: ([u8; 4], u16) = ([192, 0, 2, 1], 4711);
const CLIENT_HASH: &str = "bench";
const LIFETIME: Duration = Duration::from_secs(3600);
const PROFILE: &str = "/web/v1/system/profile";
const UPDATE: &str = "/web/v1/system/profile/update";
const CHANNEL: &str = "/web/v1/secure-channel";
/// The limits of requests stay on, above what is sent.
const LIMITS: [(&str, &str); 2] =
    [("SELFSAME__RATE_LIMIT__ADDRESS", "1000000"), ("SELFSAME__RATE_LIMIT__SYSTEM", "1000000")];
/// The person's fields, as in `bench/run`.
const PERSON: [(Field, &str); 6] = [
    (Field::DisplayName, "System Admin"),
    (Field::Email, "admin@example.com"),
    (Field::Phone, "+1234567890"),
    (Field::Language, "en"),
    (Field::TimeZone, "America/New_York"),
    (Field::Country, "US"),
];
/// How many times a pass of the reference reads and writes a profile for each signature that it checks, which costs about as much
/// as twenty: its instructions depend on the processor more than the rest.
const PROFILES_A_SIGNATURE: usize = 100;

type Failure = Box<dyn Error>;

fn main() -> Result<(), Failure> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    match arguments.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        [folder, "keys"] => runtime.block_on(async { public_key(&Client::start(folder).await?).await.map(drop) }),
        [_, "reference", sent, _] => reference(sent.parse()?),
        [folder, kind, sent, of] => runtime.block_on(requests(folder, kind, sent.parse()?, of.parse()?)),
        _ => Err("usage: instructions FOLDER (keys | read|update|encrypted|reference SENT OF)".into()),
    }
}

async fn requests(folder: &str, kind: &str, sent: usize, of: usize) -> Result<(), Failure> {
    if sent > of {
        return Err("more requests to send than to prepare".into());
    }
    let mut client = Client::start(folder).await?;
    client.sign_in().await?;
    let mut prepared = client.prepare(kind, of).await?.into_iter();
    for request in prepared.by_ref().take(sent) {
        client.send(request).await?;
    }
    // What was prepared and not sent is not freed, since freeing it would cost less the more is sent.
    forget(prepared);
    if kind != "read" && sent > 0 && client.name().await? != name(sent - 1) {
        return Err("the last change is not stored".into());
    }
    Ok(())
}

/// A client of the server in this process.
struct Client {
    app: App,
    routes: Router,
    /// The account that it is signed in to, and its token.
    signed_in: Option<(AccountId, String)>,
}

impl Client {
    /// Starts the server on the installation in a folder, which is made if it is missing.
    async fn start(folder: &str) -> Result<Client, Failure> {
        let overrides = Overrides { data: Some(folder.to_owned()), database: None, listen: None };
        let environment = LIMITS.map(|(name, value)| (name.into(), value.into())).to_vec();
        let config = Config::load(&Sources { file: None, environment, overrides })?.config;
        selfsame::cli::log(&config)?;
        selfsame::telemetry::record()?;
        let app = App::start(config, Clock::System).await?;
        app.listens_on(([127, 0, 0, 1], 8080).into());
        let routes = selfsame::serve::in_process_routes(&app, Hosts::Any);
        Ok(Client { app, routes, signed_in: None })
    }

    /// Adds an account and signs in to it.
    async fn sign_in(&mut self) -> Result<(), Failure> {
        let account = add_account(&self.app).await?.id;
        let client_hash = Some(CLIENT_HASH.to_owned());
        let grant = Grant { account, contract: Contract::System, scope: None, client_hash, lifetime: LIFETIME };
        self.signed_in = Some((account, self.app.issuer().issue(&grant).await?.token));
        Ok(())
    }

    /// Prepares requests, of which each update sets another name.
    async fn prepare(&self, kind: &str, count: usize) -> Result<Vec<Request<Body>>, Failure> {
        let body = |number| json!({ "accountName": name(number) }).to_string();
        match kind {
            "read" => (0..count).map(|_| finish(self.request(Method::GET, PROFILE), None)).collect(),
            "update" => {
                let update = || self.request(Method::POST, UPDATE).header("content-type", "application/json");
                (0..count).map(|number| finish(update(), Some(body(number).into()))).collect()
            }
            "encrypted" => {
                let session = Session::open(self).await?;
                let update = || {
                    let update = self.request(Method::POST, UPDATE).header("x-sc-session-id", &session.id);
                    update.header("x-sc-version", "2").header("content-type", "application/json;charset=UTF-8")
                };
                (0..count)
                    .map(|number| finish(update(), Some(session.envelope(number, body(number).as_bytes())?)))
                    .collect()
            }
            _ => Err(format!("there is no kind {kind}").into()),
        }
    }

    /// Begins a request with the headers that every one has.
    fn request(&self, method: Method, path: &str) -> Builder {
        let request = Request::builder().method(method).uri(path).header("host", "127.0.0.1:8080");
        match &self.signed_in {
            Some((_, token)) => {
                request.header("authorization", format!("Bearer {token}")).header("x-client-hash", CLIENT_HASH)
            }
            None => request,
        }
    }

    /// Sends a request and returns the body of its answer; fails if that has another status than 200.
    async fn send(&self, request: Request<Body>) -> Result<Bytes, Failure> {
        let (head, body) = self.routes.clone().oneshot(request).await?.into_parts();
        let body = body.collect().await?.to_bytes();
        if head.status != StatusCode::OK {
            return Err(format!("{}: {}", head.status, String::from_utf8_lossy(&body)).into());
        }
        Ok(body)
    }

    /// Returns the name that the account has in the database.
    async fn name(&self) -> Result<String, Failure> {
        let (id, _) = self.signed_in.as_ref().ok_or("the client is not signed in")?;
        let account = self.app.store().account(*id).await?.ok_or("the account is missing")?;
        Ok(account.text(Field::DisplayName).unwrap_or_default().to_owned())
    }
}

async fn add_account(app: &App) -> Result<Account, Failure> {
    let number = app.store().next_tenant_number().await?;
    let tenant = Tenant::new(TenantId(app.new_id()), number, "bench", None, Portal::System, app.now());
    app.store().add_tenant(&tenant).await?;
    let number = app.store().next_account_number().await?;
    let account = Account::new(AccountId(app.new_id()), number, None, &tenant, app.now());
    let mut patch = Patch::default();
    for (field, value) in PERSON {
        patch.edit(field, Edit::Set(Text::new(value)?));
    }
    Ok(app.profiles().create(account, &patch, None, &ChangeContext::operator()).await?)
}

/// Fetches the server's RSA key, with its identifier. If there is none, the server makes it, and its other keys.
async fn public_key(client: &Client) -> Result<Value, Failure> {
    let request = client.request(Method::GET, &format!("{CHANNEL}/public-key"));
    let mut answer: Value = serde_json::from_slice(&client.send(finish(request, None)?).await?)?;
    Ok(answer["data"].take())
}

/// The name that an update sets.
fn name(number: usize) -> String {
    format!("System Admin {number}")
}

/// Completes a request as a connection hands it to the routes.
fn finish(request: Builder, body: Option<Vec<u8>>) -> Result<Request<Body>, Failure> {
    let request = request.extension(Peer(PEER.into()));
    Ok(match body {
        None => request.body(Body::empty())?,
        Some(body) => {
            request.extension(KeepOpen::new(())).header("content-length", body.len()).body(Body::from(body))?
        }
    })
}

/// A session of SecureChannel.
struct Session {
    id: String,
    request_key: LessSafeKey,
}

impl Session {
    async fn open(client: &Client) -> Result<Session, Failure> {
        let public = public_key(client).await?;
        let key = STANDARD.decode(public["publicKey"].as_str().unwrap_or_default())?;
        let key = OaepPublicEncryptingKey::new(PublicEncryptingKey::from_der(&key)?)?;
        let encrypted = |plain: [u8; 32]| {
            let mut out = vec![0; key.ciphertext_size()];
            key.encrypt(&OAEP_SHA256_MGF1SHA256, &plain, &mut out, None).map(|out| STANDARD.encode(out))
        };
        let (request_key, response_key) = ([1; 32], [2; 32]);
        let body = json!({
            "keyId": public["keyId"], "encReqKey": encrypted(request_key)?, "encRespKey": encrypted(response_key)?,
        });
        let open = client.request(Method::POST, &format!("{CHANNEL}/session"));
        let open = finish(open.header("content-type", "application/json"), Some(body.to_string().into()))?;
        let opened: Value = serde_json::from_slice(&client.send(open).await?)?;
        let id = opened["data"]["sessionId"].as_str().ok_or("no session was opened")?.to_owned();
        Ok(Session { id, request_key: LessSafeKey::new(UnboundKey::new(&AES_256_GCM, &request_key)?) })
    }

    /// Returns the binary envelope of a request, whose number is its nonce.
    fn envelope(&self, number: usize, plain: &[u8]) -> Result<Vec<u8>, Failure> {
        let mut nonce = [0; 12];
        nonce[..8].copy_from_slice(&u64::try_from(number)?.to_be_bytes());
        let mut text = plain.to_vec();
        let associated = Aad::from(self.id.as_bytes());
        let key = &self.request_key;
        key.seal_in_place_append_tag(Nonce::assume_unique_for_key(nonce), associated, &mut text)?;
        Ok([b"SC\x02\x02", nonce.as_slice(), &text].concat())
    }
}

/// Does what a request consists of with the same libraries, and nothing of the product: a new version of the compiler or of a
/// library changes both about alike.
fn reference(passes: usize) -> Result<(), Failure> {
    let database = Connection::open_in_memory()?;
    database.execute_batch("CREATE TABLE profile (id BLOB PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID")?;
    let id = [7; 16];
    let fields = PERSON.iter().map(|(field, value)| (field.name().to_owned(), (*value).into()));
    let profile = Value::Object(fields.collect()).to_string();
    database.execute("INSERT INTO profile VALUES (?1, ?2)", (id, &profile))?;
    let key = Ed25519KeyPair::from_seed_unchecked(&[7; 32])?;
    let signature = key.sign(profile.as_bytes());
    let public = UnparsedPublicKey::new(&ED25519, key.public_key());
    for _ in 0..passes {
        for _ in 0..PROFILES_A_SIGNATURE {
            let mut query = database.prepare_cached("SELECT value FROM profile WHERE id = ?1")?;
            let stored: String = query.query_row([id], |row| row.get(0))?;
            let parsed: Value = serde_json::from_str(black_box(&stored))?;
            black_box(digest(&SHA256, parsed.to_string().as_bytes()));
        }
        public.verify(black_box(profile.as_bytes()), signature.as_ref())?;
    }
    Ok(())
}
