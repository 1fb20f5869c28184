//! Discovery: the configuration document and the key set.

use super::{AppUser, without_address};
use crate::support::Server;
use crate::support::applications::KEY_ID;

on_both_databases!(
    async fn the_configuration_lists_the_existing_endpoints_and_no_others(server: Server) {
        let answer = server.request("GET", "/.well-known/openid-configuration").send().await;
        insta::assert_snapshot!(without_address(&server, &answer), @r#"
        200 OK
        cache-control: public, max-age=300
        content-type: application/json
        vary: Origin

        {"issuer":"URL","token_endpoint":"URL/oauth2/token","userinfo_endpoint":"URL/userinfo","jwks_uri":"URL/oauth2/jwks","revocation_endpoint":"URL/oauth2/revoke","response_types_supported":[],"scopes_supported":["openid"],"claims_supported":["sub","email","name","nickname","zoneinfo","locale","phone_number","email_verified","phone_number_verified","username","picture"],"grant_types_supported":["http://tencentciam.com/oauth2/grant-type/otp/sms","http://tencentciam.com/oauth2/grant-type/otp/email","URL/oauth2/grant-type/otp/sms","URL/oauth2/grant-type/otp/email","refresh_token","client_credentials"],"subject_types_supported":["public"],"id_token_signing_alg_values_supported":["RS256"],"token_endpoint_auth_methods_supported":["client_secret_basic","client_secret_post","none"],"revocation_endpoint_auth_methods_supported":["client_secret_basic","client_secret_post","none"]}
        "#);
    }
);

on_both_databases!(
    async fn the_keys_are_those_that_sign_tokens_of_applications(server: Server) {
        let jane = AppUser::new(&server).await;
        let answer = server.request("GET", "/oauth2/jwks").send().await;
        assert_eq!(
            (answer.header("content-type"), answer.header("cache-control")),
            ("application/json", "public, max-age=60")
        );
        let keys = answer.json();
        let keys = keys["keys"].as_array().unwrap();
        assert_eq!(keys.len(), 1);
        assert_eq!(
            (&keys[0]["kid"], &keys[0]["alg"], &keys[0]["use"], &keys[0]["kty"]),
            (&KEY_ID.into(), &"RS256".into(), &"sig".into(), &"RSA".into())
        );
        assert!(keys[0].get("d").is_none());
        // The other contracts have keys of their own.
        let others = server.request("GET", "/.well-known/jwks.json").send().await.json();
        assert!(others["keys"].as_array().unwrap().iter().all(|key| key["kty"] == "OKP"), "{others}");

        let rotated = server.app.issuer().rotate_for_applications().await.unwrap();
        let keys = server.request("GET", "/oauth2/jwks").send().await.json();
        let mut ids: Vec<&str> =
            keys["keys"].as_array().unwrap().iter().map(|key| key["kid"].as_str().unwrap()).collect();
        ids.sort_unstable();
        let mut expected = [KEY_ID, &rotated];
        expected.sort_unstable();
        assert_eq!(ids, expected);
        assert_eq!(jane.get().await.status, 200, "a token that an older key signed was refused");
        let fresh = jane.client.token(&jane.account).await;
        assert_eq!(server.request("GET", "/userinfo").bearer(&fresh).send().await.status, 200);
    }
);

on_both_databases!(
    async fn the_first_key_is_made_when_it_is_first_requested(server: Server) {
        let keys = server.request("GET", "/oauth2/jwks").send().await.json();
        assert_eq!(keys["keys"].as_array().unwrap().len(), 1);
        assert_eq!(server.request("GET", "/oauth2/jwks").send().await.json(), keys);
    }
);
