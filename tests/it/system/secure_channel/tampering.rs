//! Every invalid message gets the same response and changes nothing.

use super::*;

on_both_databases!(
    async fn every_invalid_envelope_gets_the_same_response(server: Server) {
        let admin = admin(&server).await;
        let session = Session::open(&server).await;
        let good = session.binary(1, JANE);
        let mut cases: Vec<(String, Vec<u8>)> = Vec::new();
        for (place, what) in [(2, "version"), (3, "type"), (4, "nonce"), (16, "first byte"), (good.len() - 1, "tag")] {
            let mut tampered = good.clone();
            tampered[place] ^= 1;
            cases.push((format!("another {what}"), tampered));
        }
        for cut in [2, 3, 4, 15, 16, 31, good.len() - 1] {
            cases.push((format!("cut off after {cut} bytes"), good[..cut].to_vec()));
        }
        cases.push(("one byte more".to_owned(), [good.clone(), vec![0]].concat()));
        cases.push(("an answer".to_owned(), [b"SC\x02\x81", &good[4..]].concat()));
        let wrong = Session { request_key: [9; 32], ..session.clone() };
        cases.push(("another key".to_owned(), wrong.binary(1, JANE)));
        let swapped = Session { request_key: session.response_key, ..session.clone() };
        cases.push(("the key of answers".to_owned(), swapped.binary(1, JANE)));
        let unnamed = Session { id: String::new(), ..session.clone() };
        cases.push(("not tied to the session".to_owned(), unnamed.binary(1, JANE)));
        for broken in [
            r#"{"v":2,"p":""}"#.to_owned(),
            r#"{"v":2,"p":7}"#.to_owned(),
            r#"{"v":2,"p":"no base64"}"#.to_owned(),
            session.json(1, JANE).replace(":2", ":1"),
            session.json(1, JANE).replace(":2", r#":"2""#),
            wrong.json(1, JANE),
        ] {
            cases.push((broken.chars().take(20).collect(), broken.into_bytes()));
        }
        let mut transcript = Transcript::default();
        for (what, envelope) in cases {
            transcript.add(what, &admin.send_in(&session, envelope).await.plain());
        }
        let version = admin.request("POST", UPDATE).header("X-SC-Session-Id", &session.id).header("X-SC-Version", "1");
        transcript.add("another version in the header", &version.json(good.clone()).send().await);
        insta::assert_snapshot!(transcript, @r#"
        > another version
        > another type
        > another nonce
        > another first byte
        > another tag
        > cut off after 2 bytes
        > cut off after 3 bytes
        > cut off after 4 bytes
        > cut off after 15 bytes
        > cut off after 16 bytes
        > cut off after 31 bytes
        > cut off after 59 bytes
        > one byte more
        > an answer
        > another key
        > the key of answers
        > not tied to the session
        > {"v":2,"p":""}
        > {"v":2,"p":7}
        > {"v":2,"p":"no base6
        > {"p":"AQEBAQEBAQEBAQ
        > {"p":"AQEBAQEBAQEBAQ
        > {"p":"AQEBAQEBAQEBAQ
        > another version in the header
        400 Bad Request
        content-language: en
        content-type: application/json
        vary: Accept-Language

        {"success":false,"code":"4000","message":"Invalid secure channel payload"}
        "#);
        assert_eq!(admin.history().await, "");
        assert_eq!(session.read(admin.send_in(&session, good).await).status, 200);
    }
);

on_both_databases!(
    async fn an_accepted_message_is_refused_again_in_either_envelope(server: Server) {
        let admin = admin(&server).await;
        let session = Session::open(&server).await;
        assert_eq!(session.read(admin.send_in(&session, session.binary(1, JANE)).await).status, 200);
        assert_eq!(session.read(admin.send_in(&session, session.binary(2, JOHN)).await).status, 200);
        let mut transcript = Transcript::default();
        transcript.add("again", &admin.send_in(&session, session.binary(1, JANE)).await.plain());
        transcript.add("again, as JSON", &admin.send_in(&session, session.json(1, JANE)).await.plain());
        transcript.add("another text, the same nonce", &admin.send_in(&session, session.binary(1, JOHN)).await.plain());
        insta::assert_snapshot!(transcript, @r#"
        > again
        > again, as JSON
        > another text, the same nonce
        400 Bad Request
        content-language: en
        content-type: application/json
        vary: Accept-Language

        {"success":false,"code":"4000","message":"Invalid secure channel payload"}
        "#);
        assert_eq!((admin.name().await.as_str(), admin.stored().await.version), ("John Admin", 3));
    }
);

on_both_databases!(
    async fn a_message_that_changes_nothing_is_accepted_once_too(server: Server) {
        let admin = admin(&server).await;
        let session = Session::open(&server).await;
        for (nonce, body) in [(1, "{}"), (2, r#"{"accountName":"System Admin"}"#)] {
            assert_eq!(session.read(admin.send_in(&session, session.binary(nonce, body)).await).status, 200);
            assert_eq!(admin.send_in(&session, session.binary(nonce, body)).await.plain().status, 400);
        }
        assert_eq!(admin.history().await, "");
    }
);

on_both_databases!(
    async fn a_message_that_was_refused_may_be_sent_again(server: Server) {
        let admin = admin(&server).await;
        let session = Session::open(&server).await;
        for _ in 0..2 {
            let answer = admin.send_in(&session, session.binary(1, r#"{"accountName":7}"#)).await;
            insta::assert_snapshot!(session.read(answer), @r#"
            400 Bad Request
            content-language: en
            content-type: application/json
            vary: Accept-Language
            x-sc-version: 2

            {"success":false,"code":"4000","message":"Invalid request parameters","data":{"accountName":["must be a string"]}}
            "#);
        }
        assert_eq!(session.read(admin.send_in(&session, session.binary(1, JANE)).await).status, 200);
    }
);

on_both_databases!(
    async fn credentials_and_headers_are_checked_before_anything_is_decrypted(server: Server) {
        let admin = admin(&server).await;
        let session = Session::open(&server).await;
        let envelope = session.binary(1, JANE);
        let mut transcript = Transcript::default();
        let send = |request: Request| request.header("X-SC-Session-Id", &session.id);
        let request = send(server.request("POST", UPDATE)).json("SC");
        transcript.add("no token", &request.send().await);
        let request = send(server.request("POST", UPDATE).bearer(&admin.token)).json("SC");
        transcript.add("no client hash", &request.send().await);
        let request = send(admin.request("POST", UPDATE)).header("Content-Type", "text/plain").body(envelope.clone());
        transcript.add("another media type", &request.send().await);
        let request = send(admin.request("POST", UPDATE)).header("Content-Encoding", "gzip").json(envelope.clone());
        transcript.add("a content coding", &request.send().await);
        insta::assert_snapshot!(transcript, @r#"
        > no token
        401 Unauthorized
        content-language: en
        content-type: application/json
        vary: Accept-Language
        www-authenticate: Bearer realm="system"

        {"success":false,"code":"4010","message":"Invalid or expired token"}

        > no client hash
        400 Bad Request
        content-language: en
        content-type: application/json
        vary: Accept-Language

        {"success":false,"code":"4000","message":"Missing required header: X-Client-Hash"}

        > another media type
        415 Unsupported Media Type
        content-language: en
        content-type: application/json
        vary: Accept-Language

        {"success":false,"code":"4150","message":"Unsupported content type"}

        > a content coding
        415 Unsupported Media Type
        accept-encoding: identity
        content-language: en
        content-type: application/json
        vary: Accept-Language

        {"success":false,"code":"4150","message":"Unsupported content type"}
        "#);
        admin.operate(|patch| patch.status = Some(selfsame::account::Status::Suspended)).await;
        assert_eq!(admin.send_in(&session, envelope).await.plain().status, 403);
    }
);
