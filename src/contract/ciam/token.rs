//! `POST /oauth2/token`: tokens for one-time codes, for refresh tokens, and for applications themselves.

use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderValue, header};
use axum::response::{self, ErrorResponse, IntoResponse, Response};
use serde::Serialize;
use utoipa::ToSchema;

use super::client::Client;
use super::parameters::{Fault, Parameters};
use super::refusal::{self, Address, refusals};
use super::update;
use crate::account::{
    AccessFault, AccountId, Application, Cause, CodeFault, Contract, CredentialFault, Error, GrantType, Patch, Status,
    Tenant,
};
use crate::app::App;
use crate::code::{CodeAttempt, CodeChallenge, Proof, Usage};
use crate::http::{body, change_context, count_source_of};
use crate::identity::sign_in::Tokens;

/// The host in the published names of the grants. They are only names: no request goes there.
pub(super) const VENDOR: &str = "http://tencentciam.com";
/// The rest of each name, after the host.
pub(super) const SMS_GRANT: &str = "/oauth2/grant-type/otp/sms";
pub(super) const EMAIL_GRANT: &str = "/oauth2/grant-type/otp/email";

/// The most attempts to find or create an account, when others sign up with the same address at the same moment.
const ATTEMPTS: usize = 3;

/// The tokens that an application gets (RFC 6749 §5.1).
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

refusals! {
    /// Why no tokens are issued.
    TokenError {
        NoGrantType: "no way to get tokens is named", "invalid_request", "grant_type is required.";
        DoubledParameter: "a parameter comes twice", "invalid_request", "A parameter is given more than once.";
        DoubledCredentials: "credentials stand in the header and in the body", "invalid_request",
            "Client credentials are given more than once.";
        NoPhone: "no number is given", "invalid_request", "phone_number is required.";
        NoEmail: "no address is given", "invalid_request", "email is required.";
        NoOtpToken: "no token of a code is given", "invalid_request", "otp_token is required.";
        NoOtp: "no code is given", "invalid_request", "otp is required.";
        NoRefreshToken: "no refresh token is given", "invalid_request", "refresh_token is required.";
        UnsupportedGrantType: "an unknown way to get tokens", "unsupported_grant_type";
        UnauthorizedClient: "the application may not get tokens in this way", "unauthorized_client";
        InvalidScope: "an application's own token opens no claims", "invalid_scope";
        InvalidRefreshToken: "a refresh token that is unknown, over, spent or another's", "invalid_grant";
        UnknownOtpToken: "the token of a code is unknown, over or used up", "invalid_grant",
            "Unknown or expired otp_token";
        MismatchedOtpToken: "the code was sent for something else, or its verifier is missing, wrong or not asked for",
            "invalid_request",
            "Mismatched OTP token and OTP sending parameters";
        UnknownOtp: "a wrong or an old code", "invalid_grant", "Unknown or expired OTP";
        UserNotFound: "no account has the address, and none is created", "invalid_grant", "User not found";
        AbnormalUserStatus: "the account may not be used", "invalid_grant", "Abnormal user status";
    }
}

/// Issues tokens.
///
/// Applications authenticate with `Authorization: Basic` or in the body; those without a secret send their identifier alone.
/// A code that was sent with a code challenge needs its verifier. The body may also be a form.
#[utoipa::path(
    post,
    path = "/token",
    operation_id = "issueTokens",
    tag = "Tokens",
    request_body(content = super::openapi::TokenWanted, description = "At most 64 KiB."),
    security((), ("application" = []))
)]
pub(super) async fn issue(State(app): State<App>, headers: HeaderMap, request: Request) -> response::Result<Response> {
    count_source_of(&app, &request)?;
    let context = change_context(Contract::Ciam, &request);
    let parameters = read(&app, request).await?;
    let (application, tenant) = authenticate(&app, &headers, &parameters).await?;
    let grant = parameters.get("grant_type").ok_or(TokenError::NoGrantType)?;
    let kind = kind(grant, app.public_url()).ok_or(TokenError::UnsupportedGrantType)?;
    if !application.may(kind) {
        return Err(TokenError::UnauthorizedClient.into());
    }
    let tokens = match kind {
        GrantType::Sms | GrantType::Email => {
            let address = if kind == GrantType::Sms { Address::Phone } else { Address::Email };
            let signing = Signing { app: &app, application: &application, tenant: &tenant, parameters: &parameters };
            let account = signing.account(address, context).await?;
            app.sign_ins().begin(&application, account).await?
        }
        GrantType::RefreshToken => {
            let token = parameters.get("refresh_token").ok_or(TokenError::NoRefreshToken)?;
            app.sign_ins().refresh(&application, token).await.map_err(refused)?
        }
        GrantType::ClientCredentials => {
            if parameters.get("scope").is_some() {
                return Err(TokenError::InvalidScope.into());
            }
            app.sign_ins().for_itself(&application).await.map_err(refused)?
        }
    };
    Ok(granted(tokens))
}

/// Reads the parameters of a request that an application makes.
pub(super) async fn read(app: &App, request: Request) -> response::Result<Parameters> {
    Parameters::read(app, request).await.map_err(|fault| match fault {
        Fault::Error(error) => error.into(),
        Fault::Doubled => TokenError::DoubledParameter.into(),
    })
}

