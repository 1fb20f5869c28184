//! Valid and invalid bodies of an update.

use super::{AuthenticatedPerson, DEVICE, UPDATE, admin};
use crate::support::{Request, Server, Transcript, Wire};

/// The longest accepted body, in bytes.
const MAX: usize = 64 * 1024;

/// A valid update of this many bytes.
fn body_of(length: usize) -> String {
    let (before, after) = (r#"{"accountName":"Jane Admin","padding":""#, r#""}"#);
    format!("{before}{}{after}", "x".repeat(length - before.len() - after.len()))
}

on_both_databases!(
    async fn a_body_that_is_not_one_json_object_is_refused(server: Server) {
        let admin = admin(&server).await;
        let mut transcript = Transcript::default();
        for body in [
            "",
            " ",
            "{",
            "{}}",
            "{} {}",
            "{},",
            "[]",
            "[{}]",
            r#""accountName""#,
            "7",
            "null",
            "true",
            "nul",
            r#"{"accountName":"x",}"#,
            r#"{accountName:"x"}"#,
            r#"{'accountName':'x'}"#,
            r#"{"accountName"}"#,
            r#"{"accountName":undefined}"#,
            r#"{"accountName":NaN}"#,
            r#"{"accountName":01}"#,
            "{}//",
            "{\"accountName\":\"a\nb\"}",
            r#"{"accountName":"\x41"}"#,
            "accountName=x",
        ] {
            transcript.add(format!("{body:?}"), &admin.update(body).await);
        }
        insta::assert_snapshot!(transcript, @r#"
        > ""
        > " "
        > "{"
        > "{}}"
        > "{} {}"
        > "{},"
        > "[]"
        > "[{}]"
        > "\"accountName\""
        > "7"
        > "null"
        > "true"
        > "nul"
        > "{\"accountName\":\"x\",}"
        > "{accountName:\"x\"}"
        > "{'accountName':'x'}"
        > "{\"accountName\"}"
        > "{\"accountName\":undefined}"
        > "{\"accountName\":NaN}"
        > "{\"accountName\":01}"
        > "{}//"
        > "{\"accountName\":\"a\nb\"}"
        > "{\"accountName\":\"\\x41\"}"
        > "accountName=x"
        400 Bad Request
        content-language: en
        content-type: application/json
        vary: Accept-Language

        {"success":false,"code":"4000","message":"Request body is missing or malformed"}
        "#);
    }
);

on_both_databases!(
    async fn invalid_utf8_and_lone_surrogates_are_refused_even_in_unknown_members(server: Server) {
        let admin = admin(&server).await;
        let mut transcript = Transcript::default();
        for body in [
            r#"{"accountName":"\ud800"}"#,
            r#"{"accountName":"\udc00\ud800"}"#,
            r#"{"accountName":"\ud800x"}"#,
            r#"{"unknown":"\ud800"}"#,
            r#"{"\udfff":1}"#,
            r#"{"unknown":[{"deep":"\ud83d"}]}"#,
        ] {
            transcript.add(body, &admin.update(body).await);
        }
        for body in [
            b"{\"accountName\":\"\xff\"}".as_slice(),
            b"{\"unknown\":\"\xc0\xaf\"}",
            b"{\"accountName\":\"\xed\xa0\x80\"}",
        ] {
            transcript.add(body.escape_ascii().to_string(), &admin.update(body).await);
        }
        insta::assert_snapshot!(transcript, @r#"
        > {"accountName":"\ud800"}
        > {"accountName":"\udc00\ud800"}
        > {"accountName":"\ud800x"}
        > {"unknown":"\ud800"}
        > {"\udfff":1}
        > {"unknown":[{"deep":"\ud83d"}]}
        > {\"accountName\":\"\xff\"}
        > {\"unknown\":\"\xc0\xaf\"}
        > {\"accountName\":\"\xed\xa0\x80\"}
        400 Bad Request
        content-language: en
        content-type: application/json
        vary: Accept-Language

        {"success":false,"code":"4000","message":"Request body is missing or malformed"}
        "#);
    }
);

on_both_databases!(
    async fn a_pair_of_surrogates_is_one_character(server: Server) {
        let admin = admin(&server).await;
        let answer = admin.update(r#"{"accountName":"\ud83d\ude00"}"#).await;
        assert_eq!(answer.json()["data"]["accountName"], "\u{1F600}");
    }
);

on_both_databases!(
    async fn a_nul_in_a_name_or_outside_the_known_fields_is_malformed(server: Server) {
        let admin = admin(&server).await;
        let mut transcript = Transcript::default();
        for body in [
            r#"{"unknown":"\u0000"}"#,
            r#"{"accountRemark":"a\u0000"}"#,
            r#"{"unknown":[{"deep":"\u0000"}]}"#,
            r#"{"unknown":{"\u0000":1}}"#,
            r#"{"\u0000":1}"#,
            r#"{"accountName\u0000":"x"}"#,
            r#"{"accountName":"a\u0000","unknown":"\u0000"}"#,
        ] {
            transcript.add(body, &admin.update(body).await);
        }
        insta::assert_snapshot!(transcript, @r#"
        > {"unknown":"\u0000"}
        > {"accountRemark":"a\u0000"}
        > {"unknown":[{"deep":"\u0000"}]}
        > {"unknown":{"\u0000":1}}
        > {"\u0000":1}
        > {"accountName\u0000":"x"}
        > {"accountName":"a\u0000","unknown":"\u0000"}
        400 Bad Request
        content-language: en
        content-type: application/json
        vary: Accept-Language

        {"success":false,"code":"4000","message":"Request body is missing or malformed"}
        "#);
    }
);

on_both_databases!(
    async fn nesting_is_bounded(server: Server) {
        let admin = admin(&server).await;
        let nested = |depth: usize| format!(r#"{{"unknown":{}{}}}"#, "[".repeat(depth - 1), "]".repeat(depth - 1));
        assert_eq!(admin.update(nested(64)).await.status, 200);
        assert_eq!(admin.update(nested(65)).await.to_string(), admin.update("{").await.to_string());
        assert_eq!(admin.update(nested(30_000)).await.status, 400);
    }
);

on_both_databases!(
    async fn white_space_around_the_object_is_allowed(server: Server) {
        let admin = admin(&server).await;
        let answer = admin.update("\r\n\t {\n\"accountName\"\t:\r\"Jane\" } \n").await;
        assert_eq!(answer.json()["data"]["accountName"], "Jane");
    }
);

on_both_databases!(
    async fn a_body_of_64_kib_is_read(server: Server) {
        let answer = admin(&server).await.update(body_of(MAX)).await;
        assert_eq!(answer.json()["data"]["accountName"], "Jane Admin");
    }
);

on_both_databases!(
    async fn a_body_of_one_byte_more_is_too_large_and_ends_the_connection(server: Server) {
        let admin = admin(&server).await;
        insta::assert_snapshot!(admin.update(body_of(MAX + 1)).await, @r#"
        413 Payload Too Large
        connection: close
        content-language: en
        content-type: application/json
        vary: Accept-Language

        {"success":false,"code":"4130","message":"Request body is too large"}
        "#);
        assert_eq!(admin.history().await, "");
    }
);

/// The head of an update, without the headers about the length of its body.
fn head(admin: &AuthenticatedPerson<'_>) -> String {
    format!(
        "POST {UPDATE} HTTP/1.1\r\nHost: selfsame\r\nConnection: close\r\nAuthorization: Bearer {}\r\n\
         X-Client-Hash: {DEVICE}\r\nContent-Type: application/json\r\n",
        admin.token
    )
}

on_both_databases!(
    async fn a_body_in_chunks_is_read(server: Server) {
        let admin = admin(&server).await;
        let mut wire = Wire::connect(&server).await;
        wire.send(head(&admin) + "Transfer-Encoding: chunked\r\n\r\n").await;
        wire.send("10\r\n{\"accountName\":\"\r\n5;x=y\r\nJane\"\r\n").await;
        wire.send("1\r\n}\r\n0\r\n\r\n").await;
        insta::assert_snapshot!(wire.answer().await, @r#"
        200 OK
        cache-control: private, no-cache
        connection: close
        content-language: en
        content-type: application/json
        vary: Accept-Language

        {"success":true,"code":"2000","message":"SUCCESS","data":{"bizId":"ACC_SYS_001","institutionBizId":"INST_SYS_001","accountEmail":"admin@example.com","accountPhone":"+1234567890","accountName":"Jane","accountRemark":null,"accountPortal":{"code":"SYSTEM","value":10010101,"label":"System"},"accountStatus":{"code":"ACTIVE","value":10010202,"label":"Active"},"createdAt":"2026-01-15T08:00:00Z","updatedAt":"2026-03-20T14:30:00Z","defaultLanguage":"en","defaultTimezone":"America/New_York","defaultCountry":"US"}}
        "#);
    }
);

on_both_databases!(
    async fn a_body_in_chunks_is_bounded_too(server: Server) {
        let admin = admin(&server).await;
        for (length, status) in [(MAX, 200), (MAX + 1, 413)] {
            let mut wire = Wire::connect(&server).await;
            wire.send(head(&admin) + "Transfer-Encoding: chunked\r\n\r\n").await;
            wire.send(format!("{length:x}\r\n{}\r\n0\r\n\r\n", body_of(length))).await;
            assert_eq!(wire.answer().await.status, status, "{length} bytes");
        }
    }
);

on_both_databases!(
    async fn invalid_chunks_are_malformed(server: Server) {
        let admin = admin(&server).await;
        let mut wire = Wire::connect(&server).await;
        wire.send(head(&admin) + "Transfer-Encoding: chunked\r\n\r\nxyz\r\n{}\r\n0\r\n\r\n").await;
        insta::assert_snapshot!(wire.answer().await, @r#"
        400 Bad Request
        connection: close
        content-language: en
        content-type: application/json
        vary: Accept-Language

        {"success":false,"code":"4000","message":"Request body is missing or malformed"}
        "#);
    }
);

on_both_databases!(
    async fn a_body_announced_too_large_is_refused_before_it_is_sent(server: Server) {
        let admin = admin(&server).await;
        let mut wire = Wire::connect(&server).await;
        wire.send(head(&admin) + &format!("Content-Length: {}\r\nExpect: 100-continue\r\n\r\n", MAX + 1)).await;
        assert_eq!(wire.answer().await.status, 413);
    }
);

on_both_databases!(
    async fn a_refusal_keeps_the_connection_open_while_the_body_is_still_arriving(server: Server) {
        let mut wire = Wire::connect(&server).await;
        let head = format!("POST {UPDATE} HTTP/1.1\r\nHost: selfsame\r\nContent-Length: {MAX}\r\n\r\n");
        for _ in 0..3 {
            wire.send(format!("{head}{}", "x".repeat(MAX / 2))).await;
            assert_eq!(wire.answer().await.status, 401);
            wire.send("x".repeat(MAX / 2)).await;
        }
    }
);

on_both_databases!(
    async fn an_endless_unread_body_is_cut_off(server: Server) {
        let mut wire = Wire::connect(&server).await;
        wire.send(format!("POST {UPDATE} HTTP/1.1\r\nHost: selfsame\r\nContent-Length: 100000000\r\n\r\n")).await;
        assert_eq!(wire.answer().await.status, 401);
        assert!(!wire.try_send(99_000_000).await);
    }
);

/// A request with a valid body and these headers that describe it.
fn described(admin: &AuthenticatedPerson<'_>, headers: &[(&str, &str)]) -> Request {
    let request = admin.request("POST", UPDATE).body(r#"{"accountName":"System Admin"}"#);
    headers.iter().fold(request, |request, (name, value)| request.header(name, value))
}

on_both_databases!(
    async fn only_json_in_utf8_is_read(server: Server) {
        let admin = admin(&server).await;
        let mut transcript = Transcript::default();
        transcript.add("no Content-Type", &described(&admin, &[]).send().await);
        for media_type in [
            "",
            "text/plain",
            "text/json",
            "application/x-www-form-urlencoded",
            "multipart/form-data",
            "application/jsonp",
            "application/json-patch+json",
            "application/merge-patch+json",
            "application/problem+json",
            "json",
            "*/*",
            "application/json, text/plain",
            "application/json;charset=latin1",
            "application/json; charset=utf-16",
        ] {
            transcript.add(media_type, &described(&admin, &[("Content-Type", media_type)]).send().await);
        }
        let twice = [("Content-Type", "application/json"), ("Content-Type", "application/json")];
        transcript.add("application/json, twice", &described(&admin, &twice).send().await);
        insta::assert_snapshot!(transcript, @r#"
        > no Content-Type
        > 
        > text/plain
        > text/json
        > application/x-www-form-urlencoded
        > multipart/form-data
        > application/jsonp
        > application/json-patch+json
        > application/merge-patch+json
        > application/problem+json
        > json
        > */*
        > application/json, text/plain
        > application/json;charset=latin1
        > application/json; charset=utf-16
        > application/json, twice
        415 Unsupported Media Type
        content-language: en
        content-type: application/json
        vary: Accept-Language

        {"success":false,"code":"4150","message":"Unsupported content type"}
        "#);
    }
);

on_both_databases!(
    async fn json_may_be_named_in_any_case_and_with_parameters(server: Server) {
        let admin = admin(&server).await;
        for media_type in [
            "application/json",
            "APPLICATION/JSON",
            "application/json;charset=UTF-8",
            "application/json; charset=\"utf-8\"",
            "Application/Json ; Charset=utf-8",
            "application/json; profile=x",
        ] {
            let answer = described(&admin, &[("Content-Type", media_type)]).send().await;
            assert_eq!(answer.status, 200, "{media_type}");
        }
    }
);

on_both_databases!(
    async fn a_body_in_a_content_coding_is_refused_with_the_accepted_coding(server: Server) {
        let admin = admin(&server).await;
        let mut transcript = Transcript::default();
        for coding in ["gzip", "br", "identity, gzip", "x"] {
            let headers = [("Content-Type", "application/json"), ("Content-Encoding", coding)];
            transcript.add(coding, &described(&admin, &headers).send().await);
        }
        insta::assert_snapshot!(transcript, @r#"
        > gzip
        > br
        > identity, gzip
        > x
        415 Unsupported Media Type
        accept-encoding: identity
        content-language: en
        content-type: application/json
        vary: Accept-Language

        {"success":false,"code":"4150","message":"Unsupported content type"}
        "#);
        for coding in ["identity", "Identity"] {
            let headers = [("Content-Type", "application/json"), ("Content-Encoding", coding)];
            assert_eq!(described(&admin, &headers).send().await.status, 200, "{coding}");
        }
    }
);
