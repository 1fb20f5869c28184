//! The vendor's published documentation ("the page"): its request, and its responses member by member.

use super::{JOHN, NOBODY, USER, add, id, john, path_of};
use crate::support::{Database, Server};

on_both_databases!(
    async fn a_user_is_shown_as_published(server: Server) {
        john(&server).await;
        let answer = server.back_end(&server.tenant, None).await.get(JOHN).await;
        insta::assert_snapshot!(answer, @r#"
        200 OK
        cache-control: private, no-cache
        content-type: application/json

        {"id":"3fa85f64-5717-4562-b3fc-2c963f66afa6","userName":"john_doe","firstName":"John","lastName":"Doe","email":"john.doe@example.com","emailConfirmed":true,"authenticated":true,"authValidUpto":"2024-11-05T19:42:26.587Z","authLocation":"USA","phoneNumber":"+1234567890","walletAddress":"0x123456789ABCDEF"}
        "#);
    }
);

on_both_databases!(
    async fn the_published_request_gets_the_published_response(server: Server) {
        let john = john(&server).await;
        let request = r#"{
"id": "string",
"firstName": "John",
"lastName": "Doe",
"phoneNumber": "+1234567890",
"pushToken": "push_token_example"
}"#;
        let bound = server.back_end(&server.tenant, Some(john.id)).await;
        let answer = bound.put(request).await;
        insta::assert_snapshot!(answer, @r#"
        200 OK
        cache-control: private, no-cache
        content-type: application/json

        {"id":"3fa85f64-5717-4562-b3fc-2c963f66afa6","userName":"john_doe","firstName":"John","lastName":"Doe","email":"john.doe@example.com","emailConfirmed":true,"authenticated":true,"authValidUpto":"2024-11-05T19:42:26.587Z","authLocation":"USA","phoneNumber":"+1234567890","walletAddress":"0x123456789ABCDEF"}
        "#);
        let page = serde_json::json!({
            "id": "3fa85f64-5717-4562-b3fc-2c963f66afa6",
            "userName": "john_doe",
            "firstName": "John",
            "lastName": "Doe",
            "email": "john.doe@example.com",
            "emailConfirmed": true,
            "authenticated": true,
            "authValidUpto": "2024-11-05T19:42:26.587Z",
            "authLocation": "USA",
            "phoneNumber": "+1234567890",
            "walletAddress": "0x123456789ABCDEF"
        });
        assert_eq!(answer.json(), page);

        // The other published example has no valid user identifier either; a key for all users needs one.
        assert_eq!(bound.put(request.replace(r#""string""#, r#""user_id""#)).await.body, answer.body);
        let wide = server.back_end(&server.tenant, None).await;
        assert_eq!(wide.put(request.replace("string", JOHN)).await.body, answer.body);
    }
);

on_both_databases!(
    async fn the_two_published_errors_are_reported_together(database: Database) {
        // The published request identifier is not one of this server: a proxy gives it.
        let server = Server::with(database, &[("SELFSAME__SERVER__TRUSTED_PROXIES", "127.0.0.1")]).await;
        let john = john(&server).await;
        let back_end = server.back_end(&server.tenant, Some(john.id)).await;
        let request = server.request("PUT", USER).header("X-Request-Id", "12345");

        let request = request.header("tenant", &back_end.tenant).header("X-API-Key", &back_end.secret);
        let answer = request.json(r#"{"lastName":"Doe","phoneNumber":"abc"}"#).send().await;
        insta::assert_snapshot!(answer, @r#"
        400 Bad Request
        content-type: application/json

        {"type":"https://tools.ietf.org/html/rfc9110#section-15.5.1","title":"Invalid Request","status":400,"detail":"The request parameters are incorrect.","instance":"12345","errors":{"firstName":["First name is required"],"phoneNumber":["Invalid phone number format"]}}
        "#);
    }
);

on_both_databases!(
    async fn a_user_without_any_field_has_every_member(server: Server) {
        let nobody = add(&server, &server.tenant, id(1), Default::default()).await;
        let answer = server.back_end(&server.tenant, None).await.get(nobody.id).await;
        insta::assert_snapshot!(answer, @r#"
        200 OK
        cache-control: private, no-cache
        content-type: application/json

        {"id":"01900000-0000-7000-8000-000000000001","userName":null,"firstName":null,"lastName":null,"email":null,"emailConfirmed":false,"authenticated":true,"authValidUpto":null,"authLocation":null,"phoneNumber":null,"walletAddress":null}
        "#);
    }
);

on_both_databases!(
    async fn head_answers_as_get_without_a_body(server: Server) {
        john(&server).await;
        let back_end = server.back_end(&server.tenant, None).await;
        let (get, head) = (back_end.get(JOHN).await, back_end.request("HEAD", &path_of(JOHN)).settle().await);
        assert_eq!((head.status, head.body.as_str()), (get.status, ""));
        assert_eq!(head.header("content-length"), get.body.len().to_string());
        assert_eq!(head.header("content-type"), get.header("content-type"));
        assert_eq!(back_end.request("HEAD", &path_of(NOBODY)).settle().await.status, 404);
    }
);
