//! One message sent many times concurrently.

use super::*;

const SENDS: usize = 20;

/// Sends requests concurrently and returns how many are accepted; the others must fail to decrypt.
async fn accepted(sends: impl Iterator<Item = Request>) -> usize {
    let sends: Vec<_> = sends.map(|request| tokio::spawn(Sealed::of(request))).collect();
    let mut accepted = 0;
    for send in sends {
        let answer = send.await.unwrap();
        if answer.status() == 200 {
            accepted += 1;
        } else {
            let refused = answer.plain();
            let text = r#"{"success":false,"code":"4000","message":"Invalid secure channel payload"}"#;
            assert_eq!((refused.status.as_u16(), refused.body.as_str()), (400, text));
        }
    }
    accepted
}

on_both_databases!(
    async fn one_of_many_sends_of_an_envelope_is_accepted(server: Server) {
        let admin = admin(&server).await;
        for (round, body) in (1..).zip([JANE, "{}", JOHN, JOHN]) {
            let (first, session) = (admin.stored().await.version, Session::open(&server).await);
            let envelope = session.binary(round, body);
            let sends = (0..SENDS).map(|_| admin.in_session(&session).body(envelope.clone()));
            assert_eq!(accepted(sends).await, 1, "{body}");
            assert!(admin.stored().await.version - first <= 1);
        }
        assert_eq!(admin.stored().await.version, 3);
    }
);

on_both_databases!(
    async fn one_of_many_sends_of_a_message_without_a_session_is_accepted(server: Server) {
        let (admin, key) = (admin(&server).await, ServerKey::of(&server).await);
        let envelope = key.one_off(&Session::none(), 1, JANE);
        let sends =
            (0..SENDS).map(|_| admin.request("POST", UPDATE).header("X-SC-Version", "2").json(envelope.clone()));
        assert_eq!(accepted(sends).await, 1);
        assert_eq!(admin.stored().await.version, 2);
    }
);

on_both_databases!(
    async fn one_of_many_sends_of_a_token_is_accepted(server: Server) {
        let (admin, key) = (admin(&server).await, ServerKey::of(&server).await);
        let token = jwe(&key, &header(&server, &key, "once"), JANE);
        let send = |_| admin.request("POST", UPDATE).header("Content-Type", "application/jose").body(token.clone());
        assert_eq!(accepted((0..SENDS).map(send)).await, 1);
        assert_eq!(admin.stored().await.version, 2);
    }
);

on_both_databases!(
    async fn many_messages_of_one_session_at_once_are_all_accepted_and_counted(server: Server) {
        let (admin, session) = (admin(&server).await, Session::open(&server).await);
        assert_eq!(session.read(admin.send_in(&session, session.binary(100, "{}")).await).status, 200);
        let body = |send: usize| format!(r#"{{"accountName":"{send}"}}"#);
        let envelopes = (0..SENDS).map(|send| session.binary(u8::try_from(send).unwrap(), &body(send)));
        assert_eq!(accepted(envelopes.map(|envelope| admin.in_session(&session).body(envelope))).await, SENDS);
        let id = session.id.parse::<uuid::Uuid>().unwrap().into_bytes();
        let found = server.app.store().channel_session(id, &[0; 12]).await.unwrap().unwrap();
        assert_eq!((found.messages, found.nonce_used), (21, true));
        assert_eq!(admin.stored().await.version, 21);
    }
);
