//! Applications that people sign in through.

use std::sync::LazyLock;

use aws_lc_rs::encoding::{AsDer as _, Pkcs8V1Der};
use aws_lc_rs::rsa::{KeyPair, KeySize};
use aws_lc_rs::signature::KeyPair as _;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use selfsame::account::{Account, Application, Kind};
use selfsame::identity::application::{mint_secret, secret_hash};
use selfsame::identity::sign_in::Tokens;
use selfsame::keys::{MasterKey, rsa};
use selfsame::store::SigningKeyRecord;
use serde_json::{Value, json};

use super::{Answer, Request, Server};

/// Made once: making an RSA key takes as long as many tests.
static RSA: LazyLock<KeyPair> = LazyLock::new(|| KeyPair::generate(KeySize::Rsa2048).unwrap());

/// What the key is called in tokens.
pub(crate) const KEY_ID: &str = "shared-by-tests";

/// Somebody who calls the server as an application.
pub(crate) struct Client<'a> {
    pub(crate) server: &'a Server,
    pub(crate) application: Application,
    pub(crate) secret: Option<String>,
}

impl Server {
    /// An application of the server's tenant that may see claims.
    pub(crate) async fn client(&self, kind: Kind, claims: &[&str]) -> Client<'_> {
        self.client_with(kind, claims, |_| {}).await
    }

    /// The same, with whatever else is to be true of it.
    pub(crate) async fn client_with(
        &self,
        kind: Kind,
        claims: &[&str],
        edit: impl FnOnce(&mut Application),
    ) -> Client<'_> {
        self.share_key().await;
        let mut application = Application {
            id: self.app.new_id().to_string(),
            tenant_id: self.tenant.id,
            name: "test".to_owned(),
            kind,
            grants: kind.grants(),
            claims: claims.iter().map(|claim| (*claim).to_owned()).collect(),
            origins: Vec::new(),
            auto_signup: false,
            token_lifetime: Application::TOKEN_LIFETIME,
            secret_hash: None,
            created_at: self.app.now(),
            updated_at: self.app.now(),
        };
        edit(&mut application);
        let secret = kind.keeps_a_secret().then(mint_secret);
        application.secret_hash = secret.as_deref().map(|secret| secret_hash(self.app.keys(), &application.id, secret));
        self.app.store().add_application(&application).await.unwrap();
        Client { server: self, application, secret }
    }

    /// Lets tokens of applications be signed with the key that all tests share.
    async fn share_key(&self) {
        if self.app.store().signing_keys().await.unwrap().iter().any(|key| key.key_id == KEY_ID) {
            return;
        }
        let private: Pkcs8V1Der = RSA.as_der().unwrap();
        let modulus = URL_SAFE_NO_PAD.encode(rsa::modulus(RSA.public_key().as_ref()).unwrap());
        let public = json!({"kty": "RSA", "use": "sig", "alg": "RS256", "n": modulus, "e": "AQAB", "kid": KEY_ID});
        let master = MasterKey::read_or_create(&self.data().join("secret.key"), [0; 32]).unwrap();
        let record = SigningKeyRecord {
            key_id: KEY_ID.to_owned(),
            algorithm: "RS256".to_owned(),
            public_key: public.to_string(),
            sealed: master.seal([7; 12], KEY_ID, private.as_ref()),
            created_at: self.app.now(),
            retired_at: None,
        };
        self.app.store().add_signing_key(record).await.unwrap();
        self.app.issuer().refresh().await.unwrap();
    }

    /// The code in the newest message, to whom it went.
    pub(crate) fn code_to(&self, to: &str) -> String {
        let mails = self.app.outbox().mailbox().unwrap().mails();
        let mail = mails.iter().find(|mail| mail.to == to).unwrap_or_else(|| panic!("no message went to {to}"));
        let digits: Vec<&str> = mail.text.split(|c: char| !c.is_ascii_digit()).filter(|run| run.len() == 6).collect();
        digits[0].to_owned()
    }
}

impl Client<'_> {
    /// What an account's person gets by signing in.
    pub(crate) async fn tokens(&self, account: &Account) -> Tokens {
        self.server.app.sign_ins().begin(&self.application, account.id).await.unwrap()
    }

    /// An access token for an account.
    pub(crate) async fn token(&self, account: &Account) -> String {
        self.tokens(account).await.access_token
    }

    /// Proves who it is in the header.
    pub(crate) fn authenticated(&self, request: Request) -> Request {
        let secret = self.secret.as_deref().unwrap_or_default();
        request.header("Authorization", &basic(&self.application.id, secret))
    }

    /// Has a code sent.
    pub(crate) async fn send(&self, body: Value) -> Answer {
        self.authenticated(self.server.request("POST", "/otp/send")).json(body.to_string()).send().await
    }

    /// Has a code sent and returns its token.
    pub(crate) async fn otp_token(&self, body: Value) -> String {
        let answer = self.send(body).await;
        assert_eq!(answer.status, 200, "{answer}");
        answer.json()["otp_token"].as_str().unwrap().to_owned()
    }

    /// Asks for tokens with these members and its credentials in the body.
    pub(crate) async fn ask(&self, members: Value) -> Answer {
        self.post("/oauth2/token", members).await
    }

    /// The same to any path.
    pub(crate) async fn post(&self, path: &str, mut members: Value) -> Answer {
        members["client_id"] = self.application.id.as_str().into();
        if let Some(secret) = &self.secret {
            members["client_secret"] = secret.as_str().into();
        }
        self.server.request("POST", path).json(members.to_string()).send().await
    }
}

/// Credentials that need no escapes.
pub(crate) fn basic(id: &str, secret: &str) -> String {
    format!("Basic {}", base64::engine::general_purpose::STANDARD.encode(format!("{id}:{secret}")))
}
