//! The log contains no personal value and no credential: through every contract, on success and on every kind of error, at
//! level trace for the program's own code, with real senders of messages.

use std::net::SocketAddr;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

use crate::rivergen::PIXEL;
use crate::support::applications::basic;
use crate::support::canaries::{assert_absent, assert_no_part};
use crate::support::gateway::Gateway;
use crate::support::mail::MailServer;
use crate::support::{Answer, Installation, Request};

const NAME: &str = "Philippa Nightingale";
const NEW_NAME: &str = "Wilhelmina Ravenscroft";
const FAMILY_NAME: &str = "Featherstonehaugh";
const EMAIL: &str = "philippa.nightingale@example.com";
const NEW_EMAIL: &str = "wilhelmina.ravenscroft@example.com";
const REFUSED_EMAIL: &str = "refused@philippa.example.com";
const PHONE: &str = "13912345678";
const NEW_PHONE: &str = "13787654321";
const ABROAD: &str = "+4915735981234";
const ATTRIBUTE: &str = "collects rare stamps of Mauritius";
const CLIENT: &str = "hash-of-a-client-7f3e9d";
const OTHER_CLIENT: &str = "hash-of-a-thief-91c2ab";
const AGENT: &str = "Ravenscroft-Browser/7";
const FORWARDED: &str = "203.0.113.77";
/// What the client calls its requests; not in the form in which a proxy would give it.
const REQUEST: &str = "order of Philippa 8c41e0";
const GATEWAY_SECRET: &str = "secret-of-the-gateway-5c1d";
const GRANTS: &str = "http://tencentciam.com/oauth2/grant-type/otp";

/// The program, its callers' credentials, and everything that may not be in its log.
struct World {
    installation: Installation,
    gateway: Gateway,
    mails: MailServer,
    address: SocketAddr,
    client: reqwest::Client,
    answered: usize,
    unexpected: Vec<String>,
    secrets: Vec<(&'static str, String)>,
}

impl World {
    /// Sends a request, whose answer should have this status: others are reported together at the end.
    async fn send(&mut self, status: u16, request: Request) -> Answer {
        let request = request.header("User-Agent", AGENT).header("X-Forwarded-For", FORWARDED);
        let answer = request.header("X-Request-Id", REQUEST).send().await;
        self.answered += 1;
        if answer.status != status {
            self.unexpected.push(format!("request {}, instead of {status}: {answer}", self.answered));
        }
        answer
    }

    fn request(&self, method: &str, path: &str) -> Request {
        Request::new(&self.client, method, &format!("http://{}{path}", self.address))
    }

    fn keep(&mut self, name: &'static str, secret: impl Into<String>) -> String {
        let secret = secret.into();
        self.secrets.push((name, secret.clone()));
        secret
    }

    /// The code in the newest short message that has one; notices of changes arrive at any time.
    fn code_by_sms(&mut self) -> String {
        let code = self.gateway.requests().iter().rev().find_map(|request| digits(&request.body)).unwrap();
        self.keep("a code by SMS", code)
    }

