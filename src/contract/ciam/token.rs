//! `POST /oauth2/token`: tokens for one-time codes, for refresh tokens, and for applications themselves.

use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use utoipa::ToSchema;

use super::client::Client;
use super::parameters::{Fault, Parameters};
use super::refusal::{self, Address};
use super::wish;
use crate::account::{
    AccessFault, AccountId, Application, CodeFault, Contract, CredentialFault, Error, GrantType, Patch, Status, Tenant,
};
use crate::app::App;
use crate::code::{Offered, Proof, Usage};
use crate::http::{body, count_source_of, occasion};
use crate::identity::sign_in::Tokens;

/// The host in the names of the grants as they are published. They are names: nobody is asked there.
pub(super) const VENDOR: &str = "http://tencentciam.com";
/// What follows the host.
pub(super) const SMS_GRANT: &str = "/oauth2/grant-type/otp/sms";
pub(super) const EMAIL_GRANT: &str = "/oauth2/grant-type/otp/email";

const MISMATCHED: &str = "Mismatched OTP token and OTP sending parameters";
const NOT_FOUND: &str = "User not found";

/// How often signing up is tried again when somebody else signs up with the same address in the very moment.
const ATTEMPTS: usize = 3;

/// What an application gets (RFC 6749 §5.1).
#[derive(Serialize, ToSchema)]
pub(super) struct Granted {
    access_token: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    refresh_token: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    scope: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    id_token: Option<String>,
    token_type: &'static str,
    expires_in: i64,
}

/// Issues tokens.
///
/// Applications prove who they are by `Authorization: Basic` or in the body; those that keep no secret give their identifier
/// alone. The body may be a form as well.
#[utoipa::path(
    post,
    path = "/token",
    operation_id = "issueTokens",
    tag = "Tokens",
    request_body(content = super::openapi::TokenWanted, description = "At most 64 KiB."),
    security((), ("application" = []))
)]
pub(super) async fn issue(State(app): State<App>, headers: HeaderMap, request: Request) -> Result<Response, Response> {
    count_source_of(&app, &request).map_err(said)?;
    let occasion = occasion(Contract::Ciam, &request);
    let parameters = read(&app, request).await?;
    let (application, tenant) = authenticate(&app, &headers, &parameters).await?;
    let grant = parameters.get("grant_type").ok_or_else(|| invalid("grant_type is required."))?;
    let kind = kind(grant, app.public_url());
    let kind = kind.ok_or_else(|| refusal::answer(StatusCode::BAD_REQUEST, "unsupported_grant_type", None))?;
    if !application.may(kind) {
        return Err(refusal::answer(StatusCode::BAD_REQUEST, "unauthorized_client", None));
    }
    let tokens = match kind {
        GrantType::Sms | GrantType::Email => {
            let address = if kind == GrantType::Sms { Address::Phone } else { Address::Email };
            let signing = Signing { app: &app, application: &application, tenant: &tenant, parameters: &parameters };
            let account = signing.account(address, occasion).await?;
            app.sign_ins().begin(&application, account).await.map_err(said)?
        }
        GrantType::RefreshToken => {
            let token = parameters.get("refresh_token").ok_or_else(|| invalid("refresh_token is required."))?;
            app.sign_ins().refresh(&application, token).await.map_err(refused)?
        }
        GrantType::ClientCredentials => {
            if parameters.get("scope").is_some() {
                return Err(refusal::answer(StatusCode::BAD_REQUEST, "invalid_scope", None));
            }
            app.sign_ins().for_itself(&application).await.map_err(said)?
        }
    };
    Ok(granted(tokens))
}

/// Reads the parameters of a request that an application makes.
pub(super) async fn read(app: &App, request: Request) -> Result<Parameters, Response> {
    Parameters::read(app, request).await.map_err(|fault| match fault {
        Fault::Error(error) => said(error),
        Fault::Doubled => invalid("A parameter is given more than once."),
    })
}