/// Authenticates the application that makes a request, and returns it with its tenant.
pub(super) async fn authenticate(
    app: &App,
    headers: &HeaderMap,
    parameters: &Parameters,
) -> response::Result<(Application, Tenant)> {
    let client = Client::of(headers, parameters)?.ok_or(TokenError::DoubledCredentials)?;
    Ok(client.authenticate(app).await?)
}

/// Returns the grant type that a name stands for: as published, or under this server's own address.
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

/// A sign-in with a one-time code.
struct Signing<'a> {
    app: &'a App,
    application: &'a Application,
    tenant: &'a Tenant,
    parameters: &'a Parameters,
}

impl Signing<'_> {
    /// Finds or creates the account that the code is for, and uses up the code.
    async fn account(
        &self,
        address: Address,
        context: crate::account::history::ChangeContext,
    ) -> response::Result<AccountId> {
        let proof = self.prove(address).await?;
        for _ in 0..ATTEMPTS {
            if let Some(owner) = self.app.profiles().owner_of(self.tenant.id, proof.contact()).await? {
                // The account has another spelling of the address, which may be another person's mailbox, and no account has
                // this one. Signing up with this one fails too, as both have the same unique key.
                if !owner.is_proved_by(&proof) {
                    return Err(TokenError::UserNotFound.into());
                }
                if owner.account.status != Status::Active {
                    return Err(TokenError::AbnormalUserStatus.into());
                }
                self.app.store().use_code(proof.code_id()).await.map_err(refused)?;
                return Ok(owner.account.id);
            }
            let wants = self.parameters.get("auto_signup") == Some("true");
            if !(wants && self.application.auto_signup) {
                return Err(TokenError::UserNotFound.into());
            }
            match self.sign_up(&proof, &context).await {
                // Another account got the address meanwhile, by signing up or from an operator.
                Err(Error::Taken(_)) => {}
                Err(error) => return Err(refused(error)),
                Ok(id) => return Ok(id),
            }
        }
        Err(Error::Unavailable(Cause::new("an address changes hands all the time")).into())
    }

    async fn prove(&self, address: Address) -> response::Result<Proof> {
        let required = |name: &str| self.parameters.get(name);
        let typed = required(address.name()).ok_or(match address {
            Address::Phone => TokenError::NoPhone,
            Address::Email => TokenError::NoEmail,
        })?;
        let token = required("otp_token").ok_or(TokenError::NoOtpToken)?;
        let code = required("otp").ok_or(TokenError::NoOtp)?;
        let Some(contact) = update::contact(address, typed) else {
            // No code was ever sent to a malformed address.
            return Err(self.nothing(token).await);
        };
        let verifier = self.parameters.get("code_verifier");
        let challenge = verifier.map(CodeChallenge::of_verifier);
        if matches!(challenge, Some(None)) {
            // No challenge has such a verifier.
            return Err(self.nothing(token).await);
        }
        let attempt = CodeAttempt {
            tenant: self.tenant,
            usage: Usage::Login,
            contact,
            application: Some(&self.application.id),
            context: self.parameters.get("auth_source_id").unwrap_or_default(),
            challenge: challenge.flatten(),
            token,
            code,
        };
        match self.app.codes().prove(attempt).await {
            Ok(proof) => Ok(proof),
            Err(Error::Code(CodeFault::Token)) => Err(self.nothing(token).await),
            Err(Error::Code(CodeFault::Code | CodeFault::Expired)) => Err(TokenError::UnknownOtp.into()),
            Err(error) => Err(error.into()),
        }
    }

    /// Returns why a token is refused: it is unknown, or was issued for something else.
    async fn nothing(&self, token: &str) -> ErrorResponse {
        match self.app.codes().is_mismatched(Usage::Login, token).await {
            Ok(true) => TokenError::MismatchedOtpToken.into(),
            Ok(false) => TokenError::UnknownOtpToken.into(),
            Err(error) => error.into(),
        }
    }

    /// Creates an account that has nothing but the address.
    async fn sign_up(
        &self,
        proof: &Proof,
        context: &crate::account::history::ChangeContext,
    ) -> Result<AccountId, Error> {
        let account = self.app.profiles().draft(self.tenant).await?;
        let account = self.app.profiles().create_proved(account, Patch::default(), proof, context).await?;
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

/// Returns why a grant is refused.
fn refused(error: Error) -> ErrorResponse {
    match error {
        Error::Credentials(CredentialFault::Invalid) => TokenError::InvalidRefreshToken.into(),
        Error::Access(AccessFault::Denied) => TokenError::UnauthorizedClient.into(),
        Error::Access(AccessFault::AccountStatus(_)) => TokenError::AbnormalUserStatus.into(),
        Error::Code(CodeFault::Used) => TokenError::UnknownOtpToken.into(),
        error => error.into(),
    }
}

/// Returns a response with tokens, for the contract's document.
pub(super) fn example() -> Response {
    granted(Tokens {
        access_token: "eyJraWQi.eyJzdWIi.c2lnbmF0dXJl".to_owned(),
        token_id: String::new(),
        expires_in: Application::TOKEN_LIFETIME,
        refresh_token: Some("ssr_0".to_owned()),
        id_token: Some("eyJraWQi.eyJhenAi.c2lnbmF0dXJl".to_owned()),
    })
}
