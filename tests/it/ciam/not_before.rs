//! `nbf`: a token is not valid before that time (RFC 7519 §4.1.5).

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use selfsame::account::Kind;
use serde_json::json;

use super::{AppUser, USERINFO};
use crate::support::Server;
use crate::support::applications::KEY_ID;
use crate::support::signing::Key;

on_both_databases!(
    async fn a_token_is_refused_until_its_nbf_less_the_leeway(server: Server) {
        let jane = AppUser::new(&server).await;
        let leeway = i64::try_from(server.app.config().issuer.leeway.as_secs()).unwrap();
        let now = server.app.now().as_second();
        let token = |not_before: serde_json::Value| {
            let claims = json!({
                "iss": server.app.public_url(), "sub": jane.account.id.to_string(), "aud": jane.client.application.id,
                "scope": ["openid"], "iat": now, "nbf": not_before, "exp": now + 3600, "jti": "forged",
            });
            Key::rsa(KEY_ID).token("RS256", &claims)
        };
        let status = async |token: &str| server.request("GET", USERINFO).bearer(token).send().await.status.as_u16();
        assert_eq!(status(&token(json!(now))).await, 200);
        assert_eq!(status(&token(json!(now + leeway))).await, 200);
        let early = token(json!(now + leeway + 1));
        assert_eq!(status(&early).await, 401);
        // A claim of the wrong type makes it no token, however early it is.
        assert_eq!(status(&token(json!(now.to_string()))).await, 401);
        server.pass(Duration::from_secs(1));
        assert_eq!(status(&early).await, 200);
    }
);

on_both_databases!(
    async fn an_issued_token_is_valid_at_once_and_has_the_time_of_issue_as_nbf(server: Server) {
        let jane = AppUser::of(server.client(Kind::Web, &[]).await, server.person(&[]).await).await;
        let claims = URL_SAFE_NO_PAD.decode(jane.token.split('.').nth(1).unwrap()).unwrap();
        let claims: serde_json::Value = serde_json::from_slice(&claims).unwrap();
        assert_eq!((&claims["nbf"], &claims["iat"]), (&json!(server.app.now().as_second()), &claims["nbf"]));
        assert_eq!(jane.get().await.status, 200);
    }
);
