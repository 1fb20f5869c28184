//! The responses of the server match its documents; errors match to the byte.

use selfsame::account::{Contract, Field, Kind, Patch, Status};

use super::Document;
use crate::support::secure_channel::Session;
use crate::support::{Answer, Database, Request, Server};

const PROFILE: &str = "/web/v1/system/profile";
const UPDATE: &str = "/web/v1/system/profile/update";
const KEY: &str = "/web/v1/secure-channel/public-key";
const KEYS: &str = "/web/v1/secure-channel/jwks.json";
const SESSION: &str = "/web/v1/secure-channel/session";
const CLOSE: &str = "/web/v1/secure-channel/session/close";

/// Checks an answer against the document, and its status against the expected one.
pub(super) fn check(document: &Document, method: &str, path: &str, status: u16, answer: &Answer) {
    assert_eq!(answer.status.as_u16(), status, "{method} {path}: {answer}");
    let described = match status {
        404 if path.is_empty() => &document.0["components"]["responses"]["NotFound"],
        405 => &document.0["components"]["responses"]["MethodNotAllowed"],
        _ => document.response(method, path, status),
    };
    let faults = document.faults(described, answer);
    assert!(faults.is_empty(), "{method} {path} {status}: {faults:?}");
}

fn suspension() -> Patch {
    let mut patch = Patch::default();
    patch.status = Some(Status::Suspended);
    patch
}

