//! CIAM's contract: `/userinfo`, the codes and tokens that lead to it, and discovery.

mod claims;
mod client;
mod discovery;
mod openapi;
mod otp;
mod parameters;
mod refusal;
mod revoke;
mod token;
mod update;

use axum::Router;
use axum::extract::{FromRequestParts, Request, State};
use axum::http::request::Parts;
use axum::http::{HeaderValue, Method, header};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::account::{AccessFault, Account, Application, CodeFault, Contract, CredentialFault, Error, Rules};
use crate::app::App;
use crate::code::{CodeAttempt, Proof, Usage};
use crate::http::{
    self, ErrorRenderer, allow_origin, annotated, caller_is_known, change_context, count_source, with_error_layer,
};
use crate::identity::Caller;
use refusal::{Address, Refused};

pub(super) use claims::RESERVED_ATTRIBUTES;
pub(super) use openapi::document;

/// The largest body, in bytes.
const MAX_BODY: usize = 64 * 1024;
/// `Cache-Control` of the contract's responses, which must not be cached.
const NO_STORE: HeaderValue = HeaderValue::from_static("no-store");

/// The prefixes of the contract's paths, each with its error renderer; the contract has no common prefix.
pub(super) const PREFIXES: [(&str, ErrorRenderer); 4] = [
    ("/userinfo", refusal::render_error),
    ("/otp", refusal::render_for_sender),
    ("/oauth2", refusal::render_for_application),
    ("/.well-known", refusal::render_for_application),
];

/// Returns the contract's routes.
pub(super) fn routes(app: &App) -> Router<App> {
    PREFIXES.into_iter().fold(Router::new(), |routes, (prefix, render_error)| {
        let layered = with_error_layer(paths(prefix).into(), app, "ciam", render_error);
        // Outside of the error layer, since pages read error responses, too.
        routes.nest(prefix, layered.layer(from_fn_with_state(app.clone(), share)))
    })
}

/// Returns the paths below a prefix.
fn paths(prefix: &str) -> OpenApiRouter<App> {
    let router = OpenApiRouter::new();
    match prefix {
        "/userinfo" => router.routes(annotated(routes!(show, show_posted, update), "GET, HEAD, POST, PATCH, OPTIONS")),
        "/otp" => router.routes(annotated(routes!(otp::send), "POST, OPTIONS")),
        "/oauth2" => router
            .routes(annotated(routes!(token::issue), "POST, OPTIONS"))
            .routes(annotated(routes!(revoke::revoke), "POST, OPTIONS"))
            .routes(annotated(routes!(discovery::keys), "GET, HEAD, OPTIONS")),
        _ => router.routes(annotated(routes!(discovery::show), "GET, HEAD, OPTIONS")),
    }
}

/// Shows the person's claims.
///
/// The response has `sub` and every claim that the application may see and that has a value. E-mail address and phone number
/// are shown only while they are verified.
#[utoipa::path(
    get,
    path = "/",
    operation_id = "showClaims",
    tag = "Person",
    security(("token" = []))
)]
async fn show(State(app): State<App>, person: Authenticated) -> Result<Response, Error> {
    let rules = app.profiles().rules(&person.caller.tenant).await?;
    person.answer(&app, &person.caller.account, &rules)
}

/// Shows the person's claims, as `GET` does.
///
/// The body is not read: the token must be in the header.
#[utoipa::path(
    post,
    path = "/",
    operation_id = "showClaimsPosted",
    tag = "Person",
    security(("token" = []))
)]
async fn show_posted(state: State<App>, person: Authenticated) -> Result<Response, Error> {
    show(state, person).await
}

