//! Applications that people sign in through.

use base64::Engine as _;
use selfsame::account::{Account, Application, Kind};
use selfsame::identity::application::{mint_secret, secret_hash};
use selfsame::identity::sign_in::Tokens;
use selfsame::keys::MasterKey;
use selfsame::store::SigningKeyRecord;
use serde_json::Value;

use super::signing::Key;
use super::{Answer, Request, Server};

/// The key's `kid` in tokens.
pub(crate) const KEY_ID: &str = "shared-by-tests";

/// A caller with the credentials of an application.
pub(crate) struct Client<'a> {
    pub(crate) server: &'a Server,
    pub(crate) application: Application,
    pub(crate) secret: Option<String>,
}

impl Server {
    /// Adds an application to the server's tenant that may see these claims.
    pub(crate) async fn client(&self, kind: Kind, claims: &[&str]) -> Client<'_> {
        self.client_with(kind, claims, |_| {}).await
    }

    /// Adds an application after `edit` has changed its other properties.
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
            writes: None,
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

    /// Adds the RSA key that all tests share to the server's signing keys.
    async fn share_key(&self) {
        if self.app.store().signing_keys().await.unwrap().iter().any(|key| key.key_id == KEY_ID) {
            return;
        }
        let key = Key::rsa(KEY_ID);
        let mut public = key.jwk();
        (public["use"], public["alg"]) = ("sig".into(), "RS256".into());
        let master = MasterKey::read_or_create(&self.data().join("secret.key"), [0; 32]).unwrap();
        let record = SigningKeyRecord {
            key_id: KEY_ID.to_owned(),
            algorithm: "RS256".to_owned(),
            public_key: public.to_string(),
            sealed: master.seal([7; 12], KEY_ID, &key.private_der()),
            created_at: self.app.now(),
            retired_at: None,
        };
        self.app.store().add_signing_key(record).await.unwrap();
        self.app.issuer().refresh().await.unwrap();
    }

    /// Returns the one-time code in a message to this recipient.
    pub(crate) fn code_to(&self, to: &str) -> String {
        let mails = self.app.outbox().mailbox().unwrap().mails();
        let mail = mails.iter().find(|mail| mail.to == to).unwrap_or_else(|| panic!("no message went to {to}"));
        let digits: Vec<&str> = mail.text.split(|c: char| !c.is_ascii_digit()).filter(|run| run.len() == 6).collect();
        digits[0].to_owned()
    }
}

impl Client<'_> {
    /// Signs an account in and returns its tokens.
    pub(crate) async fn tokens(&self, account: &Account) -> Tokens {
        self.server.app.sign_ins().begin(&self.application, account.id).await.unwrap()
    }

    /// Signs an account in and returns its access token.
    pub(crate) async fn token(&self, account: &Account) -> String {
        self.tokens(account).await.access_token
    }

    /// Adds the application's credentials to the `Authorization` header.
    pub(crate) fn authenticated(&self, request: Request) -> Request {
        let secret = self.secret.as_deref().unwrap_or_default();
        request.header("Authorization", &basic(&self.application.id, secret))
    }

    /// Requests a one-time code.
    pub(crate) async fn send(&self, body: Value) -> Answer {
        self.authenticated(self.server.request("POST", "/otp/send")).json(body.to_string()).send().await
    }

    /// Requests a one-time code and returns its `otp_token`.
    pub(crate) async fn otp_token(&self, body: Value) -> String {
        let answer = self.send(body).await;
        assert_eq!(answer.status, 200, "{answer}");
        answer.json()["otp_token"].as_str().unwrap().to_owned()
    }

    /// Requests tokens with these members and the application's credentials in the body.
    pub(crate) async fn ask(&self, members: Value) -> Answer {
        self.post("/oauth2/token", members).await
    }

    /// Sends these members and the application's credentials to any path.
    pub(crate) async fn post(&self, path: &str, mut members: Value) -> Answer {
        members["client_id"] = self.application.id.as_str().into();
        if let Some(secret) = &self.secret {
            members["client_secret"] = secret.as_str().into();
        }
        self.server.request("POST", path).json(members.to_string()).send().await
    }
}

/// Renders Basic credentials that need no escaping.
pub(crate) fn basic(id: &str, secret: &str) -> String {
    format!("Basic {}", base64::engine::general_purpose::STANDARD.encode(format!("{id}:{secret}")))
}

/// A verifier and its challenge (RFC 7636 §4), as a client makes them.
pub(crate) struct Pkce {
    pub(crate) verifier: String,
    pub(crate) challenge: String,
}

impl Pkce {
    /// Makes another pair with each call.
    pub(crate) fn new(server: &Server) -> Pkce {
        let verifier = format!("{}~", server.app.new_id().simple()).repeat(2);
        let hash = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, verifier.as_bytes());
        let challenge = base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(hash);
        Pkce { verifier, challenge }
    }
}
