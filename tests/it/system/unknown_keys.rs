//! Key names that no key has: each look-up costs a query, so they are looked up at most ten times a second.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use axum::http::{HeaderMap, HeaderValue, header};
use selfsame::account::{Contract, CredentialFault, Error};
use selfsame::app::App;
use selfsame::clock::Clock;
use serde_json::json;

use crate::support::Server;
use crate::support::applications::KEY_ID;
use crate::support::forge::Forge;
use crate::support::signing::Key;

/// Another instance of the installation that serves nothing, so that no background maintenance reads the keys for it.
struct Instance {
    app: App,
    hand: Arc<AtomicI64>,
}

impl Instance {
    async fn of(server: &Server) -> Instance {
        let hand = Arc::new(AtomicI64::new(server.app.now().as_microsecond()));
        let app = App::start(server.app.config().clone(), Clock::Hand(hand.clone())).await.unwrap();
        app.listens_on(server.address());
        Instance { app, hand }
    }

    fn pass(&self, time: Duration) {
        self.hand.fetch_add(i64::try_from(time.as_micros()).unwrap(), Ordering::SeqCst);
    }

    async fn accepts(&self, token: &str) -> bool {
        let bearer = HeaderValue::try_from(format!("Bearer {token}")).unwrap();
        let headers = HeaderMap::from_iter([(header::AUTHORIZATION, bearer)]);
        match self.app.authenticator().bearer(&headers, None).await {
            Ok(_) => true,
            Err(Error::Credentials(CredentialFault::Invalid)) => false,
            Err(error) => panic!("{error:?}"),
        }
    }
}

const PAUSE: Duration = Duration::from_millis(100);
const MOMENT: Duration = Duration::from_micros(1);

on_both_databases!(
    async fn an_invented_key_of_a_token_postpones_the_next_look_up_by_a_tenth_of_a_second(server: Server) {
        let account = server.person(&[]).await;
        let forge = Forge::of(&server).await;
        let invented = forge.sign(&forge.header(json!({ "kid": "invented" })), &forge.claims(&account, json!({})));
        let instance = Instance::of(&server).await;
        assert!(!instance.accepts(&invented).await);
        // From here on the instance knows the new key only if it looks it up.
        server.app.issuer().rotate().await.unwrap();
        let token = server.token(&account, Contract::System).await;
        assert!(!instance.accepts(&token).await);
        instance.pass(PAUSE - MOMENT);
        assert!(!instance.accepts(&token).await);
        instance.pass(MOMENT);
        assert!(instance.accepts(&token).await);
    }
);

on_both_databases!(
    async fn an_invented_key_of_an_applications_token_postpones_the_next_look_up(server: Server) {
        let account = server.person(&[]).await;
        let claims = json!({
            "iss": server.app.public_url(), "sub": account.id.to_string(), "aud": "none", "scope": ["openid"],
            "exp": server.app.now().as_second() + 600,
        });
        let instance = Instance::of(&server).await;
        assert!(!instance.accepts(&Key::rsa("invented").token("RS256", &claims)).await);
        // Adds the key that the tests share.
        server.client(selfsame::account::Kind::Web, &[]).await;
        let token = Key::rsa(KEY_ID).token("RS256", &claims);
        assert!(!instance.accepts(&token).await);
        instance.pass(PAUSE);
        assert!(instance.accepts(&token).await);
    }
);

on_both_databases!(
    async fn an_invented_key_of_an_encrypted_body_postpones_the_next_look_up(server: Server) {
        let instance = Instance::of(&server).await;
        let finds = async |name: &str| instance.app.channel_keys().find(name).await.unwrap().is_some();
        assert!(!finds("invented").await);
        let name = server.app.channel_keys().rotate().await.unwrap().remove(0);
        assert!(!finds(&name).await);
        instance.pass(PAUSE - MOMENT);
        assert!(!finds(&name).await);
        instance.pass(MOMENT);
        assert!(finds(&name).await);
    }
);
