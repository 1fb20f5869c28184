//! The order in which a request is checked.

use std::time::Duration;

use selfsame::account::{Field, Status, TenantStatus};

use super::{JOHN, NOBODY, USER, add, id, john, proved, status};
use crate::support::{Answer, Database, Server, Transcript};

/// A request with every error, which are then fixed one by one.
struct Faulty<'a> {
    server: &'a Server,
    method: &'static str,
    path: &'static str,
    tenant: &'static str,
    key: String,
    headers: Vec<(&'static str, &'static str)>,
    body: String,
}

impl Faulty<'_> {
    /// Sends the request after the time in which a rate limit counts earlier ones.
    async fn send(&self) -> Answer {
        self.server.pass(Duration::from_secs(120));
        self.send_at_once().await
    }

    async fn send_at_once(&self) -> Answer {
        let mut request = self.server.request(self.method, self.path);
        request = request.header("tenant", self.tenant).header("X-API-Key", &self.key);
        for (name, value) in &self.headers {
            request = request.header(name, value);
        }
        request.body(self.body.clone()).settle().await
    }
}

on_both_databases!(
    async fn each_error_is_reported_only_after_the_earlier_ones_are_corrected(database: Database) {
        let limits = [("SELFSAME__RATE_LIMIT__ADDRESS", "2"), ("SELFSAME__RATE_LIMIT__DEFAULT", "1")];
        let server = Server::with(database, &limits).await;
        let john = john(&server).await;
        add(&server, &server.tenant, id(1), proved("+1987654321")).await;
        server.operate(&john, status(Status::Suspended)).await;
        let back_end = server.back_end(&server.tenant, None).await;
        let mut tenant = server.tenant.clone();
        tenant.status = TenantStatus::Inactive;
        server.app.store().set_tenant(&tenant).await.unwrap();

        let mut transcript = Transcript::default();
        let mut request = Faulty {
            server: &server,
            method: "POST",
            path: "/v1/cl2c/person",
            tenant: "nobody",
            key: "garbage".to_owned(),
            headers: vec![("Content-Type", "text/plain"), ("Content-Encoding", "gzip")],
            body: format!("{{{}", "x".repeat(64 * 1024)),
        };
        transcript.add("the path", &request.send().await);
        request.path = USER;
        transcript.add("the method", &request.send().await);
        request.method = "PUT";
        transcript.add("the tenant", &request.send().await);
        request.send_at_once().await;
        transcript.add("the source's limit", &request.send_at_once().await);
        request.tenant = "demo";
        transcript.add("the key", &request.send().await);
        request.key = back_end.secret.clone();
        transcript.add("the tenant's state", &request.send().await);
        tenant.status = TenantStatus::Active;
        server.app.store().set_tenant(&tenant).await.unwrap();
        transcript.add("the content type", &request.send().await);
        transcript.add("the key's limit", &request.send_at_once().await);
        request.headers[0].1 = "application/json";
        transcript.add("the content coding", &request.send().await);
        request.headers.pop();
        transcript.add("the size", &request.send().await);
        let body = |id: &str, name: &str, phone: &str| {
            format!(r#"{{"id":"{id}","firstName":"{name}","lastName":"Doe","phoneNumber":"{phone}"}}"#)
        };
        request.body = body("string", "", "+1987654321") + "x";
        transcript.add("the JSON", &request.send().await);
        request.body = body("string", "", "+1987654321");
        transcript.add("the identifier", &request.send().await);
        request.body = body(NOBODY, "", "+1987654321");
        transcript.add("the user", &request.send().await);
        request.body = body(JOHN, "", "+1987654321");
        transcript.add("the user's state", &request.send().await);
        server.operate(&john, status(Status::Active)).await;
        transcript.add("a field", &request.send().await);
        request.body = body(JOHN, "Jane", "+1987654321");
        transcript.add("the number's owner", &request.send().await);
        let before = server.account(&john).await;
        assert_eq!(before.text(Field::GivenName), Some("John"));
        request.body = body(JOHN, "Jane", "+1234567890");
        transcript.add("nothing", &request.send().await);
        insta::assert_snapshot!(transcript, @r#"
        > the path
        404 Not Found
        content-type: application/json

        {"messages":["Resource not found."],"source":"API Gateway","exception":"NotFoundException","errorId":"error-UUID","supportMessage":"Please contact support with this error ID.","statusCode":404}

        > the method
        405 Method Not Allowed
        allow: PUT, OPTIONS
        content-type: application/json

        {"messages":["Method not allowed."],"source":"API Gateway","exception":"MethodNotAllowedException","errorId":"error-UUID","supportMessage":"Please contact support with this error ID.","statusCode":405}

        > the tenant
        401 Unauthorized
        content-type: application/json
        www-authenticate: ApiKey realm="cl2c"

        {"messages":["Invalid Tenant."],"source":"API Gateway","exception":"UnauthorizedException","errorId":"error-UUID","supportMessage":"Please contact support with this error ID.","statusCode":401}

        > the source's limit
        429 Too Many Requests
        content-type: application/json
        retry-after: 30

        {"messages":["Too many requests."],"source":"API Gateway","exception":"TooManyRequestsException","errorId":"error-UUID","supportMessage":"Please contact support with this error ID.","statusCode":429}

        > the key
        401 Unauthorized
        content-type: application/json
        www-authenticate: ApiKey realm="cl2c"

        {"messages":["Authentication Failed."],"source":"API Gateway","exception":"UnauthorizedException","errorId":"error-UUID","supportMessage":"Please contact support with this error ID.","statusCode":401}

        > the tenant's state
        401 Unauthorized
        content-type: application/json
        www-authenticate: ApiKey realm="cl2c"

        {"messages":["Tenant is not Active. Please contact the Application Administrator."],"source":"API Gateway","exception":"UnauthorizedException","errorId":"error-UUID","supportMessage":"Please contact support with this error ID.","statusCode":401}

        > the content type
        415 Unsupported Media Type
        content-type: application/json

        {"messages":["Unsupported media type."],"source":"API Gateway","exception":"UnsupportedMediaTypeException","errorId":"error-UUID","supportMessage":"Please contact support with this error ID.","statusCode":415}

        > the key's limit
        429 Too Many Requests
        content-type: application/json
        retry-after: 60

        {"messages":["Too many requests."],"source":"API Gateway","exception":"TooManyRequestsException","errorId":"error-UUID","supportMessage":"Please contact support with this error ID.","statusCode":429}

        > the content coding
        415 Unsupported Media Type
        accept-encoding: identity
        content-type: application/json

        {"messages":["Unsupported media type."],"source":"API Gateway","exception":"UnsupportedMediaTypeException","errorId":"error-UUID","supportMessage":"Please contact support with this error ID.","statusCode":415}

        > the size
        413 Payload Too Large
        connection: close
        content-type: application/json

        {"messages":["Request body is too large."],"source":"API Gateway","exception":"PayloadTooLargeException","errorId":"error-UUID","supportMessage":"Please contact support with this error ID.","statusCode":413}

        > the JSON
        400 Bad Request
        content-type: application/json

        {"type":"https://tools.ietf.org/html/rfc9110#section-15.5.1","title":"Invalid Request","status":400,"detail":"The request parameters are incorrect.","instance":"r1","errors":{"$":["The request body is not valid JSON."]}}

        > the identifier
        400 Bad Request
        content-type: application/json

        {"type":"https://tools.ietf.org/html/rfc9110#section-15.5.1","title":"Invalid Request","status":400,"detail":"The request parameters are incorrect.","instance":"r1","errors":{"id":["Invalid user ID format"]}}

        > the user
        404 Not Found
        content-type: application/json

        {"messages":["User Not Found."],"source":"API Gateway","exception":"NotFoundException","errorId":"error-UUID","supportMessage":"Please contact support with this error ID.","statusCode":404}

        > the user's state
        401 Unauthorized
        content-type: application/json
        www-authenticate: ApiKey realm="cl2c"

        {"messages":["User Not Active. Please contact the administrator."],"source":"API Gateway","exception":"UnauthorizedException","errorId":"error-UUID","supportMessage":"Please contact support with this error ID.","statusCode":401}

        > a field
        400 Bad Request
        content-type: application/json

        {"type":"https://tools.ietf.org/html/rfc9110#section-15.5.1","title":"Invalid Request","status":400,"detail":"The request parameters are incorrect.","instance":"r1","errors":{"firstName":["First name is required"]}}

        > the number's owner
        400 Bad Request
        content-type: application/json

        {"type":"https://tools.ietf.org/html/rfc9110#section-15.5.1","title":"Invalid Request","status":400,"detail":"The request parameters are incorrect.","instance":"r1","errors":{"phoneNumber":["Phone number +1987654321 is already registered."]}}

        > nothing
        200 OK
        cache-control: private, no-cache
        content-type: application/json

        {"id":"3fa85f64-5717-4562-b3fc-2c963f66afa6","userName":"john_doe","firstName":"Jane","lastName":"Doe","email":"john.doe@example.com","emailConfirmed":true,"authenticated":true,"authValidUpto":"2024-11-05T19:42:26.587Z","authLocation":"USA","phoneNumber":"+1234567890","walletAddress":"0x123456789ABCDEF"}
        "#);
    }
);