    /// The code in the next e-mail that has one.
    async fn code_by_mail(&mut self) -> String {
        loop {
            let mail = self.mails.message().await;
            if let Some(code) = digits(mail["plain"].as_str().unwrap()) {
                return self.keep("a code by e-mail", code);
            }
        }
    }
}

/// The run of ten digits, which is the length that codes have here: shorter ones could be in a log by chance.
fn digits(text: &str) -> Option<String> {
    text.split(|c: char| !c.is_ascii_digit()).find(|run| run.len() == 10).map(str::to_owned)
}

/// The identifiers and credentials of one person and one application.
struct Credentials {
    account: String,
    system: String,
    river: String,
    key: String,
    id: String,
    secret: String,
}

/// Creates what every contract needs, by commands.
fn create(installation: &Installation) -> Credentials {
    installation.print(&["tenant", "create", "demo"]);
    let fields = [
        format!("display_name={NAME}"),
        format!("family_name={FAMILY_NAME}"),
        format!("email={EMAIL}"),
        "email_verified=true".to_owned(),
        format!("phone=+86{PHONE}"),
        "phone_verified=true".to_owned(),
    ];
    let mut account = vec!["account", "create", "--tenant", "demo", "--json"];
    account.extend(fields.iter().map(String::as_str));
    let account = installation.json(&account)["id"].as_str().unwrap().to_owned();
    let token = |contract: &str| {
        let issue = ["token", "issue", "--account", &account, "--contract", contract];
        installation.print(&issue).trim().to_owned()
    };
    let text = |value: &Value, name: &str| value[name].as_str().unwrap().to_owned();
    let key = installation.json(&["key", "create", "--tenant", "demo", "--account", &account, "--json"]);
    let claims = "name,nickname,email,phone_number,email_verified,phone_number_verified,picture";
    let application = ["client", "create", "--tenant", "demo", "--name", "app", "--claims", claims, "--json"];
    let application = installation.json(&application);
    Credentials {
        system: token("system"),
        river: token("rivergen"),
        key: text(&key, "api_key"),
        id: text(&application, "client_id"),
        secret: text(&application, "client_secret"),
        account,
    }
}

on_both_databases!(
    async fn the_log_contains_no_personal_value_and_no_credential_of_any_contract(installation: Installation) {
        let mut installation = installation;
        let (gateway, mails) = (Gateway::start().await, MailServer::plain().await);
        for (name, value) in [
            ("SELFSAME__LOG__LEVEL", "info,selfsame=trace"),
            ("SELFSAME__SERVER__BODY_TIMEOUT", "1s"),
            ("SELFSAME__ISSUER__REFRESH_GRACE_PERIOD", "0s"),
            ("SELFSAME__SERVER__TRUSTED_PROXIES", "127.0.0.1"),
            ("SELFSAME__SMS__URL", &format!("{}/accepted", gateway.url)),
            ("SELFSAME__SMS__BODY", r#"{"to":"{to}","text":"{text}"}"#),
            ("SELFSAME__SMS__HEADERS", "Authorization: Bearer {secret}"),
            ("SELFSAME__SMS__SECRET", GATEWAY_SECRET),
            ("SELFSAME__SMTP__HOST", "127.0.0.1"),
            ("SELFSAME__SMTP__PORT", &mails.port.to_string()),
            ("SELFSAME__SMTP__SECURITY", "none"),
            ("SELFSAME__SMTP__FROM", "no-reply@example.com"),
            ("SELFSAME__CODES__ANSWER_TIME", "0s"),
        ] {
            installation.set(name, value);
        }
        for usage in ["LOGIN", "SIGNUP", "UPDATE_USERINFO", "CHANGE_EMAIL"] {
            installation.set(&format!("SELFSAME__CODES__{usage}__LENGTH"), "10");
            installation.set(&format!("SELFSAME__CODES__{usage}__INTERVAL"), "0s");
        }
        let credentials = create(&installation);
        let (program, address) = installation.serve();
        let client = reqwest::Client::new();
        let secrets = Vec::new();
        let (answered, unexpected) = (0, Vec::new());
        let mut world = World { installation, gateway, mails, address, client, answered, unexpected, secrets };
        for (name, value) in [
            ("System's token", &credentials.system),
            ("RiverGen's token", &credentials.river),
            ("the API key", &credentials.key),
            ("the application's secret", &credentials.secret),
        ] {
            world.keep(name, value);
        }
        system(&mut world, &credentials).await;
        cl2c(&mut world, &credentials).await;
        rivergen(&mut world, &credentials).await;
        let claims = ciam(&mut world, &credentials).await;
        failures(&mut world, &credentials, &claims).await;
        assert!(world.unexpected.is_empty(), "{}", world.unexpected.join("\n\n"));
        program.terminate();
        let ended = program.end();
        assert_eq!(ended.code, Some(0), "{ended}");

        let log = ended.errors;
        assert_eq!(log.matches(r#""message":"answered""#).count(), world.answered, "{log}");
        for level in ["DEBUG", "INFO", "WARN", "ERROR"] {
            assert!(log.contains(&format!(r#""level":"{level}""#)), "no line has the level {level}");
        }
        let picture = PIXEL.rsplit(',').next().unwrap();
        let values = [
            ("a name", NAME),
            ("a new name", NEW_NAME),
            ("a family name", FAMILY_NAME),
            ("an e-mail address", EMAIL),
            ("a new e-mail address", NEW_EMAIL),
            ("an e-mail address that is refused", REFUSED_EMAIL),
            ("a number", PHONE),
            ("a new number", NEW_PHONE),
            ("a number abroad", ABROAD),
            ("an attribute", ATTRIBUTE),
            ("a client hash", CLIENT),
            ("another client hash", OTHER_CLIENT),
            ("a user agent", AGENT),
            ("a source address", FORWARDED),
            ("a client's name for a request", REQUEST),
            ("the gateway's secret", GATEWAY_SECRET),
            ("a picture", &picture[..40]),
        ];
        assert_absent(values, &log);
        assert_no_part(&world.secrets, &log);
    }
);

async fn system(world: &mut World, credentials: &Credentials) {
    let (profile, update) = ("/web/v1/system/profile", "/web/v1/system/profile/update");
    let ask = |world: &World, method: &str, path: &str, hash: &str| {
        world.request(method, path).bearer(&credentials.system).header("X-Client-Hash", hash)
    };
    let change = json!({"accountName": NEW_NAME, "accountPhone": ABROAD}).to_string();
    let requests = [
        (200, ask(world, "GET", profile, CLIENT)),
        (200, ask(world, "POST", update, CLIENT).json(change)),
        (400, ask(world, "POST", update, CLIENT).json(json!({"accountName": NEW_NAME.repeat(9)}).to_string())),
        (400, ask(world, "POST", update, CLIENT).json(format!(r#"{{"accountName":"{NEW_NAME}""#))),
        (400, ask(world, "POST", update, CLIENT).json(json!({"v": 2, "p": STANDARD.encode(NAME)}).to_string())),
        (415, ask(world, "POST", update, CLIENT).body(NEW_NAME)),
        (413, ask(world, "POST", update, CLIENT).json(" ".repeat(70_000) + NEW_NAME)),
        (403, ask(world, "GET", profile, OTHER_CLIENT)),
        (404, ask(world, "GET", &format!("{profile}/{EMAIL}"), CLIENT)),
        (405, ask(world, "DELETE", &format!("{profile}?{EMAIL}&{PHONE}"), CLIENT)),
        (400, world.request("POST", "/web/v1/secure-channel/session").json(json!({"keyId": NAME}).to_string())),
        (401, world.request("GET", profile).bearer(&format!("{}x", credentials.system))),
    ];
    for (status, request) in requests {
        world.send(status, request).await;
    }
}

async fn cl2c(world: &mut World, credentials: &Credentials) {
    let ask = |world: &World, method: &str, path: &str, key: &str| {
        world.request(method, path).header("tenant", "demo").header("X-API-Key", key)
    };
    let user = "/v1/cl2c/user";
    let own = format!("/v1/cl2c/users/{}", credentials.account);
    let forged = credentials.key[..credentials.key.len() - 1].to_owned() + "_";
    let put = |world: &World, body: Value| ask(world, "PUT", user, &credentials.key).json(body.to_string());
    let requests = [
        (200, ask(world, "GET", &format!("{own}?email={EMAIL}"), &credentials.key)),
        (200, put(world, json!({"firstName": NEW_NAME, "lastName": FAMILY_NAME, "phoneNumber": ABROAD}))),
        (400, put(world, json!({"firstName": NEW_NAME.repeat(9), "lastName": FAMILY_NAME}))),
        (400, put(world, json!({"firstName": NEW_NAME, "lastName": FAMILY_NAME, "phoneNumber": EMAIL}))),
        (401, ask(world, "GET", &own, &forged)),
        (401, world.request("GET", &own).header("tenant", NAME.split(' ').next().unwrap()).header("X-API-Key", NAME)),
        (403, ask(world, "GET", &format!("/v1/cl2c/users/{EMAIL}"), &credentials.key)),
        (405, ask(world, "DELETE", &format!("{user}?{PHONE}"), &credentials.key)),
    ];
    for (status, request) in requests {
        world.send(status, request).await;
    }
}

async fn rivergen(world: &mut World, credentials: &Credentials) {
    let ask = |world: &World, method: &str, path: &str, body: Value| {
        world.request(method, path).bearer(&credentials.river).json(body.to_string())
    };
    let (profile, request, verify) =
        ("/api/v1/auth/me/profile", "/api/v1/auth/me/email/request", "/api/v1/auth/me/email/verify");
    let shown = json!({"display_name": NAME, "profile_image_url": PIXEL, "profile": {"bio": ATTRIBUTE}});
    let requests = [
        (200, world.request("GET", "/api/v1/auth/me").bearer(&credentials.river)),
        (200, ask(world, "PUT", profile, shown)),
        (422, ask(world, "PUT", profile, json!({"display_name": NEW_NAME.repeat(9), "profile": ATTRIBUTE}))),
        (422, ask(world, "PUT", profile, json!({"profile_image_url": EMAIL}))),
        (400, ask(world, "PUT", profile, json!({"profile_image_url": PIXEL.replace("iVBOR", "iVBOS")}))),
        (400, ask(world, "POST", request, json!({"new_email": EMAIL}))),
        (422, ask(world, "POST", request, json!({"new_email": NEW_NAME}))),
        (400, ask(world, "POST", request, json!({"new_email": REFUSED_EMAIL}))),
        (200, ask(world, "POST", request, json!({"new_email": NEW_EMAIL}))),
    ];
    for (status, request) in requests {
        world.send(status, request).await;
    }
    let code = world.code_by_mail().await;
    let wrong = world.keep("a wrong code", if code == "0123456789" { "9876543210" } else { "0123456789" });
    for (status, code) in [(400, wrong), (200, code)] {
        let brought = json!({"new_email": NEW_EMAIL, "otp_code": code});
        world.send(status, ask(world, "POST", verify, brought)).await;
    }
}

/// Returns an access token.
async fn ciam(world: &mut World, credentials: &Credentials) -> String {
    let Credentials { id, secret, .. } = credentials;
    let application = basic(id, secret);
    let post = |world: &World, path: &str, body: Value| {
        world.request("POST", path).header("Authorization", &application).json(body.to_string())
    };
    let phone = json!({"phone_number": NEW_PHONE});
    world.send(200, post(world, "/otp/send", json!({"phone_number": PHONE}))).await;
    world.send(200, post(world, "/otp/send", json!({"usage": "update_userinfo", "phone_number": NEW_PHONE}))).await;
    world.code_by_sms();
    world.send(200, post(world, "/otp/send", phone)).await;
    world.send(400, post(world, "/otp/send", json!({"usage": "login", "email": NAME, "phone_number": PHONE}))).await;
    world.send(400, post(world, "/otp/send", json!({"usage": NAME, "email": EMAIL}))).await;
    world.send(400, post(world, "/otp/send", json!({"usage": "update_userinfo", "email": REFUSED_EMAIL}))).await;
    world.send(401, world.request("POST", "/otp/send").header("Authorization", &basic(id, NAME)).json("{}")).await;

    // System and CL2C have changed the number, which ended its verification: sign in with the address instead.
    let sent = world.send(200, post(world, "/otp/send", json!({"email": NEW_EMAIL}))).await.json();
    let otp_token = world.keep("the token of a code", sent["otp_token"].as_str().unwrap());
    let otp = world.code_by_mail().await;
    let grant = |otp: &str| json!({"grant_type": format!("{GRANTS}/email"), "email": NEW_EMAIL, "otp_token": otp_token, "otp": otp});
    world.send(400, post(world, "/oauth2/token", grant("0123456789"))).await;
    world
        .send(400, post(world, "/oauth2/token", json!({"grant_type": NAME, "username": EMAIL, "password": NAME})))
        .await;
    let form = format!(
        "grant_type=refresh_token&refresh_token=ssr_{}&client_id={id}&client_secret={secret}",
        ATTRIBUTE.replace(' ', "+")
    );
    let form =
        world.request("POST", "/oauth2/token").header("Content-Type", "application/x-www-form-urlencoded").body(form);
    world.send(400, form).await;
    let first = world.send(200, post(world, "/oauth2/token", grant(&otp))).await.json();
    let refresh = json!({"grant_type": "refresh_token", "refresh_token": first["refresh_token"]});
    let second = world.send(200, post(world, "/oauth2/token", refresh.clone())).await.json();
    for tokens in [&first, &second] {
        for (name, member) in
            [("a refresh token", "refresh_token"), ("CIAM's token", "access_token"), ("an ID token", "id_token")]
        {
            world.keep(name, tokens[member].as_str().unwrap());
        }
    }
    let claims = second["access_token"].as_str().unwrap().to_owned();
    let change =
        |world: &World, body: Value| world.request("PATCH", "/userinfo").bearer(&claims).json(body.to_string());
    let requests = [
        (200, world.request("GET", &format!("/userinfo?name={EMAIL}")).bearer(&claims)),
        (200, change(world, json!({"name": NEW_NAME, "nickname": NAME}))),
        (400, change(world, json!({"name": NEW_NAME.repeat(99)}))),
        (400, change(world, json!({"hobby": ATTRIBUTE}))),
        (400, change(world, json!({"email": EMAIL, "email_otp_token": otp_token, "email_otp": otp}))),
        (400, change(world, json!({"phone_number": NAME}))),
        (401, world.request("GET", "/userinfo").bearer(&format!("{claims}x"))),
        (400, world.request("GET", "/userinfo").header("Authorization", &application)),
        // The second use of a refresh token is theft: it revokes the tokens of this sign-in.
        (400, post(world, "/oauth2/token", refresh)),
        (401, world.request("GET", "/userinfo").bearer(&claims)),
        (200, post(world, "/oauth2/revoke", json!({"token": second["refresh_token"]}))),
        (400, post(world, "/oauth2/revoke", json!({"tokens": NAME}))),
    ];
    for (status, request) in requests {
        world.send(status, request).await;
    }
    // Another sign-in, whose token stays valid.
    let sent = world.send(200, post(world, "/otp/send", json!({"email": NEW_EMAIL}))).await.json();
    let otp = world.code_by_mail().await;
    let grant = json!({"grant_type": format!("{GRANTS}/email"), "email": NEW_EMAIL, "otp_token": sent["otp_token"], "otp": otp});
    let third = world.send(200, post(world, "/oauth2/token", grant)).await.json();
    world.keep("CIAM's token", third["access_token"].as_str().unwrap())
}

/// Time-outs, a dependency that is away, and rows that cannot be read.
async fn failures(world: &mut World, credentials: &Credentials, claims: &str) {
    let Credentials { system, river, key, .. } = credentials;
    let changes = [
        (
            "POST",
            "/web/v1/system/profile/update",
            format!("Authorization: Bearer {system}\r\nX-Client-Hash: {CLIENT}\r\n"),
            408,
        ),
        ("PUT", "/v1/cl2c/user", format!("tenant: demo\r\nX-API-Key: {key}\r\n"), 408),
        ("PUT", "/api/v1/auth/me/profile", format!("Authorization: Bearer {river}\r\n"), 408),
        ("PATCH", "/userinfo", format!("Authorization: Bearer {claims}\r\n"), 408),
    ];
    for (method, path, headers, status) in changes {
        let mut stream = tokio::net::TcpStream::connect(world.address).await.unwrap();
        let length = "Content-Type: application/json\r\nContent-Length: 100\r\n";
        let head = format!(
            "{method} {path} HTTP/1.1\r\nHost: localhost\r\nUser-Agent: {AGENT}\r\nX-Request-Id: {REQUEST}\r\n{length}{headers}"
        );
        stream.write_all(format!("{head}\r\n{{\"display_name\":\"{NAME}\"").as_bytes()).await.unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await.unwrap();
        assert!(answer.starts_with(&format!("HTTP/1.1 {status} ")), "{path}: {answer}");
        world.answered += 1;
    }

    // A file where the folder of pictures should be.
    let folder = world.installation.data().join("pictures");
    std::fs::remove_dir_all(&folder).unwrap();
    std::fs::write(&folder, NAME).unwrap();
    let other = json!({"profile_image_url": PIXEL.replace("image/png", "IMAGE/PNG"), "display_name": NAME});
    let clear = json!({"profile_image_url": "https://example.com/a.png"});
    world.send(200, world.request("PUT", "/api/v1/auth/me/profile").bearer(river).json(clear.to_string())).await;
    world.send(503, world.request("PUT", "/api/v1/auth/me/profile").bearer(river).json(other.to_string())).await;

    world.installation.database().execute("UPDATE account SET personal_key = 99").await;
    let requests = [
        world.request("GET", "/web/v1/system/profile").bearer(system).header("X-Client-Hash", CLIENT),
        world
            .request("GET", &format!("/v1/cl2c/users/{}", credentials.account))
            .header("tenant", "demo")
            .header("X-API-Key", key),
        world.request("PUT", "/api/v1/auth/me/profile").bearer(river).json(json!({"display_name": NAME}).to_string()),
        world.request("PATCH", "/userinfo").bearer(claims).json(json!({"name": NAME}).to_string()),
    ];
    for request in requests {
        world.send(500, request).await;
    }
    world
        .installation
        .database()
        .execute("UPDATE account SET personal_key = 0, updated_at = 9223372036854775807")
        .await;
    let read = world.request("GET", "/userinfo").bearer(claims);
    world.send(500, read).await;
    world.installation.database().execute("UPDATE application SET kind = 'Philippa Nightingale'").await;
    let application = basic(&credentials.id, &credentials.secret);
    let send = world
        .request("POST", "/otp/send")
        .header("Authorization", &application)
        .json(json!({"email": EMAIL}).to_string());
    world.send(500, send).await;
}
