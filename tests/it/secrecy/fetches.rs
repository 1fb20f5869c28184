//! The server fetches nothing that a caller names.

use std::net::{TcpListener, TcpStream};

use selfsame::account::{Field, Kind};
use serde_json::json;

use crate::support::forge::Forge;
use crate::support::secure_channel::{ServerKey, jwe};
use crate::support::signing::Key;
use crate::support::{Database, Person, Server, patch};

const UPDATE: &str = "/web/v1/system/profile/update";

/// Sends the address to every place where a caller could name one.
async fn name_everywhere(server: &Server, address: &str) {
    let person = Person::new(server, patch(&[(Field::DisplayName, "Jane")])).await;
    let picture = format!("{address}/picture.png");
    let attributes = json!({"$ref": address, "website": address, "avatar": picture});
    for (body, status) in [
        (json!({ "profile_image_url": picture }), 200),
        (json!({ "profile": attributes }), 200),
        (json!({ "profile_image_url": format!("{picture}#again"), "display_name": address }), 200),
        (json!({ "profile_image_url": format!("data:image/png;base64,{picture}") }), 422),
    ] {
        let answer = person.river("PUT", "/api/v1/auth/me/profile", Some(body)).await;
        assert_eq!(answer.status, status, "{answer}");
    }
    assert_eq!(person.river("GET", "/api/v1/auth/me", None).await.status, 200);
    assert_eq!(person.ciam("GET", None).await.status, 200);
    assert_eq!(person.ciam("PATCH", Some(json!({ "name": picture }))).await.status, 200);
    person.ciam("PATCH", Some(json!({ "picture": picture }))).await;
    let user = json!({"firstName": "Jane", "lastName": "Roe", "avatar": picture, "pushToken": address});
    assert_eq!(person.cl2c("PUT", "/v1/cl2c/user", Some(user)).await.status, 200);

    // Headers of encrypted bodies (RFC 7516 §4.1.4, §4.1.7) and of tokens (RFC 7515 §4.1.2, §4.1.5).
    let key = ServerKey::of(server).await;
    for name in ["jku", "x5u", "iss", "url"] {
        let mut header = json!({"alg": "RSA-OAEP-256", "enc": "A256GCM", "kid": key.id, "iat": 0});
        header[name] = address.into();
        let request = server.request("POST", UPDATE).bearer(&person.token).header("X-Client-Hash", "d1");
        let sealed = jwe(&key, &header, r#"{"accountName":"Jo"}"#);
        request.header("Content-Type", "application/jose").body(sealed).send().await;
    }
    let forge = Forge::of(server).await;
    for name in ["jku", "x5u"] {
        let token = forge
            .sign(&forge.header(json!({ name: address, "kid": address })), &forge.claims(&person.account, json!({})));
        let answer =
            server.request("GET", "/web/v1/system/profile").bearer(&token).header("X-Client-Hash", "d1").send().await;
        assert_eq!(answer.status, 401, "{answer}");
    }
    // An issuer that is not trusted, with whose keys the token would have to be verified.
    let unknown = json!({"iss": address, "sub": person.account.id.to_string(), "aud": "system", "exp": 4_000_000_000_i64, "scope": "openid"});
    let token = Key::p256("first").token("ES256", &unknown);
    for path in ["/web/v1/system/profile", "/api/v1/auth/me", "/userinfo"] {
        assert_eq!(server.request("GET", path).bearer(&token).header("X-Client-Hash", "d1").send().await.status, 401);
    }

    // Members of requests for tokens that other servers dereference.
    let client = server.client(Kind::Web, &[]).await;
    for name in [
        "request_uri",
        "jwks_uri",
        "redirect_uri",
        "client_assertion",
        "resource",
        "client_id",
        "sector_identifier_uri",
    ] {
        let body = json!({"grant_type": "client_credentials", name: address});
        client.authenticated(server.request("POST", "/oauth2/token")).json(body.to_string()).send().await;
    }
    for (name, value) in [("Origin", address), ("Referer", address), ("Host", address.trim_start_matches("http://"))] {
        server.request("GET", "/userinfo").bearer(&person.claims).header(name, value).send().await;
    }
    let schema = json!({"type": "object", "properties": {"a": {"$ref": format!("{address}/schema.json")}}}).to_string();
    let set = server.app.store().set_attribute_schema(server.tenant.id, Some(&schema), server.app.now()).await;
    if set.is_ok() {
        person.river("PUT", "/api/v1/auth/me/profile", Some(json!({"profile": {"a": 1}}))).await;
    }
}

#[test]
fn an_address_that_a_caller_names_is_never_connected_to() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    // Returns when the server and everything that it may still do in the background has ended.
    crate::support::run(Database::sqlite, async |database| {
        name_everywhere(&Server::with(database, &[]).await, &address).await;
    });
    // Connections are accepted in the order in which they were made: one of the server would come first.
    let own = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
    let (_, first) = listener.accept().unwrap();
    assert_eq!(first, own.local_addr().unwrap(), "the server connected to an address that a caller named");
}
