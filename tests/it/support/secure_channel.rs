//! A secure channel client for the tests: it shares only the cryptographic library with the server.

use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, Nonce, UnboundKey};
use aws_lc_rs::rsa::{OAEP_SHA256_MGF1SHA256, OaepPublicEncryptingKey, PublicEncryptingKey};
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use serde_json::{Value, json};

use super::{Answer, Request, Server};

/// The path of the endpoints for keys and sessions.
pub(crate) const CHANNEL: &str = "/web/v1/secure-channel";

/// The server's RSA key.
#[derive(Clone)]
pub(crate) struct ServerKey {
    pub(crate) id: String,
    spki: Vec<u8>,
}

/// The keys of a session, or of a message without one; `id` is then empty.
#[derive(Clone)]
pub(crate) struct Session {
    pub(crate) id: String,
    pub(crate) request_key: [u8; 32],
    pub(crate) response_key: [u8; 32],
}

/// A response whose body may be binary.
#[derive(Clone, Debug)]
pub(crate) struct Sealed {
    answer: Answer,
    bytes: Vec<u8>,
}

impl Sealed {
    /// Sends a request and reads the response.
    pub(crate) async fn of(request: Request) -> Sealed {
        let response = request.response().await;
        let (status, headers) = (response.status(), response.headers().clone());
        let bytes = response.bytes().await.unwrap().to_vec();
        Sealed { answer: Answer { status, headers, body: String::new() }, bytes }
    }

    /// The response, which was not encrypted.
    pub(crate) fn plain(self) -> Answer {
        let body = String::from_utf8(self.bytes.clone()).unwrap();
        self.with(body)
    }

    pub(crate) fn status(&self) -> reqwest::StatusCode {
        self.answer.status
    }

    /// Checks whether the body is a binary envelope.
    pub(crate) fn is_binary(&self) -> bool {
        self.bytes.starts_with(b"SC\x02\x81")
    }

    fn with(self, body: String) -> Answer {
        Answer { body, ..self.answer }
    }
}

impl ServerKey {
    /// Fetches the server's key.
    pub(crate) async fn of(server: &Server) -> ServerKey {
        let answer = server.request("GET", &format!("{CHANNEL}/public-key")).send().await;
        assert_eq!(answer.status, 200, "{answer}");
        let data = &answer.json()["data"];
        let spki = STANDARD.decode(data["publicKey"].as_str().unwrap()).unwrap();
        ServerKey { id: data["keyId"].as_str().unwrap().to_owned(), spki }
    }

    /// Encrypts a short text to the key.
    pub(crate) fn encrypt(&self, plain: &[u8]) -> Vec<u8> {
        let key = OaepPublicEncryptingKey::new(PublicEncryptingKey::from_der(&self.spki).unwrap()).unwrap();
        let mut encrypted = vec![0; key.ciphertext_size()];
        key.encrypt(&OAEP_SHA256_MGF1SHA256, plain, &mut encrypted, None).unwrap().to_vec()
    }

    /// The body of a request that opens a session with two keys.
    pub(crate) fn opening(&self, request_key: &[u8], response_key: &[u8]) -> Value {
        let encrypted = |key| STANDARD.encode(self.encrypt(key));
        json!({"keyId": self.id, "encReqKey": encrypted(request_key), "encRespKey": encrypted(response_key)})
    }

    /// A binary envelope without a session, which contains its encrypted keys.
    pub(crate) fn one_off(&self, keys: &Session, nonce: u8, plain: &str) -> Vec<u8> {
        self.one_off_to(keys, &self.encrypt(&keys.response_key), nonce, plain)
    }

    /// A binary envelope without a session, with any encrypted response key.
    pub(crate) fn one_off_to(&self, keys: &Session, response_key: &[u8], nonce: u8, plain: &str) -> Vec<u8> {
        let long = |bytes: Vec<u8>| [u16::try_from(bytes.len()).unwrap().to_be_bytes().to_vec(), bytes].concat();
        let request_key = long(self.encrypt(&keys.request_key));
        let id = [vec![u8::try_from(self.id.len()).unwrap()], self.id.clone().into_bytes()].concat();
        let payload = keys.payload(nonce, plain);
        [b"SC\x02\x01".to_vec(), id, request_key, long(response_key.to_vec()), payload].concat()
    }
}

