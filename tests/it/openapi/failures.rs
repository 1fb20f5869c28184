//! 408, 500 and 503 of RiverGen and CIAM, produced by a server and not only rendered for the document.

use selfsame::account::Patch;

use super::Document;
use super::answers::check;
use crate::support::applications::basic;
use crate::support::{Answer, Database, Person, Server, Transcript, Wire};

/// An operation of a contract: its method and path, whether it reads a body, and whose credentials it needs.
struct Operation {
    contract: &'static str,
    method: &'static str,
    path: &'static str,
    has_body: bool,
    credentials: Credentials,
}

#[derive(Clone, Copy, PartialEq)]
enum Credentials {
    RiverGen,
    Ciam,
    Application,
    None,
}

const fn operation(
    contract: &'static str,
    method: &'static str,
    path: &'static str,
    has_body: bool,
    credentials: Credentials,
) -> Operation {
    Operation { contract, method, path, has_body, credentials }
}

const OPERATIONS: [Operation; 12] = [
    operation("rivergen", "GET", "/api/v1/auth/me", false, Credentials::RiverGen),
    operation("rivergen", "PUT", "/api/v1/auth/me/profile", true, Credentials::RiverGen),
    operation("rivergen", "POST", "/api/v1/auth/me/email/request", true, Credentials::RiverGen),
    operation("rivergen", "POST", "/api/v1/auth/me/email/verify", true, Credentials::RiverGen),
    operation("ciam", "GET", "/userinfo", false, Credentials::Ciam),
    operation("ciam", "POST", "/userinfo", false, Credentials::Ciam),
    operation("ciam", "PATCH", "/userinfo", true, Credentials::Ciam),
    operation("ciam", "POST", "/otp/send", true, Credentials::Application),
    operation("ciam", "POST", "/oauth2/token", true, Credentials::Application),
    operation("ciam", "POST", "/oauth2/revoke", true, Credentials::Application),
    operation("ciam", "GET", "/oauth2/jwks", false, Credentials::None),
    operation("ciam", "GET", "/.well-known/openid-configuration", false, Credentials::None),
];

impl Operation {
    fn credentials(&self, person: &Person<'_>) -> Option<String> {
        let secret = person.client.secret.as_deref().unwrap_or_default();
        match self.credentials {
            Credentials::RiverGen => Some(format!("Bearer {}", person.river)),
            Credentials::Ciam => Some(format!("Bearer {}", person.claims)),
            Credentials::Application => Some(basic(&person.client.application.id, secret)),
            Credentials::None => None,
        }
    }

    /// A body that a server that works accepts.
    fn body(&self) -> &'static str {
        match self.path {
            "/api/v1/auth/me/email/request" => r#"{"new_email":"new@example.com"}"#,
            "/api/v1/auth/me/email/verify" => r#"{"new_email":"new@example.com","otp_code":"000000"}"#,
            "/otp/send" => r#"{"email":"jane@example.com"}"#,
            "/oauth2/token" => r#"{"grant_type":"client_credentials"}"#,
            "/oauth2/revoke" => r#"{"token":"unknown"}"#,
            "/userinfo" => r#"{"name":"Jane"}"#,
            _ => r#"{"display_name":"Jane"}"#,
        }
    }

    async fn answer(&self, person: &Person<'_>) -> Answer {
        let mut request = person.server.request(self.method, self.path);
        if let Some(credentials) = self.credentials(person) {
            request = request.header("Authorization", &credentials);
        }
        if self.has_body { request.json(self.body()).send().await } else { request.send().await }
    }

    fn name(&self) -> String {
        format!("{} {}", self.method, self.path)
    }
}

/// Sends the requests of all operations for which `fails` returns true, and returns the answers, each of which must be
/// documented.
async fn failed(server: &Server, person: &Person<'_>, status: u16, fails: impl Fn(&Operation) -> bool) -> String {
    let mut transcript = Transcript::default();
    for operation in OPERATIONS.iter().filter(|operation| fails(operation)) {
        let answer = operation.answer(person).await;
        check(&Document::of(operation.contract), operation.method, operation.path, status, &answer);
        transcript.add(operation.name(), &answer);
    }
    without_time(&transcript.to_string(), server)
}

/// RiverGen's errors contain the time.
fn without_time(text: &str, server: &Server) -> String {
    text.replace(&server.app.now().to_string(), "TIME")
}

