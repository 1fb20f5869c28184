//! Paths and methods.

use super::{DEVICE, PROFILE, UPDATE, admin};
use crate::support::{Server, Transcript, Wire};

on_both_databases!(
    async fn other_methods_are_refused_with_the_allowed_ones(server: Server) {
        let mut transcript = Transcript::default();
        for (method, path) in [
            ("POST", PROFILE),
            ("PUT", PROFILE),
            ("PATCH", PROFILE),
            ("DELETE", PROFILE),
            ("TRACE", PROFILE),
            ("PROPFIND", PROFILE),
            ("get", PROFILE),
            ("GET", UPDATE),
            ("PUT", UPDATE),
            ("PATCH", UPDATE),
            ("DELETE", UPDATE),
        ] {
            transcript.add(format!("{method} {path}"), &server.request(method, path).send().await);
        }
        insta::assert_snapshot!(transcript, @r#"
        > POST /web/v1/system/profile
        > PUT /web/v1/system/profile
        > PATCH /web/v1/system/profile
        > DELETE /web/v1/system/profile
        > TRACE /web/v1/system/profile
        > PROPFIND /web/v1/system/profile
        > get /web/v1/system/profile
        405 Method Not Allowed
        allow: GET, HEAD, OPTIONS
        content-language: en
        content-type: application/json
        vary: Accept-Language

        {"success":false,"code":"4050","message":"Method not allowed"}

        > GET /web/v1/system/profile/update
        > PUT /web/v1/system/profile/update
        > PATCH /web/v1/system/profile/update
        > DELETE /web/v1/system/profile/update
        405 Method Not Allowed
        allow: POST, OPTIONS
        content-language: en
        content-type: application/json
        vary: Accept-Language

        {"success":false,"code":"4050","message":"Method not allowed"}
        "#);
    }
);

on_both_databases!(
    async fn head_of_the_update_path_is_refused_without_a_body(server: Server) {
        insta::assert_snapshot!(server.request("HEAD", UPDATE).send().await, @"
        405 Method Not Allowed
        allow: POST, OPTIONS
        content-language: en
        content-type: application/json
        vary: Accept-Language
        ");
    }
);

on_both_databases!(
    async fn options_lists_the_methods_without_credentials(server: Server) {
        let mut transcript = Transcript::default();
        transcript.add("the profile", &server.request("OPTIONS", PROFILE).send().await);
        transcript.add("its update", &server.request("OPTIONS", UPDATE).send().await);
        let preflight = server.request("OPTIONS", UPDATE).header("Origin", "https://portal.example");
        let preflight = preflight.header("Access-Control-Request-Method", "POST");
        transcript.add("a preflight of an origin that was not configured", &preflight.send().await);
        insta::assert_snapshot!(transcript, @"
        > the profile
        204 No Content
        allow: GET, HEAD, OPTIONS



        > its update
        > a preflight of an origin that was not configured
        204 No Content
        allow: POST, OPTIONS
        ");
    }
);

on_both_databases!(
    async fn head_is_answered_like_get_without_the_body(server: Server) {
        let admin = admin(&server).await;
        let get = admin.read().await;
        let head = admin.request("HEAD", PROFILE).send().await;
        assert_eq!(head.status, 200);
        assert_eq!(head.body, "");
        for (name, value) in &get.headers {
            if !["date", "x-request-id"].contains(&name.as_str()) {
                assert_eq!(head.headers.get(name), Some(value), "{name}");
            }
        }
        assert_eq!(head.headers.len(), get.headers.len());
        assert_eq!(head.header("content-length"), get.body.len().to_string());
    }
);

on_both_databases!(
    async fn head_is_refused_like_get(server: Server) {
        let get = server.request("GET", PROFILE).send().await;
        let head = server.request("HEAD", PROFILE).send().await;
        assert_eq!((head.status, head.body.as_str()), (get.status, ""));
        assert_eq!(head.header("www-authenticate"), get.header("www-authenticate"));
        assert_eq!(head.header("content-length"), get.header("content-length"));
    }
);

on_both_databases!(
    async fn every_other_path_is_not_found(server: Server) {
        let admin = admin(&server).await;
        let mut transcript = Transcript::default();
        for path in [
            "/web/v1/system/profile/",
            "/web/v1/system/profile/update/",
            "/web/v1/system/Profile",
            "/web/v1/system/profile/Update",
            "/web/v1/System/profile",
            "/WEB/V1/SYSTEM/PROFILE",
            "/web/v1/system",
            "/web/v1/system/",
            "/web/v1/system//profile",
            "/web/v1/system/profile/update/x",
            "/web/v1/system/auth/login",
            "/web/v1/system/%70rofile/x",
        ] {
            transcript.add(path, &admin.request("GET", path).send().await);
        }
        transcript.add("POST of an unknown path", &admin.request("POST", "/web/v1/system/x").json("{}").send().await);
        transcript.add("OPTIONS of an unknown path", &server.request("OPTIONS", "/web/v1/system/x").send().await);
        insta::assert_snapshot!(transcript, @r#"
        > /web/v1/system/profile/
        > /web/v1/system/profile/update/
        > /web/v1/system/Profile
        > /web/v1/system/profile/Update
        > /web/v1/System/profile
        > /WEB/V1/SYSTEM/PROFILE
        > /web/v1/system
        > /web/v1/system/
        > /web/v1/system//profile
        > /web/v1/system/profile/update/x
        > /web/v1/system/auth/login
        > /web/v1/system/%70rofile/x
        > POST of an unknown path
        > OPTIONS of an unknown path
        404 Not Found
        content-language: en
        content-type: application/json
        vary: Accept-Language

        {"success":false,"code":"4040","message":"Resource not found"}
        "#);
    }
);

on_both_databases!(
    async fn a_path_with_a_similar_prefix_is_outside_the_contract(server: Server) {
        for path in ["/web/v1/systems/profile", "/web/v1/systém/profile", "/web/v1/syste", "/web/v1", "/"] {
            let answer = server.request("GET", path).send().await;
            assert_eq!(
                (answer.status.as_u16(), answer.header("content-type")),
                (404, "application/problem+json"),
                "{path}"
            );
        }
    }
);

on_both_databases!(
    async fn a_path_may_be_requested_in_absolute_form(server: Server) {
        let admin = admin(&server).await;
        let mut wire = Wire::connect(&server).await;
        let head = format!("GET http://selfsame{PROFILE}?x HTTP/1.1\r\nHost: selfsame\r\nConnection: close\r\n");
        wire.send(format!("{head}Authorization: Bearer {}\r\nX-Client-Hash: {DEVICE}\r\n\r\n", admin.token)).await;
        assert_eq!(wire.answer().await.body, admin.read().await.body);
    }
);