/// Changes the person's own attributes.
///
/// Absent members stay unchanged, a member that is not an attribute refuses the whole change, and an empty string clears an
/// attribute. A phone number or an e-mail address needs the token and the code from `POST /otp/send` with `update_userinfo`.
/// A change is made as a whole or not at all, and a refused change does not use up its codes.
#[utoipa::path(
    patch,
    path = "/",
    operation_id = "updateClaims",
    tag = "Person",
    request_body(content = openapi::ClaimsUpdate, description = "At most 64 KiB."),
    security(("token" = []))
)]
async fn update(State(app): State<App>, person: Authenticated, request: Request) -> Result<Response, Response> {
    let context = change_context(Contract::Ciam, &request);
    let answer = |error: Error| error.into_response();
    let body = http::body::object(&app, request, MAX_BODY).await.map_err(answer)?;
    let rules = app.profiles().rules(&person.caller.tenant).await.map_err(answer)?;
    http::body::refuse_nul_outside(&body, &update::names(&rules)).map_err(answer)?;
    let account = &person.caller.account;
    let present = account.attributes().map_err(answer)?;
    let update = update::read(&body, account, present, &rules, person.application.as_ref());
    let update = update.map_err(IntoResponse::into_response)?;
    let proofs = person.prove(&app, update.addresses).await?;
    let addresses: Vec<Address> = proofs.iter().map(|(address, _)| *address).collect();
    let proofs = proofs.into_iter().map(|(_, proof)| proof).collect();
    let account = person.caller.account.clone();
    match app.profiles().update_proved(account, update.patch, proofs, context, Account::require_active).await {
        Ok(account) => person.answer(&app, &account, &rules).map_err(answer),
        // A code was used or replaced meanwhile; if there are two, it is not known which.
        Err(Error::Code(CodeFault::Used)) => {
            let address = addresses.first().copied().unwrap_or(Address::Phone);
            Err(Refused::BadToken(address).into_response())
        }
        Err(error) => Err(error.into_response()),
    }
}

/// A person with a token for claims, and the registered application that it was issued to, if any.
struct Authenticated {
    caller: Caller,
    application: Option<Application>,
}

impl FromRequestParts<App> for Authenticated {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Authenticated, Error> {
        count_source(app, parts)?;
        // The published page has exactly one space; the other contracts accept several.
        let doubled = parts.headers.get(header::AUTHORIZATION).is_some_and(|value| {
            let scheme = value.as_bytes().split_at_checked(8);
            scheme.is_some_and(|(scheme, _)| scheme.eq_ignore_ascii_case(b"bearer  "))
        });
        if doubled {
            return Err(CredentialFault::Invalid.into());
        }
        let (caller, application) = app.authenticator().claims(&parts.headers).await?;
        if !caller.tenant.is_open(app.now()) {
            return Err(AccessFault::TenantClosed.into());
        }
        caller.account.require_active()?;
        app.limits().account(Contract::Ciam, caller.account.id)?;
        caller_is_known(&parts.extensions);
        Ok(Authenticated { caller, application })
    }
}

impl Authenticated {
    /// Renders the account's claims that the token may show.
    fn answer(&self, app: &App, account: &Account, rules: &Rules) -> Result<Response, Error> {
        let subject = &self.caller.token().subject;
        let visible = claims::visible(&self.caller, self.application.as_ref());
        let shown = claims::shown(subject, account, rules, &visible, app.public_url())?;
        Ok(discovery::described(&shown))
    }

    /// Checks every code before it reports an error: a wrong token takes precedence over a wrong code.
    async fn prove(
        &self,
        app: &App,
        addresses: Vec<update::ClaimedAddress>,
    ) -> Result<Vec<(Address, Proof)>, Response> {
        let mut proofs = Vec::new();
        let mut wrong_codes = Vec::new();
        for update::ClaimedAddress { address, contact, token, code } in addresses {
            let attempt = CodeAttempt {
                tenant: &self.caller.tenant,
                usage: Usage::UpdateUserinfo,
                contact,
                application: None,
                context: "",
                challenge: None,
                token: token.as_deref().unwrap_or_default(),
                code: code.as_deref().unwrap_or_default(),
            };
            match app.codes().prove(attempt).await {
                Ok(proof) => proofs.push((address, proof)),
                Err(Error::Code(CodeFault::Token)) => return Err(Refused::BadToken(address).into_response()),
                Err(Error::Code(CodeFault::Code | CodeFault::Expired)) => wrong_codes.push(address),
                Err(error) => return Err(error.into_response()),
            }
        }
        match wrong_codes.first() {
            Some(address) => Err(Refused::BadCode(*address).into_response()),
            None => Ok(proofs),
        }
    }
}

/// Lets the pages of applications read the response (the Fetch standard's CORS protocol). The origins of all applications
/// are allowed: which application asks is known too late for this, and not at all in a preflight. Looking an origin up is a
/// query, so a request with one is counted even if its endpoint does not count it, and beyond the limit nothing is looked up.
async fn share(State(app): State<App>, mut request: Request, next: Next) -> Response {
    let origin = request.headers().get(header::ORIGIN).cloned();
    let origin = origin.filter(|_| http::count_early(&app, &mut request));
    let method: Method = request.method().clone();
    let mut response = next.run(request).await;
    if let Some(origin) = origin
        && let Ok(text) = origin.to_str()
        && app.store().is_application_origin(text).await.unwrap_or(false)
    {
        allow_origin(origin, &method, response.headers_mut());
    }
    response
}
