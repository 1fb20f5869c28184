//! Tokens that the embedded issuer would never issue, signed with its key.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::{Algorithm, EncodingKey};
use selfsame::account::Account;
use selfsame::keys::MasterKey;
use selfsame::store::SigningKeyRecord;
use serde_json::{Value, json};

use super::Server;

/// The embedded issuer's key, for forged tokens.
pub(crate) struct Forge {
    key_id: String,
    key: EncodingKey,
    /// The public half as a JWK.
    pub(crate) public_key: String,
    issuer: String,
    now: i64,
}

impl Forge {
    /// Decrypts the signing key of a server with its master key.
    pub(crate) async fn of(server: &Server) -> Forge {
        // The first key is generated on first use.
        server.app.issuer().published().await.unwrap();
        let records = server.app.store().signing_keys().await.unwrap();
        let signing = |record: &SigningKeyRecord| record.retired_at.is_none() && record.algorithm == "EdDSA";
        let record = records.into_iter().find(signing).unwrap();
        let master = MasterKey::read_or_create(&server.data().join("secret.key"), [0; 32]).unwrap();
        let private = master.open(&record.key_id, &record.sealed).unwrap();
        Forge {
            key: EncodingKey::from_ed_der(&private),
            key_id: record.key_id,
            public_key: record.public_key,
            issuer: server.app.issuer().name().to_owned(),
            now: server.app.now().as_second(),
        }
    }

    /// The header of a valid token, with members added or replaced; `null` removes a member.
    pub(crate) fn header(&self, changes: Value) -> Value {
        changed(json!({ "typ": "at+jwt", "alg": "EdDSA", "kid": self.key_id }), changes)
    }

    /// The claims of a valid token for the System portal, with claims added or replaced; `null` removes a claim.
    pub(crate) fn claims(&self, account: &Account, changes: Value) -> Value {
        let claims = json!({
            "iss": self.issuer,
            "sub": account.id.to_string(),
            "aud": "system",
            "client_id": "selfsame",
            "iat": self.now,
            "exp": self.now + 3600,
            "jti": "forged",
            "scope": "profile",
        });
        changed(claims, changes)
    }

    /// Signs a token with any header and claims.
    pub(crate) fn sign(&self, header: &Value, claims: &Value) -> String {
        signed(header, claims, &self.key, Algorithm::EdDSA)
    }

    /// Signs a token with a valid header and these changes of its claims.
    pub(crate) fn token(&self, account: &Account, changes: Value) -> String {
        self.sign(&self.header(json!({})), &self.claims(account, changes))
    }

    /// The server's time when the key was opened, in seconds since 1970.
    pub(crate) fn now(&self) -> i64 {
        self.now
    }
}

/// Signs a token with any key.
pub(crate) fn signed(header: &Value, claims: &Value, key: &EncodingKey, algorithm: Algorithm) -> String {
    let message = message(header, claims);
    let signature = jsonwebtoken::crypto::sign(message.as_bytes(), key, algorithm).unwrap();
    format!("{message}.{signature}")
}

/// The signing input of a token: the encoded header and claims with a dot between them.
pub(crate) fn message(header: &Value, claims: &Value) -> String {
    let encode = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
    format!("{}.{}", encode(header), encode(claims))
}

fn changed(mut object: Value, changes: Value) -> Value {
    let members = object.as_object_mut().unwrap();
    for (name, value) in changes.as_object().unwrap() {
        match value {
            Value::Null => drop(members.remove(name)),
            value => drop(members.insert(name.clone(), value.clone())),
        }
    }
    object
}
