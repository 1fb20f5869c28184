//! Messages in a session.

use super::*;

on_both_databases!(
    async fn an_update_in_a_session_is_answered_in_the_form_of_its_request(server: Server) {
        let admin = admin(&server).await;
        let session = Session::open(&server).await;
        let answer = admin.send_in(&session, session.binary(1, JANE)).await;
        assert!(answer.is_binary());
        insta::assert_snapshot!(session.read(answer), @r#"
        200 OK
        cache-control: private, no-cache
        content-language: en
        content-type: application/json
        vary: Accept-Language
        x-sc-version: 2

        {"success":true,"code":"2000","message":"SUCCESS","data":{"bizId":"ACC_SYS_001","institutionBizId":"INST_SYS_001","accountEmail":"admin@example.com","accountPhone":"+1234567890","accountName":"Jane Admin","accountRemark":null,"accountPortal":{"code":"SYSTEM","value":10010101,"label":"System"},"accountStatus":{"code":"ACTIVE","value":10010202,"label":"Active"},"createdAt":"2026-01-15T08:00:00Z","updatedAt":"2026-03-20T14:30:00Z","defaultLanguage":"en","defaultTimezone":"America/New_York","defaultCountry":"US"}}
        "#);
        let answer = admin.send_in(&session, session.json(2, JOHN)).await;
        assert!(!answer.is_binary());
        insta::assert_snapshot!(session.read(answer), @r#"
        200 OK
        cache-control: private, no-cache
        content-language: en
        content-type: application/json
        vary: Accept-Language
        x-sc-version: 2

        {"success":true,"code":"2000","message":"SUCCESS","data":{"bizId":"ACC_SYS_001","institutionBizId":"INST_SYS_001","accountEmail":"admin@example.com","accountPhone":"+1234567890","accountName":"John Admin","accountRemark":null,"accountPortal":{"code":"SYSTEM","value":10010101,"label":"System"},"accountStatus":{"code":"ACTIVE","value":10010202,"label":"Active"},"createdAt":"2026-01-15T08:00:00Z","updatedAt":"2026-03-20T14:30:00Z","defaultLanguage":"en","defaultTimezone":"America/New_York","defaultCountry":"US"}}
        "#);
        let history = admin.history().await;
        let without_id = |line: &str| line.replace(line.split(' ').nth(4).unwrap(), "ID");
        let history: Vec<String> = history.lines().map(without_id).collect();
        insta::assert_snapshot!(history.join("\n"), @r#"
        2 2026-03-20T14:30:00Z owner system ID {"changes":[{"field":"display_name","before":"System Admin","after":"Jane Admin"}],"source_address":"127.0.0.1"}
        3 2026-03-20T14:30:00Z owner system ID {"changes":[{"field":"display_name","before":"Jane Admin","after":"John Admin"}],"source_address":"127.0.0.1"}
        "#);
    }
);

on_both_databases!(
    async fn a_refusal_is_encrypted_when_the_request_could_be_decrypted(server: Server) {
        let admin = admin(&server).await;
        let session = Session::open(&server).await;
        let mut transcript = Transcript::default();
        let long = json!({"accountName": "x".repeat(127)}).to_string();
        for (nonce, body) in (1..).zip(["", "{", "[]", "null", r#"{"accountName":7}"#, &long, r#"{"v":2,"p":"x"}"#]) {
            let answer = admin.send_in(&session, session.binary(nonce, body)).await;
            assert!(answer.is_binary());
            transcript.add(body, &session.read(answer));
        }
        insta::assert_snapshot!(transcript, @r#"
        > 
        > {
        > []
        > null
        400 Bad Request
        content-language: en
        content-type: application/json
        vary: Accept-Language
        x-sc-version: 2

        {"success":false,"code":"4000","message":"Request body is missing or malformed"}

        > {"accountName":7}
        400 Bad Request
        content-language: en
        content-type: application/json
        vary: Accept-Language
        x-sc-version: 2

        {"success":false,"code":"4000","message":"Invalid request parameters","data":{"accountName":["must be a string"]}}

        > {"accountName":"xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"}
        400 Bad Request
        content-language: en
        content-type: application/json
        vary: Accept-Language
        x-sc-version: 2

        {"success":false,"code":"4000","message":"Invalid request parameters","data":{"accountName":["size must be between 0 and 126"]}}

        > {"v":2,"p":"x"}
        200 OK
        cache-control: private, no-cache
        content-language: en
        content-type: application/json
        vary: Accept-Language
        x-sc-version: 2

        {"success":true,"code":"2000","message":"SUCCESS","data":{"bizId":"ACC_SYS_001","institutionBizId":"INST_SYS_001","accountEmail":"admin@example.com","accountPhone":"+1234567890","accountName":"System Admin","accountRemark":null,"accountPortal":{"code":"SYSTEM","value":10010101,"label":"System"},"accountStatus":{"code":"ACTIVE","value":10010202,"label":"Active"},"createdAt":"2026-01-15T08:00:00Z","updatedAt":"2026-03-20T14:30:00Z","defaultLanguage":"en","defaultTimezone":"America/New_York","defaultCountry":"US"}}
        "#);
        assert_eq!(admin.history().await, "");
    }
);

on_both_databases!(
    async fn a_refusal_is_in_the_language_that_was_asked_for_encrypted_or_not(server: Server) {
        let admin = admin(&server).await;
        let session = Session::open(&server).await;
        let mut transcript = Transcript::default();
        for language in ["en", "zh", "zh-Hant", "ja", "vi"] {
            let request = admin.in_session(&session).header("Accept-Language", language).body(session.binary(1, "{"));
            transcript.add(format!("{language}, opened"), &session.read(Sealed::of(request).await));
            let request = admin.in_session(&session).header("Accept-Language", language).body("SC");
            transcript.add(format!("{language}, not opened"), &request.send().await);
            let unknown = Session { id: "none".to_owned(), ..session.clone() };
            let request = admin.in_session(&unknown).header("Accept-Language", language).body(unknown.binary(1, JANE));
            transcript.add(format!("{language}, no session"), &request.send().await);
        }
        insta::assert_snapshot!(transcript, @r#"
        > en, opened
        400 Bad Request
        content-language: en
        content-type: application/json
        vary: Accept-Language
        x-sc-version: 2

        {"success":false,"code":"4000","message":"Request body is missing or malformed"}

        > en, not opened
        400 Bad Request
        content-language: en
        content-type: application/json
        vary: Accept-Language

        {"success":false,"code":"4000","message":"Invalid secure channel payload"}

        > en, no session
        400 Bad Request
        content-language: en
        content-type: application/json
        vary: Accept-Language

        {"success":false,"code":"4000","message":"Secure channel session not found"}

        > zh, opened
        400 Bad Request
        content-language: zh
        content-type: application/json
        vary: Accept-Language
        x-sc-version: 2

        {"success":false,"code":"4000","message":"请求正文缺失或格式错误"}

        > zh, not opened
        400 Bad Request
        content-language: zh
        content-type: application/json
        vary: Accept-Language

        {"success":false,"code":"4000","message":"安全通道载荷无效"}

        > zh, no session
        400 Bad Request
        content-language: zh
        content-type: application/json
        vary: Accept-Language

        {"success":false,"code":"4000","message":"未找到安全通道会话"}

        > zh-Hant, opened
        400 Bad Request
        content-language: zh-Hant
        content-type: application/json
        vary: Accept-Language
        x-sc-version: 2

        {"success":false,"code":"4000","message":"缺少請求本文或其格式錯誤"}

        > zh-Hant, not opened
        400 Bad Request
        content-language: zh-Hant
        content-type: application/json
        vary: Accept-Language

        {"success":false,"code":"4000","message":"安全通道承載內容無效"}

        > zh-Hant, no session
        400 Bad Request
        content-language: zh-Hant
        content-type: application/json
        vary: Accept-Language

        {"success":false,"code":"4000","message":"找不到安全通道工作階段"}

        > ja, opened
        400 Bad Request
        content-language: ja
        content-type: application/json
        vary: Accept-Language
        x-sc-version: 2

        {"success":false,"code":"4000","message":"リクエスト本文がないか、形式が正しくありません"}

        > ja, not opened
        400 Bad Request
        content-language: ja
        content-type: application/json
        vary: Accept-Language

        {"success":false,"code":"4000","message":"セキュアチャネルのペイロードが無効です"}

        > ja, no session
        400 Bad Request
        content-language: ja
        content-type: application/json
        vary: Accept-Language

        {"success":false,"code":"4000","message":"セキュアチャネルのセッションが見つかりません"}

        > vi, opened
        400 Bad Request
        content-language: vi
        content-type: application/json
        vary: Accept-Language
        x-sc-version: 2

        {"success":false,"code":"4000","message":"Nội dung yêu cầu bị thiếu hoặc không đúng định dạng"}

        > vi, not opened
        400 Bad Request
        content-language: vi
        content-type: application/json
        vary: Accept-Language

        {"success":false,"code":"4000","message":"Dữ liệu kênh bảo mật không hợp lệ"}

        > vi, no session
        400 Bad Request
        content-language: vi
        content-type: application/json
        vary: Accept-Language

        {"success":false,"code":"4000","message":"Không tìm thấy phiên kênh bảo mật"}
        "#);
    }
);

on_both_databases!(
    async fn a_session_may_be_named_by_the_older_header(server: Server) {
        let admin = admin(&server).await;
        let session = Session::open(&server).await;
        let request = admin.request("POST", UPDATE).header("X-Secure-Channel-Session-Id", &session.id);
        let answer = Sealed::of(request.json(session.binary(1, JANE))).await;
        assert_eq!(session.read(answer).json()["data"]["accountName"], "Jane Admin");
    }
);

on_both_databases!(
    async fn an_unknown_expired_or_closed_session_is_not_found(server: Server) {
        let admin = admin(&server).await;
        let (session, closed) = (Session::open(&server).await, Session::open(&server).await);
        let close = server.request("POST", &format!("{CHANNEL}/session/close")).header("X-SC-Session-Id", &closed.id);
        insta::assert_snapshot!(close.send().await, @r#"
        200 OK
        cache-control: no-store
        content-type: application/json

        {"success":true,"code":"2000","message":"SUCCESS","data":null}
        "#);
        let mut transcript = Transcript::default();
        let nobodys = uuid::Uuid::from_u128(7).to_string();
        for (what, id) in [
            ("closed", closed.id.as_str()),
            ("nobody's", &nobodys),
            ("in capitals", &session.id.to_uppercase()),
            ("no identifier", "x"),
            ("empty", ""),
        ] {
            let named = Session { id: id.to_owned(), ..session.clone() };
            transcript.add(what, &admin.send_in(&named, named.binary(1, JANE)).await.plain());
        }
        let unnamed = admin.request("POST", UPDATE).header("X-SC-Version", "2").json(session.binary(1, JANE));
        transcript.add("no header", &unnamed.send().await);
        let twice = admin.in_session(&session).header("X-SC-Session-Id", &closed.id).body(session.binary(1, JANE));
        transcript.add("two headers", &twice.send().await);
        assert_eq!(session.read(admin.send_in(&session, session.binary(1, JANE)).await).status, 200);
        server.pass(Duration::from_secs(24 * 60 * 60));
        let again = sign_in(&server, admin.stored().await).await;
        transcript.add("a day old", &again.send_in(&session, session.binary(2, JOHN)).await.plain());
        insta::assert_snapshot!(transcript, @r#"
        > closed
        > nobody's
        > in capitals
        > no identifier
        > empty
        > no header
        > two headers
        > a day old
        400 Bad Request
        content-language: en
        content-type: application/json
        vary: Accept-Language

        {"success":false,"code":"4000","message":"Secure channel session not found"}
        "#);
        assert_eq!(admin.name().await, "Jane Admin");
    }
);

on_both_databases!(
    async fn a_session_belongs_to_the_account_and_the_client_that_used_it_first(server: Server) {
        let admin = admin(&server).await;
        let other = sign_in(&server, server.person(&[]).await).await;
        let session = Session::open(&server).await;
        assert_eq!(session.read(admin.send_in(&session, session.binary(1, JANE)).await).status, 200);
        let mut transcript = Transcript::default();
        transcript.add("another account", &other.send_in(&session, session.binary(2, JOHN)).await.plain());
        let token = server.token(&admin.account, selfsame::account::Contract::System).await;
        let elsewhere = |device: &str| {
            let request = server.request("POST", UPDATE).bearer(&token).header("X-Client-Hash", device);
            request.header("X-SC-Session-Id", &session.id).json(session.binary(3, JOHN))
        };
        transcript.add("another client", &elsewhere("d2").send().await);
        insta::assert_snapshot!(transcript, @r#"
        > another account
        > another client
        400 Bad Request
        content-language: en
        content-type: application/json
        vary: Accept-Language

        {"success":false,"code":"4000","message":"Secure channel session not found"}
        "#);
        assert_eq!((admin.name().await.as_str(), other.name().await.as_str()), ("Jane Admin", ""));
    }
);

on_both_databases!(
    async fn a_new_token_continues_the_session(server: Server) {
        let admin = admin(&server).await;
        let session = Session::open(&server).await;
        assert_eq!(session.read(admin.send_in(&session, session.binary(1, JANE)).await).status, 200);
        let again = sign_in(&server, admin.account.clone()).await;
        assert_ne!(again.token, admin.token);
        assert_eq!(session.read(again.send_in(&session, session.binary(2, JOHN)).await).status, 200);
        assert_eq!(admin.name().await, "John Admin");
    }
);

on_both_databases!(
    async fn a_client_without_the_keys_cannot_claim_a_session(server: Server) {
        let admin = admin(&server).await;
        let other = sign_in(&server, server.person(&[]).await).await;
        let session = Session::open(&server).await;
        let guess = Session { request_key: [9; 32], ..session.clone() };
        assert_eq!(other.send_in(&session, guess.binary(1, JOHN)).await.plain().status, 400);
        assert_eq!(session.read(admin.send_in(&session, session.binary(1, JANE)).await).status, 200);
    }
);

on_both_databases!(
    async fn any_instance_serves_the_next_request_of_a_session(server: Server) {
        let admin = admin(&server).await;
        let session = Session::open(&server).await;
        assert_eq!(session.read(admin.send_in(&session, session.binary(1, JANE)).await).status, 200);
        let other = server.other_instance().await;
        let id = session.id.parse::<uuid::Uuid>().unwrap();
        let found = other.store().channel_session(id.into_bytes(), &[1; 12]).await.unwrap().unwrap();
        assert!(found.nonce_used && found.messages == 1);
        let keys = other.keys().secure_channel().open(id.as_bytes(), &found.sealed).unwrap();
        assert_eq!(keys, [session.request_key, session.response_key].concat());
    }
);

on_both_databases!(
    async fn the_response_to_a_read_is_not_encrypted(server: Server) {
        let admin = admin(&server).await;
        let session = Session::open(&server).await;
        let request = admin.request("GET", PROFILE).header("X-SC-Session-Id", &session.id);
        assert_eq!(request.send().await.json()["data"]["accountName"], "System Admin");
    }
);