#[tokio::test]
async fn the_system_portal_answers_as_documented() {
    let server = Server::with(Database::sqlite(), &[("SELFSAME__RATE_LIMIT__SYSTEM", "5")]).await;
    let document = Document::of("system");
    let person = server.person(&[(Field::DisplayName, "System Admin")]).await;
    let suspended = server.person(&[]).await;
    server.operate(&suspended, suspension()).await;
    let token = server.token(&person, Contract::System).await;
    let of_suspended = server.token(&suspended, Contract::System).await;
    let of_other = server.token(&person, Contract::RiverGen).await;
    let get = |token: &str| server.request("GET", PROFILE).bearer(token).header("X-Client-Hash", "d1");
    let post_to = |path: &str| server.request("POST", path).bearer(&token).header("X-Client-Hash", "d1");
    let post = || post_to(UPDATE);
    let long = format!(r#"{{"accountName":"{}","accountPhone":"{}"}}"#, "x".repeat(127), "1".repeat(26));
    let of_channel = |method: &str, path: &str| server.request(method, path);
    let opening = || server.request("POST", SESSION);
    let requests: [(&str, &str, u16, Request); 45] = [
        ("GET", KEY, 200, of_channel("GET", KEY)),
        ("HEAD", KEY, 200, of_channel("HEAD", KEY)),
        ("OPTIONS", KEY, 204, of_channel("OPTIONS", KEY)),
        ("GET", KEYS, 200, of_channel("GET", KEYS)),
        ("OPTIONS", KEYS, 204, of_channel("OPTIONS", KEYS)),
        ("POST", SESSION, 400, of_channel("POST", SESSION).json("{}")),
        ("POST", SESSION, 400, of_channel("POST", SESSION).json("[]")),
        ("POST", SESSION, 413, of_channel("POST", SESSION).json("x".repeat(8 * 1024 + 1))),
        ("POST", SESSION, 415, of_channel("POST", SESSION).body("{}")),
        ("POST", SESSION, 200, post_to(SESSION).json(Session::opening(&server).await)),
        ("POST", SESSION, 200, opening().json(Session::opening(&server).await)),
        ("POST", SESSION, 401, opening().bearer("none").json("{}")),
        ("POST", SESSION, 403, opening().bearer(&of_suspended).header("X-Client-Hash", "d1").json("{}")),
        ("POST", SESSION, 403, opening().bearer(&token).header("X-Client-Hash", "d2").json("{}")),
        ("POST", SESSION, 400, opening().bearer(&token).json("{}")),
        ("OPTIONS", SESSION, 204, of_channel("OPTIONS", SESSION)),
        ("POST", CLOSE, 200, of_channel("POST", CLOSE)),
        ("POST", CLOSE, 400, of_channel("POST", CLOSE).json(r#"{"sessionId":7}"#)),
        ("OPTIONS", CLOSE, 204, of_channel("OPTIONS", CLOSE)),
        ("GET", "", 404, of_channel("GET", "/web/v1/secure-channel/none")),
        ("DELETE", KEY, 405, of_channel("DELETE", KEY)),
        ("POST", UPDATE, 400, post().json("SC")),
        ("POST", UPDATE, 400, post().json(format!(r#"{{"v":2,"p":"{}"}}"#, "AAAA".repeat(10)))),
        ("GET", PROFILE, 200, get(&token)),
        ("HEAD", PROFILE, 200, server.request("HEAD", PROFILE).bearer(&token).header("X-Client-Hash", "d1")),
        ("OPTIONS", PROFILE, 204, server.request("OPTIONS", PROFILE)),
        ("GET", PROFILE, 401, server.request("GET", PROFILE)),
        ("GET", PROFILE, 401, get("none")),
        ("GET", PROFILE, 403, get(&of_suspended)),
        ("GET", PROFILE, 403, get(&of_other)),
        ("GET", PROFILE, 403, server.request("GET", PROFILE).bearer(&token).header("X-Client-Hash", "d2")),
        ("GET", PROFILE, 400, server.request("GET", PROFILE).bearer(&token)),
        ("GET", PROFILE, 400, server.request("GET", PROFILE).bearer(&token).header("X-Client-Hash", &"x".repeat(513))),
        ("DELETE", PROFILE, 405, server.request("DELETE", PROFILE)),
        ("GET", "", 404, server.request("GET", "/web/v1/system/none")),
        ("POST", UPDATE, 200, post().json(r#"{"accountName":"Jane Admin"}"#)),
        ("POST", UPDATE, 400, post().json("")),
        ("POST", UPDATE, 400, post().json(long)),
        ("POST", UPDATE, 400, post().json(r#"{"accountName":1}"#)),
        ("POST", UPDATE, 400, post().json(r#"{"accountName":"\u0000"}"#)),
        ("POST", UPDATE, 413, post().json("x".repeat(64 * 1024 + 1))),
        ("POST", UPDATE, 415, post().body("{}")),
        ("POST", UPDATE, 415, post().header("Content-Encoding", "gzip").json("{}")),
        ("OPTIONS", UPDATE, 204, server.request("OPTIONS", UPDATE)),
        ("POST", UPDATE, 401, server.request("POST", UPDATE)),
    ];
    for (method, path, status, request) in requests {
        check(&document, method, path, status, &request.send().await);
        // The rate limit is tested at the end: until then a minute passes between requests.
        server.pass(std::time::Duration::from_secs(60));
    }
    let early = loop {
        let answer = get(&token).send().await;
        if answer.status != 200 {
            break answer;
        }
    };
    check(&document, "GET", PROFILE, 429, &early);
    let _every_place = server.app.requests().take(None, 512).ok().unwrap();
    check(&document, "GET", PROFILE, 503, &get(&token).send().await);
    check(&document, "OPTIONS", PROFILE, 503, &server.request("OPTIONS", PROFILE).send().await);
}

const USER: &str = "/v1/cl2c/user";
const USERS: &str = "/v1/cl2c/users/{id}";

#[tokio::test]
async fn cl2c_answers_as_documented() {
    let server = Server::with(Database::sqlite(), &[("SELFSAME__RATE_LIMIT__DEFAULT", "5")]).await;
    let document = Document::of("cl2c");
    let person = server.person(&[(Field::GivenName, "John"), (Field::FamilyName, "Doe")]).await;
    let other = server.person(&[]).await;
    let suspended = server.person(&[]).await;
    server.operate(&suspended, suspension()).await;
    let key = super::peer::key(&server, person.id).await;
    let of_suspended = super::peer::key(&server, suspended.id).await;
    let path = |id: &str| USERS.replace("{id}", id);
    let own = path(&person.id.to_string());
    let asked = |method: &str, path: &str, key: &str| {
        server.request(method, path).header("tenant", &server.tenant.name).header("X-API-Key", key)
    };
    let get = |path: &str| asked("GET", path, &key);
    let put = || asked("PUT", USER, &key);
    let long = format!(r#"{{"firstName":"{}","lastName":"Doe","pushToken":"{}"}}"#, "x".repeat(76), "x".repeat(4097));
    let requests: [(&str, &str, u16, Request); 22] = [
        ("GET", USERS, 200, get(&own)),
        ("HEAD", USERS, 200, asked("HEAD", &own, &key)),
        ("OPTIONS", USERS, 204, server.request("OPTIONS", &own)),
        ("GET", USERS, 401, server.request("GET", &own)),
        ("GET", USERS, 401, server.request("GET", &own).header("tenant", &server.tenant.name)),
        ("GET", USERS, 401, asked("GET", &path(&suspended.id.to_string()), &of_suspended)),
        ("GET", USERS, 403, get(&path(&other.id.to_string()))),
        ("GET", "", 404, get("/v1/cl2c/none")),
        ("DELETE", USERS, 405, asked("DELETE", &own, &key)),
        ("PUT", USER, 200, put().json(r#"{"firstName":"John","lastName":"Doe"}"#)),
        ("PUT", USER, 400, put().json("")),
        ("PUT", USER, 400, put().json("{")),
        ("PUT", USER, 400, put().json("[]")),
        ("PUT", USER, 400, put().json(r#"{"lastName":"Doe","phoneNumber":"abc"}"#)),
        ("PUT", USER, 400, put().json(long)),
        ("PUT", USER, 400, put().json(r#"{"firstName":"John","lastName":1}"#)),
        ("PUT", USER, 400, put().json(r#"{"firstName":"John","lastName":"\u0000"}"#)),
        ("PUT", USER, 413, put().json("x".repeat(64 * 1024 + 1))),
        ("PUT", USER, 415, put().body("{}")),
        ("PUT", USER, 415, put().header("Content-Encoding", "gzip").json("{}")),
        ("OPTIONS", USER, 204, server.request("OPTIONS", USER)),
        ("PUT", USER, 401, server.request("PUT", USER)),
    ];
    for (method, path, status, request) in requests {
        check(&document, method, path, status, &request.send().await);
        // The rate limit is tested at the end: until then a minute passes between requests.
        server.pass(std::time::Duration::from_secs(60));
    }
    let early = loop {
        let answer = get(&own).send().await;
        if answer.status != 200 {
            break answer;
        }
    };
    check(&document, "GET", USERS, 429, &early);
    let _every_place = server.app.requests().take(None, 512).ok().unwrap();
    check(&document, "GET", USERS, 503, &get(&own).send().await);
}

/// The setting that allows one code a day for each address.
const PER_DAY: (&str, &str) = ("SELFSAME__CODES__CHANGE_EMAIL__PER_DAY", "1");

const ME: &str = "/api/v1/auth/me";
const OWN: &str = "/api/v1/auth/me/profile";
const ASK: &str = "/api/v1/auth/me/email/request";
const VERIFY: &str = "/api/v1/auth/me/email/verify";

#[tokio::test]
async fn rivergen_answers_as_documented() {
    let server = Server::with(Database::sqlite(), &[("SELFSAME__RATE_LIMIT__RIVERGEN", "5"), PER_DAY]).await;
    let document = Document::of("rivergen");
    let mut jane = crate::support::patch(&[(Field::DisplayName, "Jane Smith"), (Field::Email, "jane@example.com")]);
    jane.email_verified = Some(true);
    let person = server.person_with(&server.tenant, jane).await;
    let mut taken = crate::support::patch(&[(Field::Email, "jo@example.com")]);
    taken.email_verified = Some(true);
    server.person_with(&server.tenant, taken).await;
    let suspended = server.person(&[]).await;
    server.operate(&suspended, suspension()).await;
    let token = server.token(&person, Contract::RiverGen).await;
    let of_suspended = server.token(&suspended, Contract::RiverGen).await;
    let of_other = server.token(&person, Contract::System).await;
    let get = |token: &str| server.request("GET", ME).bearer(token);
    let put = || server.request("PUT", OWN).bearer(&token);
    let long = format!(r#"{{"display_name":"{}","profile_image_url":"jane.png","profile":7}}"#, "x".repeat(127));
    let filled = format!(r#"{{"profile":{{"bio":"{}"}}}}"#, "x".repeat(64 * 1024));
    let broken = r#"{"profile_image_url":"data:image/png;base64,AAAA"}"#;
    let ask = |body: &'static str| server.request("POST", ASK).bearer(&token).json(body);
    let verify = |body: &'static str| server.request("POST", VERIFY).bearer(&token).json(body);
    let requests: [(&str, &str, u16, Request); 41] = [
        ("GET", ME, 200, get(&token)),
        ("HEAD", ME, 200, server.request("HEAD", ME).bearer(&token)),
        ("OPTIONS", ME, 204, server.request("OPTIONS", ME)),
        ("GET", ME, 401, server.request("GET", ME)),
        ("GET", ME, 401, get("none")),
        ("GET", ME, 403, get(&of_suspended)),
        ("GET", ME, 403, get(&of_other)),
        ("DELETE", ME, 405, server.request("DELETE", ME)),
        ("GET", "", 404, server.request("GET", "/api/v1/auth/me/none")),
        ("PUT", OWN, 200, put().json(r#"{"display_name":"Jane","profile":{"bio":"x"}}"#)),
        ("PUT", OWN, 400, put().json(filled)),
        ("PUT", OWN, 400, put().json(broken)),
        ("PUT", OWN, 422, put().json("")),
        ("PUT", OWN, 422, put().json("[]")),
        ("PUT", OWN, 422, put().json(long)),
        ("PUT", OWN, 422, put().json(r#"{"display_name":" "}"#)),
        ("PUT", OWN, 422, put().json(r#"{"display_name":"\u0000"}"#)),
        ("PUT", OWN, 422, put().json(r#"{"profile_image_url":1}"#)),
        ("PUT", OWN, 422, put().json(r#"{"profile_image_url":"data:image/png;base64,A"}"#)),
        ("PUT", OWN, 422, put().json(r#"{"profile":[]}"#)),
        ("PUT", OWN, 413, put().json("x".repeat(3 * 1024 * 1024 + 1))),
        ("PUT", OWN, 415, put().body("{}")),
        ("PUT", OWN, 415, put().header("Content-Encoding", "gzip").json("{}")),
        ("OPTIONS", OWN, 204, server.request("OPTIONS", OWN)),
        ("PUT", OWN, 401, server.request("PUT", OWN)),
        ("POST", ASK, 200, ask(r#"{"new_email":"new@example.com"}"#)),
        ("POST", ASK, 429, ask(r#"{"new_email":"new@example.com"}"#)),
        ("POST", ASK, 400, ask(r#"{"new_email":"jane@example.com"}"#)),
        ("POST", ASK, 400, ask(r#"{"new_email":"jo@example.com"}"#)),
        ("POST", ASK, 422, ask("{}")),
        ("POST", ASK, 422, ask(r#"{"new_email":1}"#)),
        ("POST", ASK, 422, ask(r#"{"new_email":"jane"}"#)),
        ("POST", ASK, 401, server.request("POST", ASK)),
        ("OPTIONS", ASK, 204, server.request("OPTIONS", ASK)),
        ("POST", VERIFY, 400, verify(r#"{"new_email":"new@example.com","otp_code":"000000"}"#)),
        ("POST", VERIFY, 400, verify(r#"{"new_email":"other@example.com","otp_code":"000000"}"#)),
        ("POST", VERIFY, 422, verify("{}")),
        ("POST", VERIFY, 422, verify(r#"{"new_email":"new@example.com"}"#)),
        ("POST", VERIFY, 422, verify(r#"{"new_email":"new@example.com","otp_code":"1"}"#)),
        ("POST", VERIFY, 401, server.request("POST", VERIFY)),
        ("OPTIONS", VERIFY, 204, server.request("OPTIONS", VERIFY)),
    ];
    for (method, path, status, request) in requests {
        check(&document, method, path, status, &request.send().await);
        // The rate limit is tested at the end: until then a minute passes between requests.
        server.pass(std::time::Duration::from_secs(60));
    }
    let early = loop {
        let answer = get(&token).send().await;
        if answer.status != 200 {
            break answer;
        }
    };
    check(&document, "GET", ME, 429, &early);
    let _every_place = server.app.requests().take(None, 512).ok().unwrap();
    check(&document, "GET", ME, 503, &get(&token).send().await);
    check(&document, "PUT", OWN, 503, &put().json("{}").send().await);
}

#[tokio::test]
async fn a_change_beyond_what_an_account_may_store_in_a_day_is_answered_as_documented() {
    let server = Server::with(Database::sqlite(), &[("SELFSAME__RATE_LIMIT__HISTORY_BYTES_PER_DAY", "1")]).await;
    let person = server.person(&[]).await;
    let token = server.token(&person, Contract::RiverGen).await;
    let put = |name: &str| server.request("PUT", OWN).bearer(&token).json(format!(r#"{{"display_name":"{name}"}}"#));
    assert_eq!(put("Jane").send().await.status, 200);
    check(&Document::of("rivergen"), "PUT", OWN, 429, &put("Jo").send().await);
}

const USERINFO: &str = "/userinfo";
const SEND: &str = "/otp/send";
const TOKEN: &str = "/oauth2/token";
const REVOKE: &str = "/oauth2/revoke";

#[tokio::test]
async fn ciam_answers_as_documented() {
    let server = Server::with(Database::sqlite(), &[("SELFSAME__RATE_LIMIT__DEFAULT", "5")]).await;
    let document = Document::of("ciam");
    let person = server.person(&[(Field::DisplayName, "Jane Smith")]).await;
    let suspended = server.person(&[]).await;
    let client = server.client(Kind::M2m, &["name"]).await;
    let (token, of_suspended) = (client.token(&person).await, client.token(&suspended).await);
    server.operate(&suspended, suspension()).await;
    let of_nobody = server.app.sign_ins().for_itself(&client.application).await.unwrap().access_token;
    let patch = || server.request("PATCH", USERINFO).bearer(&token);
    let post = |path: &str| client.authenticated(server.request("POST", path));
    let get = |path: &str| server.request("GET", path);
    let email = r#"{"usage":"update_userinfo","email":"jane@example.com"}"#;
    let requests: Vec<(&str, &str, u16, Request)> = vec![
        ("GET", USERINFO, 200, get(USERINFO).bearer(&token)),
        ("HEAD", USERINFO, 200, server.request("HEAD", USERINFO).bearer(&token)),
        ("POST", USERINFO, 200, server.request("POST", USERINFO).bearer(&token)),
        ("OPTIONS", USERINFO, 204, server.request("OPTIONS", USERINFO)),
        ("GET", USERINFO, 400, get(USERINFO)),
        ("GET", USERINFO, 401, get(USERINFO).bearer("none")),
        ("GET", USERINFO, 403, get(USERINFO).bearer(&of_nobody)),
        ("GET", USERINFO, 400, get(USERINFO).bearer(&of_suspended)),
        ("DELETE", USERINFO, 405, server.request("DELETE", USERINFO)),
        ("GET", "", 404, get("/userinfo/none")),
        ("PATCH", USERINFO, 200, patch().json(r#"{"name":"Jane"}"#)),
        ("PATCH", USERINFO, 400, patch().json("")),
        ("PATCH", USERINFO, 400, patch().json(r#"{"other":1}"#)),
        ("PATCH", USERINFO, 400, patch().json(r#"{"sub":"x"}"#)),
        ("PATCH", USERINFO, 400, patch().json(r#"{"name":1}"#)),
        ("PATCH", USERINFO, 400, patch().json(r#"{"email":"x"}"#)),
        ("PATCH", USERINFO, 400, patch().json(r#"{"phone_number":"13800138000"}"#)),
        ("PATCH", USERINFO, 413, patch().json("x".repeat(64 * 1024 + 1))),
        ("PATCH", USERINFO, 415, patch().body("{}")),
        ("PATCH", USERINFO, 415, patch().header("Content-Encoding", "gzip").json("{}")),
        ("POST", SEND, 200, post(SEND).json(email)),
        ("POST", SEND, 400, post(SEND).json("{}")),
        ("POST", SEND, 400, post(SEND).json(r#"{"usage":"x"}"#)),
        ("POST", SEND, 401, server.request("POST", SEND).json(email)),
        ("POST", SEND, 415, post(SEND).body("{}")),
        ("OPTIONS", SEND, 204, server.request("OPTIONS", SEND)),
        ("POST", TOKEN, 200, post(TOKEN).json(r#"{"grant_type":"client_credentials"}"#)),
        ("POST", TOKEN, 400, post(TOKEN).json("{}")),
        ("POST", TOKEN, 400, post(TOKEN).json(r#"{"grant_type":"x"}"#)),
        ("POST", TOKEN, 400, post(TOKEN).json(r#"{"grant_type":"refresh_token","refresh_token":"x"}"#)),
        ("POST", TOKEN, 401, server.request("POST", TOKEN).json(r#"{"grant_type":"x"}"#)),
        ("POST", TOKEN, 415, post(TOKEN).header("Content-Type", "text/plain").body("{}")),
        ("POST", REVOKE, 200, post(REVOKE).json(r#"{"token":"x"}"#)),
        ("POST", REVOKE, 400, post(REVOKE).json("{}")),
        ("POST", REVOKE, 401, server.request("POST", REVOKE).json(r#"{"token":"x"}"#)),
        ("GET", "/oauth2/jwks", 200, get("/oauth2/jwks")),
        ("GET", "/.well-known/openid-configuration", 200, get("/.well-known/openid-configuration")),
    ];
    for (method, path, status, request) in requests {
        check(&document, method, path, status, &request.send().await);
        // The rate limit is tested at the end: until then 13 seconds pass between requests, so that none reaches it.
        server.pass(std::time::Duration::from_secs(13));
    }
    let token = client.token(&person).await;
    let early = loop {
        let answer = get(USERINFO).bearer(&token).send().await;
        if answer.status != 200 {
            break answer;
        }
    };
    check(&document, "GET", USERINFO, 429, &early);
    let busy = Server::with(Database::sqlite(), &[("SELFSAME__RATE_LIMIT__ADDRESS", "1")]).await;
    busy.request("GET", "/oauth2/jwks").send().await;
    for path in ["/oauth2/jwks", "/.well-known/openid-configuration"] {
        check(&document, "GET", path, 429, &busy.request("GET", path).send().await);
    }
    let _every_place = server.app.requests().take(None, 512).ok().unwrap();
    check(&document, "GET", USERINFO, 503, &get(USERINFO).bearer(&token).send().await);
    check(&document, "POST", SEND, 503, &post(SEND).json(email).send().await);
    check(&document, "POST", TOKEN, 503, &post(TOKEN).json("{}").send().await);
}
