//! Bodies other than a JSON object of at most 64 KiB.

use super::{USER, john};
use crate::support::{Server, Transcript};

const CHANGE: &str = r#"{"firstName":"Jane","lastName":"Doe"}"#;

on_both_databases!(
    async fn a_body_that_is_not_a_json_object_is_a_problem(server: Server) {
        let john = john(&server).await;
        let back_end = server.back_end(&server.tenant, Some(john.id)).await;
        let mut transcript = Transcript::default();
        for body in ["", "null", " null ", "[]", r#""text""#, "7", "true", "{", "{}x", "{'firstName':1}"] {
            transcript.add(format!("{body:?}"), &back_end.put(body).await);
        }
        for body in [r#"{"firstName":"\ud800"}"#, r#"{"note":"\ud800"}"#, " ", "{\"a\":1,}", "nul"] {
            transcript.add(format!("{body:?}"), &back_end.put(body).await);
        }
        let deep = format!("{{\"note\":{}{}}}", "[".repeat(65), "]".repeat(65));
        transcript.add("nested 66 deep", &back_end.put(deep).await);
        let latin = back_end.request("PUT", USER).json(b"{\"firstName\":\"Jos\xE9\"}".to_vec());
        transcript.add("bytes that are not UTF-8", &latin.settle().await);
        insta::assert_snapshot!(transcript, @r#"
        > ""
        > "null"
        > " null "
        400 Bad Request
        content-type: application/json

        {"type":"https://tools.ietf.org/html/rfc9110#section-15.5.1","title":"Invalid Request","status":400,"detail":"The request parameters are incorrect.","instance":"r1","errors":{"":["A non-empty request body is required."]}}

        > "[]"
        > "\"text\""
        > "7"
        > "true"
        400 Bad Request
        content-type: application/json

        {"type":"https://tools.ietf.org/html/rfc9110#section-15.5.1","title":"Invalid Request","status":400,"detail":"The request parameters are incorrect.","instance":"r1","errors":{"$":["The request body must be a JSON object."]}}

        > "{"
        > "{}x"
        > "{'firstName':1}"
        > "{\"firstName\":\"\\ud800\"}"
        > "{\"note\":\"\\ud800\"}"
        > " "
        > "{\"a\":1,}"
        > "nul"
        > nested 66 deep
        > bytes that are not UTF-8
        400 Bad Request
        content-type: application/json

        {"type":"https://tools.ietf.org/html/rfc9110#section-15.5.1","title":"Invalid Request","status":400,"detail":"The request parameters are incorrect.","instance":"r1","errors":{"$":["The request body is not valid JSON."]}}
        "#);
        assert_eq!(server.account(&john).await, john);
    }
);

on_both_databases!(
    async fn a_body_of_another_media_type_is_refused(server: Server) {
        let john = john(&server).await;
        let back_end = server.back_end(&server.tenant, Some(john.id)).await;
        let mut transcript = Transcript::default();
        transcript.add("none", &back_end.request("PUT", USER).body(CHANGE).settle().await);
        for media_type in [
            "text/plain",
            "application/x-www-form-urlencoded",
            "multipart/form-data; boundary=x",
            "text/json",
            "application/merge-patch+json",
            "application/problem+json",
            "application/json; charset=utf-16",
            "application/jsonx",
            "",
        ] {
            let request = back_end.request("PUT", USER).header("Content-Type", media_type);
            transcript.add(media_type, &request.body(CHANGE).settle().await);
        }
        let gzip = back_end.request("PUT", USER).header("Content-Encoding", "gzip");
        transcript.add("compressed", &gzip.json(CHANGE).settle().await);
        insta::assert_snapshot!(transcript, @r#"
        > none
        > text/plain
        > application/x-www-form-urlencoded
        > multipart/form-data; boundary=x
        > text/json
        > application/merge-patch+json
        > application/problem+json
        > application/json; charset=utf-16
        > application/jsonx
        > 
        415 Unsupported Media Type
        content-type: application/json

        {"messages":["Unsupported media type."],"source":"API Gateway","exception":"UnsupportedMediaTypeException","errorId":"error-UUID","supportMessage":"Please contact support with this error ID.","statusCode":415}

        > compressed
        415 Unsupported Media Type
        accept-encoding: identity
        content-type: application/json

        {"messages":["Unsupported media type."],"source":"API Gateway","exception":"UnsupportedMediaTypeException","errorId":"error-UUID","supportMessage":"Please contact support with this error ID.","statusCode":415}
        "#);
        assert_eq!(server.account(&john).await, john);
        for media_type in [
            "application/json",
            "Application/JSON",
            "application/json; charset=utf-8",
            "application/json;charset=\"UTF-8\"",
        ] {
            let request = back_end.request("PUT", USER).header("Content-Type", media_type);
            assert_eq!(request.body(CHANGE).settle().await.status, 200, "{media_type}");
        }
    }
);

on_both_databases!(
    async fn a_body_has_at_most_64_kib(server: Server) {
        let john = john(&server).await;
        let back_end = server.back_end(&server.tenant, Some(john.id)).await;
        let fits = format!("{CHANGE}{}", " ".repeat(64 * 1024 - CHANGE.len()));
        assert_eq!(back_end.put(fits.clone()).await.status, 200);
        insta::assert_snapshot!(back_end.put(fits + " ").await, @r#"
        413 Payload Too Large
        connection: close
        content-type: application/json

        {"messages":["Request body is too large."],"source":"API Gateway","exception":"PayloadTooLargeException","errorId":"error-UUID","supportMessage":"Please contact support with this error ID.","statusCode":413}
        "#);
    }
);
