//! The order in which a request is checked.

use selfsame::account::{Contract, Portal, Status};

use super::{UPDATE, admin};
use crate::support::{Answer, Server, Transcript};

/// A request with every error, which are then fixed one by one.
#[derive(Clone)]
struct Faulty {
    method: &'static str,
    path: &'static str,
    token: Option<String>,
    client_hash: Option<&'static str>,
    headers: Vec<(&'static str, &'static str)>,
    body: String,
}

impl Faulty {
    async fn send(&self, server: &Server) -> Answer {
        let mut request = server.request(self.method, self.path);
        if let Some(token) = &self.token {
            request = request.bearer(token);
        }
        if let Some(client_hash) = self.client_hash {
            request = request.header("X-Client-Hash", client_hash);
        }
        for (name, value) in &self.headers {
            request = request.header(name, value);
        }
        request.body(self.body.clone()).send().await
    }
}

on_both_databases!(
    async fn each_error_is_reported_only_after_the_earlier_ones_are_corrected(server: Server) {
        let admin = admin(&server).await;
        let (rivergen, system) = (
            server.token(&admin.account, Contract::RiverGen).await,
            server.token(&admin.account, Contract::System).await,
        );
        // Binds the token to a device that differs from the one in the first requests with a client hash.
        let bind = server.request("POST", UPDATE).bearer(&system).header("X-Client-Hash", "d1").json("{}");
        assert_eq!(bind.send().await.status, 200);
        admin.operate(|patch| (patch.status, patch.portal) = (Some(Status::Suspended), Some(Portal::Tenant))).await;

        let mut request = Faulty {
            method: "PUT",
            path: "/web/v1/system/profile/updates",
            token: None,
            client_hash: None,
            headers: vec![("Content-Type", "text/plain"), ("Content-Encoding", "gzip")],
            body: format!("{{{}", "x".repeat(64 * 1024)),
        };
        let mut transcript = Transcript::default();
        transcript.add("the path", &request.send(&server).await);
        request.path = UPDATE;
        transcript.add("the method", &request.send(&server).await);
        request.method = "POST";
        transcript.add("no token", &request.send(&server).await);
        request.token = Some("garbage".to_owned());
        transcript.add("the token", &request.send(&server).await);
        request.token = Some(rivergen);
        transcript.add("the account's state", &request.send(&server).await);
        admin.operate(|patch| patch.status = Some(Status::Active)).await;
        transcript.add("the account's portal", &request.send(&server).await);
        admin.operate(|patch| patch.portal = Some(Portal::System)).await;
        transcript.add("the token's audience", &request.send(&server).await);
        request.token = Some(system);
        transcript.add("no client hash", &request.send(&server).await);
        request.client_hash = Some("d\t2");
        transcript.add("the client hash's form", &request.send(&server).await);
        request.client_hash = Some("d2");
        transcript.add("the client hash", &request.send(&server).await);
        request.client_hash = Some("d1");
        transcript.add("the content type", &request.send(&server).await);
        request.headers[0].1 = "application/json";
        transcript.add("the content coding", &request.send(&server).await);
        request.headers.pop();
        transcript.add("the size", &request.send(&server).await);
        request.body = "{".to_owned();
        transcript.add("the JSON", &request.send(&server).await);
        request.body = r#"{"accountName":7}"#.to_owned();
        transcript.add("a field", &request.send(&server).await);
        request.body = r#"{"accountName":"Jane Admin"}"#.to_owned();
        transcript.add("nothing", &request.send(&server).await);
        insta::assert_snapshot!(transcript, @r#"
        > the path
        404 Not Found
        content-language: en
        content-type: application/json
        vary: Accept-Language

        {"success":false,"code":"4040","message":"Resource not found"}

        > the method
        405 Method Not Allowed
        allow: POST, OPTIONS
        content-language: en
        content-type: application/json
        vary: Accept-Language

        {"success":false,"code":"4050","message":"Method not allowed"}

        > no token
        401 Unauthorized
        content-language: en
        content-type: application/json
        vary: Accept-Language
        www-authenticate: Bearer realm="system"

        {"success":false,"code":"4010","message":"Invalid or expired token"}

        > the token
        401 Unauthorized
        content-language: en
        content-type: application/json
        vary: Accept-Language
        www-authenticate: Bearer realm="system", error="invalid_token"

        {"success":false,"code":"4010","message":"Invalid or expired token"}

        > the account's state
        403 Forbidden
        content-language: en
        content-type: application/json
        vary: Accept-Language

        {"success":false,"code":"4030","message":"Account is suspended"}

        > the account's portal
        > the token's audience
        403 Forbidden
        content-language: en
        content-type: application/json
        vary: Accept-Language

        {"success":false,"code":"4030","message":"Access denied"}

        > no client hash
        400 Bad Request
        content-language: en
        content-type: application/json
        vary: Accept-Language

        {"success":false,"code":"4000","message":"Missing required header: X-Client-Hash"}

        > the client hash's form
        400 Bad Request
        content-language: en
        content-type: application/json
        vary: Accept-Language

        {"success":false,"code":"4000","message":"Invalid header: X-Client-Hash"}

        > the client hash
        403 Forbidden
        content-language: en
        content-type: application/json
        vary: Accept-Language

        {"success":false,"code":"4030","message":"Authentication request context does not match the active session"}

        > the content type
        415 Unsupported Media Type
        content-language: en
        content-type: application/json
        vary: Accept-Language

        {"success":false,"code":"4150","message":"Unsupported content type"}

        > the content coding
        415 Unsupported Media Type
        accept-encoding: identity
        content-language: en
        content-type: application/json
        vary: Accept-Language

        {"success":false,"code":"4150","message":"Unsupported content type"}

        > the size
        413 Payload Too Large
        connection: close
        content-language: en
        content-type: application/json
        vary: Accept-Language

        {"success":false,"code":"4130","message":"Request body is too large"}

        > the JSON
        400 Bad Request
        content-language: en
        content-type: application/json
        vary: Accept-Language

        {"success":false,"code":"4000","message":"Request body is missing or malformed"}

        > a field
        400 Bad Request
        content-language: en
        content-type: application/json
        vary: Accept-Language

        {"success":false,"code":"4000","message":"Invalid request parameters","data":{"accountName":["must be a string"]}}

        > nothing
        200 OK
        cache-control: private, no-cache
        content-language: en
        content-type: application/json
        vary: Accept-Language

        {"success":true,"code":"2000","message":"SUCCESS","data":{"bizId":"ACC_SYS_001","institutionBizId":"INST_SYS_001","accountEmail":"admin@example.com","accountPhone":"+1234567890","accountName":"Jane Admin","accountRemark":null,"accountPortal":{"code":"SYSTEM","value":10010101,"label":"System"},"accountStatus":{"code":"ACTIVE","value":10010202,"label":"Active"},"createdAt":"2026-01-15T08:00:00Z","updatedAt":"2026-03-20T14:30:00Z","defaultLanguage":"en","defaultTimezone":"America/New_York","defaultCountry":"US"}}
        "#);
    }
);
