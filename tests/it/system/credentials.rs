//! How a token is presented.

use super::{DEVICE, PROFILE, UPDATE, admin};
use crate::support::{Answer, Server, Transcript, Wire};

/// Reads a profile with these lines of `Authorization`.
async fn read(server: &Server, lines: &[&str]) -> Answer {
    let request = server.request("GET", PROFILE).header("X-Client-Hash", DEVICE);
    lines.iter().fold(request, |request, line| request.header("Authorization", line)).send().await
}

on_both_databases!(
    async fn a_request_without_a_token_gets_the_published_error(server: Server) {
        let mut transcript = Transcript::default();
        transcript.add("GET", &read(&server, &[]).await);
        let update = server.request("POST", UPDATE).header("X-Client-Hash", DEVICE).json("{}").send().await;
        transcript.add("POST", &update);
        insta::assert_snapshot!(transcript, @r#"
        > GET
        > POST
        401 Unauthorized
        content-language: en
        content-type: application/json
        vary: Accept-Language
        www-authenticate: Bearer realm="system"

        {"success":false,"code":"4010","message":"Invalid or expired token"}
        "#);
    }
);

on_both_databases!(
    async fn credentials_that_are_not_a_bearer_token_are_refused(server: Server) {
        let token = admin(&server).await.token;
        let mut transcript = Transcript::default();
        for line in ["", "Bearer", "Bearer ", "Basic YTpi", "Digest x", "Bearer: x", "Bearer x y"] {
            transcript.add(line, &read(&server, &[line]).await);
        }
        transcript.add("the token alone", &read(&server, &[&token]).await);
        transcript.add("Bearer, a tab and the token", &read(&server, &[&format!("Bearer\t{token}")]).await);
        transcript.add("Bearer\"<token>\"", &read(&server, &[&format!("Bearer \"{token}\"")]).await);
        transcript.add("JWT <token>", &read(&server, &[&format!("JWT {token}")]).await);
        transcript
            .add("Bearer <token>, Bearer <token>", &read(&server, &[&format!("Bearer {token}, Bearer {token}")]).await);
        transcript.add("not ASCII", &read(&server, &["Bearer é"]).await);
        insta::assert_snapshot!(transcript, @r#"
        > 
        > Bearer
        > Bearer 
        > Basic YTpi
        > Digest x
        > Bearer: x
        > Bearer x y
        > the token alone
        > Bearer, a tab and the token
        > Bearer"<token>"
        > JWT <token>
        > Bearer <token>, Bearer <token>
        > not ASCII
        401 Unauthorized
        content-language: en
        content-type: application/json
        vary: Accept-Language
        www-authenticate: Bearer realm="system", error="invalid_token"

        {"success":false,"code":"4010","message":"Invalid or expired token"}
        "#);
    }
);

on_both_databases!(
    async fn two_authorization_headers_are_refused(server: Server) {
        let good = format!("Bearer {}", admin(&server).await.token);
        let mut transcript = Transcript::default();
        transcript.add("the same twice", &read(&server, &[&good, &good]).await);
        transcript.add("a good and a bad one", &read(&server, &[&good, "Bearer x"]).await);
        transcript.add("one of another scheme and a good one", &read(&server, &["Basic YTpi", &good]).await);
        insta::assert_snapshot!(transcript, @r#"
        > the same twice
        > a good and a bad one
        > one of another scheme and a good one
        401 Unauthorized
        content-language: en
        content-type: application/json
        vary: Accept-Language
        www-authenticate: Bearer realm="system", error="invalid_token"

        {"success":false,"code":"4010","message":"Invalid or expired token"}
        "#);
    }
);

on_both_databases!(
    async fn the_scheme_is_read_in_any_case_and_before_any_number_of_spaces(server: Server) {
        let token = admin(&server).await.token;
        for line in ["bearer ", "BEARER ", "bEaReR ", "Bearer  ", "Bearer      "] {
            assert_eq!(read(&server, &[&format!("{line}{token}")]).await.status, 200, "{line:?}");
        }
    }
);

on_both_databases!(
    async fn a_token_outside_the_authorization_header_is_ignored(server: Server) {
        let token = admin(&server).await.token;
        let query = server.request("GET", &format!("{PROFILE}?access_token={token}")).header("X-Client-Hash", DEVICE);
        assert_eq!(query.send().await.status, 401);
        let form = server.request("POST", UPDATE).header("X-Client-Hash", DEVICE);
        let form = form.header("Content-Type", "application/x-www-form-urlencoded");
        assert_eq!(form.body(format!("access_token={token}")).send().await.status, 401);
        let cookie = server.request("GET", PROFILE).header("X-Client-Hash", DEVICE);
        assert_eq!(cookie.header("Cookie", &format!("access_token={token}")).send().await.status, 401);
    }
);

on_both_databases!(
    async fn a_header_that_is_not_text_is_refused(server: Server) {
        let mut wire = Wire::connect(&server).await;
        wire.send(format!("GET {PROFILE} HTTP/1.1\r\nHost: selfsame\r\nConnection: close\r\nAuthorization: Bearer "))
            .await;
        wire.send(b"\xff\xfe\r\n\r\n").await;
        assert_eq!(wire.answer().await.status, 401);
    }
);