/// The application that makes a request, and its tenant.
pub(super) async fn authenticate(
    app: &App,
    headers: &HeaderMap,
    parameters: &Parameters,
) -> Result<(Application, Tenant), Response> {
    let client = Client::of(headers, parameters).map_err(said)?;
    let client = client.ok_or_else(|| invalid("Client credentials are given more than once."))?;
    client.authenticate(app).await.map_err(said)
}

/// The way to get tokens that a name means: as published, or under this server's own address.
fn kind(grant: &str, public_url: &str) -> Option<GrantType> {
    let of_code = [VENDOR, public_url].into_iter().find_map(|host| grant.strip_prefix(host));
    match of_code.unwrap_or(grant) {
        SMS_GRANT if of_code.is_some() => Some(GrantType::Sms),
        EMAIL_GRANT if of_code.is_some() => Some(GrantType::Email),
        "refresh_token" => Some(GrantType::RefreshToken),
        "client_credentials" => Some(GrantType::ClientCredentials),
        _ => None,
    }
}

/// Somebody signs in with a code.
struct Signing<'a> {
    app: &'a App,
    application: &'a Application,
    tenant: &'a Tenant,
    parameters: &'a Parameters,
}

impl Signing<'_> {
    /// Whose account the code is for, found or made; the code is used up.
    async fn account(
        &self,
        address: Address,
        occasion: crate::account::history::Occasion,
    ) -> Result<AccountId, Response> {
        let proof = self.prove(address).await?;
        for _ in 0..ATTEMPTS {
            if let Some(owner) = self.app.profiles().owner_of(self.tenant.id, proof.contact()).await.map_err(said)? {
                // The account has another spelling, which may be another person's mailbox; no account has this one. Nor can
                // one sign up with it, as the two are unique together.
                if !owner.is_proved_by(&proof) {
                    return Err(grant(NOT_FOUND));
                }
                if owner.account.status != Status::Active {
                    return Err(grant("Abnormal user status"));
                }
                self.app.store().use_code(proof.challenge()).await.map_err(refused)?;
                return Ok(owner.account.id);
            }
            let wants = self.parameters.get("auto_signup") == Some("true");
            if !(wants && self.application.auto_signup) {
                return Err(grant(NOT_FOUND));
            }
            match self.sign_up(&proof, &occasion).await {
                // Somebody else signed up with the address meanwhile, or an operator gave it to them.
                Err(Error::Taken(_)) => {}
                Err(error) => return Err(refused(error)),
                Ok(id) => return Ok(id),
            }
        }
        Err(said(Error::Unavailable(crate::account::Cause::new("an address changes hands all the time"))))
    }

    async fn prove(&self, address: Address) -> Result<Proof, Response> {
        let required = |name: &str| self.parameters.get(name);
        let typed = required(address.name()).ok_or_else(|| match address {
            Address::Phone => invalid("phone_number is required."),
            Address::Email => invalid("email is required."),
        })?;
        let token = required("otp_token").ok_or_else(|| invalid("otp_token is required."))?;
        let code = required("otp").ok_or_else(|| invalid("otp is required."))?;
        let Some(contact) = wish::contact(address, typed) else {
            // What is no address was never sent a code.
            return Err(self.nothing(token).await);
        };
        let offered = Offered {
            tenant: self.tenant,
            usage: Usage::Login,
            contact,
            application: Some(&self.application.id),
            context: self.parameters.get("auth_source_id").unwrap_or_default(),
            token,
            code,
        };
        match self.app.codes().prove(offered).await {
            Ok(proof) => Ok(proof),
            Err(Error::Code(CodeFault::Token)) => Err(self.nothing(token).await),
            Err(Error::Code(CodeFault::Code | CodeFault::Expired)) => Err(grant("Unknown or expired OTP")),
            Err(error) => Err(said(error)),
        }
    }

    /// Why a token leads to nothing: it is none, or not for this.
    async fn nothing(&self, token: &str) -> Response {
        match self.app.codes().is_mismatched(Usage::Login, token).await {
            Ok(true) => invalid(MISMATCHED),
            Ok(false) => grant("Unknown or expired otp_token"),
            Err(error) => said(error),
        }
    }

    /// An account of which nothing is known but the address.
    async fn sign_up(&self, proof: &Proof, occasion: &crate::account::history::Occasion) -> Result<AccountId, Error> {
        let account = self.app.profiles().draft(self.tenant).await?;
        let account = self.app.profiles().create_proved(account, Patch::default(), proof, occasion).await?;
        Ok(account.id)
    }
}

