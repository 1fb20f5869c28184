//! Messages that contain their own keys.

use super::*;

on_both_databases!(
    async fn a_change_in_a_message_without_a_session_is_made_and_its_response_is_encrypted(server: Server) {
        let (admin, key, keys) = (admin(&server).await, ServerKey::of(&server).await, Session::none());
        let answer = admin.send_one_off(key.one_off(&keys, 1, JANE)).await;
        assert!(answer.is_binary());
        insta::assert_snapshot!(keys.read(answer), @r#"
        200 OK
        cache-control: private, no-cache
        content-language: en
        content-type: application/json
        vary: Accept-Language
        x-sc-version: 2

        {"success":true,"code":"2000","message":"SUCCESS","data":{"bizId":"ACC_SYS_001","institutionBizId":"INST_SYS_001","accountEmail":"admin@example.com","accountPhone":"+1234567890","accountName":"Jane Admin","accountRemark":null,"accountPortal":{"code":"SYSTEM","value":10010101,"label":"System"},"accountStatus":{"code":"ACTIVE","value":10010202,"label":"Active"},"createdAt":"2026-01-15T08:00:00Z","updatedAt":"2026-03-20T14:30:00Z","defaultLanguage":"en","defaultTimezone":"America/New_York","defaultCountry":"US"}}
        "#);
        let answer = admin.send_one_off(key.one_off(&keys, 2, r#"{"accountName":7}"#)).await;
        insta::assert_snapshot!(keys.read(answer), @r#"
        400 Bad Request
        content-language: en
        content-type: application/json
        vary: Accept-Language
        x-sc-version: 2

        {"success":false,"code":"4000","message":"Invalid request parameters","data":{"accountName":["must be a string"]}}
        "#);
        assert_eq!(admin.stored().await.version, 2);
    }
);

on_both_databases!(
    async fn every_invalid_message_without_a_session_gets_the_same_response(server: Server) {
        let (admin, key, keys) = (admin(&server).await, ServerKey::of(&server).await, Session::none());
        let good = key.one_off(&keys, 1, JANE);
        let mut transcript = Transcript::default();
        for (place, what) in [(5, "key"), (60, "key of the request"), (320, "key of the answer"), (600, "payload")] {
            let mut tampered = good.clone();
            tampered[place] ^= 1;
            transcript.add(format!("another {what}"), &admin.send_one_off(tampered).await.plain());
        }
        for cut in [4, 5, 47, 50, 305, 306, 564, 580, good.len() - 1] {
            transcript
                .add(format!("cut off after {cut} bytes"), &admin.send_one_off(good[..cut].to_vec()).await.plain());
        }
        let short = key.one_off_to(&keys, &key.encrypt(b"short"), 1, JANE);
        transcript.add("a key that is too short", &admin.send_one_off(short).await.plain());
        let same = Session { response_key: keys.request_key, ..keys.clone() };
        transcript.add("two equal keys", &admin.send_one_off(key.one_off(&same, 1, JANE)).await.plain());
        let named = Session { id: "x".to_owned(), ..keys.clone() };
        transcript.add("tied to something", &admin.send_one_off(key.one_off(&named, 1, JANE)).await.plain());
        insta::assert_snapshot!(transcript, @r#"
        > another key
        > another key of the request
        > another key of the answer
        > another payload
        > cut off after 4 bytes
        > cut off after 5 bytes
        > cut off after 47 bytes
        > cut off after 50 bytes
        > cut off after 305 bytes
        > cut off after 306 bytes
        > cut off after 564 bytes
        > cut off after 580 bytes
        > cut off after 619 bytes
        > a key that is too short
        > two equal keys
        > tied to something
        400 Bad Request
        content-language: en
        content-type: application/json
        vary: Accept-Language

        {"success":false,"code":"4000","message":"Invalid secure channel payload"}
        "#);
        assert_eq!(admin.history().await, "");
        assert_eq!(keys.read(admin.send_one_off(good).await).status, 200);
    }
);

on_both_databases!(
    async fn a_repeated_message_is_refused_even_with_another_response_key(server: Server) {
        let (admin, key, keys) = (admin(&server).await, ServerKey::of(&server).await, Session::none());
        let good = key.one_off(&keys, 1, JANE);
        assert_eq!(keys.read(admin.send_one_off(good.clone()).await).status, 200);
        let other = sign_in(&server, server.person(&[]).await).await;
        let mut transcript = Transcript::default();
        transcript.add("again", &admin.send_one_off(good.clone()).await.plain());
        // An attacker who saw the message can encrypt their own response key to the server's key.
        let theirs = key.one_off_to(&keys, &key.encrypt(&[7; 32]), 1, JANE);
        let payload = good.len() - keys.payload(1, JANE).len() - 2 - 256;
        let spliced = [&good[..payload], &theirs[payload..]].concat();
        transcript.add("with another key for the answer", &admin.send_one_off(spliced).await.plain());
        transcript.add("from another account", &other.send_one_off(good.clone()).await.plain());
        server.pass(Duration::from_secs(23 * 60 * 60));
        let later = sign_in(&server, admin.account.clone()).await;
        transcript.add("23 hours later", &later.send_one_off(good).await.plain());
        insta::assert_snapshot!(transcript, @r#"
        > again
        > with another key for the answer
        > from another account
        > 23 hours later
        400 Bad Request
        content-language: en
        content-type: application/json
        vary: Accept-Language

        {"success":false,"code":"4000","message":"Invalid secure channel payload"}
        "#);
        assert_eq!((admin.stored().await.version, other.name().await.as_str()), (2, ""));
    }
);

on_both_databases!(
    async fn an_account_is_limited_to_a_thousand_remembered_messages(server: Server) {
        let (admin, key, keys) = (admin(&server).await, ServerKey::of(&server).await, Session::none());
        let store = server.app.store();
        for number in 0..1000_u32 {
            let nonce = selfsame::store::Nonce {
                scope: vec![1],
                nonce: number.to_be_bytes().to_vec(),
                account: Some(admin.account.id),
                expires_at: server.app.now() + Duration::from_secs(600 + u64::from(number)),
            };
            store.use_nonce(&nonce).await.unwrap();
        }
        insta::assert_snapshot!(keys.read(admin.send_one_off(key.one_off(&keys, 1, JANE)).await), @r#"
        429 Too Many Requests
        content-language: en
        content-type: application/json
        retry-after: 600
        vary: Accept-Language
        x-sc-version: 2

        {"success":false,"code":"4290","message":"Too many requests"}
        "#);
        assert_eq!(admin.history().await, "");
        let other = sign_in(&server, server.person(&[]).await).await;
        assert_eq!(keys.read(other.send_one_off(key.one_off(&keys, 2, JANE)).await).status, 200);
        server.pass(Duration::from_secs(600));
        assert_eq!(keys.read(admin.send_one_off(key.one_off(&keys, 1, JANE)).await).status, 200);
    }
);