on_both_databases!(
    async fn a_row_that_cannot_be_read_is_500_in_each_operation(server: Server) {
        let person = Person::new(&server, Patch::default()).await;
        server.database().execute("UPDATE account SET personal_key = 99").await;
        let of_person = failed(&server, &person, 500, |operation| {
            matches!(operation.credentials, Credentials::RiverGen | Credentials::Ciam)
        });
        insta::assert_snapshot!(of_person.await, @r#"
        > GET /api/v1/auth/me
        > PUT /api/v1/auth/me/profile
        > POST /api/v1/auth/me/email/request
        > POST /api/v1/auth/me/email/verify
        500 Internal Server Error
        content-type: application/json

        {"success":false,"error":{"code":"INTERNAL_ERROR","message":"Internal server error","timestamp":"TIME"},"message":"Internal server error"}

        > GET /userinfo
        > POST /userinfo
        > PATCH /userinfo
        500 Internal Server Error
        cache-control: no-store
        content-type: application/json;charset=UTF-8

        {"error":"server_error"}
        "#);
        server.database().execute("UPDATE application SET kind = 'other'").await;
        let of_application =
            failed(&server, &person, 500, |operation| operation.credentials == Credentials::Application);
        insta::assert_snapshot!(of_application.await, @r#"
        > POST /otp/send
        > POST /oauth2/token
        > POST /oauth2/revoke
        500 Internal Server Error
        cache-control: no-store
        content-type: application/json;charset=UTF-8

        {"error":"server_error"}
        "#);
    }
);

on_both_databases!(
    async fn too_many_requests_in_flight_are_503_in_each_operation(server: Server) {
        let person = Person::new(&server, Patch::default()).await;
        let places = server.app.requests().available_permits();
        let _taken = server.app.requests().take(None, places).ok().unwrap();
        insta::assert_snapshot!(failed(&server, &person, 503, |_| true).await, @r#"
        > GET /api/v1/auth/me
        > PUT /api/v1/auth/me/profile
        > POST /api/v1/auth/me/email/request
        > POST /api/v1/auth/me/email/verify
        503 Service Unavailable
        content-type: application/json
        retry-after: 1

        {"success":false,"error":{"code":"SERVICE_UNAVAILABLE","message":"Service unavailable","timestamp":"TIME"},"message":"Service unavailable"}

        > GET /userinfo
        > POST /userinfo
        > PATCH /userinfo
        503 Service Unavailable
        cache-control: no-store
        content-type: application/json;charset=UTF-8
        retry-after: 1

        {"error":"temporarily_unavailable"}

        > POST /otp/send
        503 Service Unavailable
        cache-control: no-store
        content-type: application/json;charset=UTF-8
        retry-after: 1

        {"error":"temporarily_unavailable","error_description":"Failed to send OTP. Please try again later."}

        > POST /oauth2/token
        > POST /oauth2/revoke
        > GET /oauth2/jwks
        > GET /.well-known/openid-configuration
        503 Service Unavailable
        cache-control: no-store
        content-type: application/json;charset=UTF-8
        retry-after: 1

        {"error":"temporarily_unavailable"}
        "#);
    }
);

on_both_databases!(
    async fn a_body_that_does_not_arrive_in_time_is_408_in_each_operation(database: Database) {
        let server = Server::with(database, &[("SELFSAME__SERVER__BODY_TIMEOUT", "200ms")]).await;
        let person = Person::new(&server, Patch::default()).await;
        let mut transcript = Transcript::default();
        for operation in OPERATIONS.iter().filter(|operation| operation.has_body) {
            let mut wire = Wire::connect(&server).await;
            let credentials = operation.credentials(&person).unwrap();
            let head = format!("Host: localhost\r\nAuthorization: {credentials}\r\nContent-Type: application/json\r\n");
            let first =
                format!("{} {} HTTP/1.1\r\n{head}Content-Length: 100\r\n\r\n", operation.method, operation.path);
            wire.send(format!("{first}{{")).await;
            let answer = wire.answer().await;
            check(&Document::of(operation.contract), operation.method, operation.path, 408, &answer);
            transcript.add(operation.name(), &answer);
            assert_eq!(wire.end().await, "");
        }
        insta::assert_snapshot!(without_time(&transcript.to_string(), &server), @r#"
        > PUT /api/v1/auth/me/profile
        > POST /api/v1/auth/me/email/request
        > POST /api/v1/auth/me/email/verify
        408 Request Timeout
        connection: close
        content-type: application/json

        {"success":false,"error":{"code":"REQUEST_TIMEOUT","message":"Request timeout","timestamp":"TIME"},"message":"Request timeout"}

        > PATCH /userinfo
        > POST /otp/send
        > POST /oauth2/token
        > POST /oauth2/revoke
        408 Request Timeout
        cache-control: no-store
        connection: close
        content-type: application/json;charset=UTF-8

        {"error":"invalid_request","error_description":"Request body did not arrive in time."}
        "#);
    }
);