fn granted(tokens: Tokens) -> Response {
    let scope = tokens.id_token.is_some().then_some("openid");
    let Tokens { access_token, expires_in, refresh_token, id_token, .. } = tokens;
    let granted = Granted { access_token, refresh_token, scope, id_token, token_type: "Bearer", expires_in };
    let headers = [
        (header::CONTENT_TYPE, refusal::ERROR_TYPE),
        (header::CACHE_CONTROL, super::NO_STORE),
        (header::PRAGMA, HeaderValue::from_static("no-cache")),
    ];
    (headers, body::json(&granted)).into_response()
}

/// Says why a grant is good for nothing (RFC 6749 §5.2).
fn refused(error: Error) -> Response {
    match error {
        Error::Credentials(CredentialFault::Invalid) => refusal::answer(StatusCode::BAD_REQUEST, "invalid_grant", None),
        Error::Access(AccessFault::AccountStatus(_)) => grant("Abnormal user status"),
        Error::Code(CodeFault::Used) => grant("Unknown or expired otp_token"),
        error => said(error),
    }
}

fn grant(text: &'static str) -> Response {
    refusal::answer(StatusCode::BAD_REQUEST, "invalid_grant", Some(text))
}

fn invalid(text: &'static str) -> Response {
    refusal::answer(StatusCode::BAD_REQUEST, "invalid_request", Some(text))
}

/// Tokens, for the contract's document.
pub(super) fn example() -> Response {
    granted(Tokens {
        access_token: "eyJraWQi.eyJzdWIi.c2lnbmF0dXJl".to_owned(),
        token_id: String::new(),
        expires_in: Application::TOKEN_LIFETIME,
        refresh_token: Some("ssr_0".to_owned()),
        id_token: Some("eyJraWQi.eyJhenAi.c2lnbmF0dXJl".to_owned()),
    })
}

/// Every refusal of its own, for the contract's document.
pub(super) fn refusals() -> Vec<(&'static str, Response)> {
    let bad = |error| refusal::answer(StatusCode::BAD_REQUEST, error, None);
    vec![
        ("no way to get tokens is named", invalid("grant_type is required.")),
        ("a parameter comes twice", invalid("A parameter is given more than once.")),
        ("credentials stand in the header and in the body", invalid("Client credentials are given more than once.")),
        ("no number is given", invalid("phone_number is required.")),
        ("no address is given", invalid("email is required.")),
        ("no token of a code is given", invalid("otp_token is required.")),
        ("no code is given", invalid("otp is required.")),
        ("no refresh token is given", invalid("refresh_token is required.")),
        ("an unknown way to get tokens", bad("unsupported_grant_type")),
        ("the application may not get tokens in this way", bad("unauthorized_client")),
        ("an application's own token opens no claims", bad("invalid_scope")),
        ("a refresh token that is unknown, over, spent or another's", bad("invalid_grant")),
        ("the token of a code is unknown, over or used up", grant("Unknown or expired otp_token")),
        ("the code was sent for something else", invalid(MISMATCHED)),
        ("a wrong or an old code", grant("Unknown or expired OTP")),
        ("nobody has the address, and nobody is signed up", grant(NOT_FOUND)),
        ("the account may not be used", grant("Abnormal user status")),
    ]
}

/// Leaves an error to the contract's words for it.
pub(super) fn said(error: Error) -> Response {
    error.into_response()
}