impl Session {
    /// Returns two keys without a session.
    pub(crate) fn none() -> Session {
        Session { id: String::new(), request_key: [1; 32], response_key: [2; 32] }
    }

    /// Opens a session that belongs to no account yet.
    pub(crate) async fn open(server: &Server) -> Session {
        Session::open_by(server, server.request("POST", &format!("{CHANNEL}/session"))).await
    }

    /// Opens a session by a request, which may have credentials.
    pub(crate) async fn open_by(server: &Server, request: Request) -> Session {
        let answer = request.json(Session::opening(server).await).send().await;
        assert_eq!(answer.status, 200, "{answer}");
        Session { id: answer.json()["data"]["sessionId"].as_str().unwrap().to_owned(), ..Session::none() }
    }

    /// The body of a request that opens a session.
    pub(crate) async fn opening(server: &Server) -> String {
        let keys = Session::none();
        ServerKey::of(server).await.opening(&keys.request_key, &keys.response_key).to_string()
    }

    /// The nonce, ciphertext and tag of a request; the nonce repeats one byte.
    pub(crate) fn payload(&self, nonce: u8, plain: &str) -> Vec<u8> {
        seal(&self.request_key, [nonce; 12], &self.id, plain.as_bytes())
    }

    /// The binary envelope of a request.
    pub(crate) fn binary(&self, nonce: u8, plain: &str) -> Vec<u8> {
        [b"SC\x02\x02".to_vec(), self.payload(nonce, plain)].concat()
    }

    /// The JSON envelope of a request.
    pub(crate) fn json(&self, nonce: u8, plain: &str) -> String {
        json!({"v": 2, "p": STANDARD.encode(self.payload(nonce, plain))}).to_string()
    }

    /// Decrypts a response in a binary or JSON envelope.
    pub(crate) fn read(&self, answer: Sealed) -> Answer {
        let sealed = match answer.bytes.strip_prefix(b"SC\x02\x81") {
            Some(payload) => payload.to_vec(),
            None => {
                let envelope = serde_json::from_slice::<Value>(&answer.bytes).unwrap();
                assert_eq!((envelope.as_object().unwrap().len(), &envelope["v"]), (2, &json!(2)), "{envelope}");
                STANDARD.decode(envelope["p"].as_str().unwrap()).unwrap()
            }
        };
        let body = String::from_utf8(open(&self.response_key, &self.id, &sealed)).unwrap();
        answer.with(body)
    }
}

/// A JWE in compact form, encrypted with `RSA-OAEP-256` whatever its header contains.
pub(crate) fn jwe(key: &ServerKey, header: &Value, plain: &str) -> String {
    let content_key = [3; 32];
    let protected = URL_SAFE_NO_PAD.encode(header.to_string());
    let sealed = seal(&content_key, [4; 12], &protected, plain.as_bytes());
    let (nonce, text) = sealed.split_at(12);
    let (ciphertext, tag) = text.split_at(text.len() - 16);
    let parts = [&key.encrypt(&content_key), nonce, ciphertext, tag].map(|part| URL_SAFE_NO_PAD.encode(part));
    format!("{protected}.{}", parts.join("."))
}

fn seal(key: &[u8; 32], nonce: [u8; 12], associated: &str, plain: &[u8]) -> Vec<u8> {
    let key = LessSafeKey::new(UnboundKey::new(&AES_256_GCM, key).unwrap());
    let mut text = plain.to_vec();
    let nonce_of = Nonce::assume_unique_for_key(nonce);
    key.seal_in_place_append_tag(nonce_of, Aad::from(associated.as_bytes()), &mut text).unwrap();
    [nonce.to_vec(), text].concat()
}

fn open(key: &[u8; 32], associated: &str, sealed: &[u8]) -> Vec<u8> {
    let key = LessSafeKey::new(UnboundKey::new(&AES_256_GCM, key).unwrap());
    let (nonce, text) = sealed.split_at(12);
    let nonce = Nonce::try_assume_unique_for_key(nonce).unwrap();
    let mut text = text.to_vec();
    key.open_in_place(nonce, Aad::from(associated.as_bytes()), &mut text).unwrap().to_vec()
}
