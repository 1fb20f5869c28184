//! `dev` serves only the machine that it runs on: it listens on loopback addresses and answers for loopback hosts, unless
//! it is exposed.

use std::fs;
use std::net::SocketAddr;

use super::{Demo, PROFILE};
use crate::support::{Installation, Request, Wire};

/// The host name of another site, which its owner resolves to this machine (DNS rebinding).
const SITE: &str = "site.example";

/// Sends the first line and header lines of an HTTP/1 request, and returns the status of the response.
async fn status(address: SocketAddr, head: &[&str]) -> u16 {
    let mut wire = Wire::open(address).await;
    wire.send(format!("{}\r\n\r\n", head.join("\r\n"))).await;
    wire.answer().await.status.as_u16()
}

/// A client that resolves a name to an address of this machine.
fn client(name: &str, address: SocketAddr) -> reqwest::ClientBuilder {
    reqwest::Client::builder().resolve(name, address)
}

#[test]
fn non_loopback_addresses_are_refused_before_anything_is_made() {
    let mut installation = Installation::new();
    insta::assert_snapshot!(installation.refusal(&["dev", "--listen", "0.0.0.0:0"]), @r#"selfsame: server.listen = "0.0.0.0:0": other machines could use the demo credentials and read every code there; listen on a loopback address, such as 127.0.0.1, or allow this with --expose"#);
    let starts = "selfsame: server.listen = ";
    for address in ["[::]:0", "192.0.2.1:8080", "[::ffff:0.0.0.0]:0"] {
        assert!(installation.refusal(&["dev", "--listen", address]).starts_with(starts), "{address}");
    }
    assert_eq!(fs::read_dir(installation.data()).unwrap().count(), 0);
    let file = installation.data().join("selfsame.toml");
    fs::write(&file, "[operator]\nlisten = \"0.0.0.0:0\"\n").unwrap();
    insta::assert_snapshot!(installation.refusal(&["dev", "--config", file.to_str().unwrap()]), @r#"selfsame: operator.listen = "0.0.0.0:0": other machines could use the demo credentials and read every code there; listen on a loopback address, such as 127.0.0.1, or allow this with --expose"#);
    installation.set("SELFSAME__SERVER__LISTEN", "0.0.0.0:0");
    assert!(installation.refusal(&["dev"]).starts_with(starts));
}

#[tokio::test]
async fn an_exposed_demo_listens_anywhere_and_answers_for_every_host() {
    let demo = Demo::start_with(&Installation::new(), &["--expose", "--listen", "0.0.0.0:0"]);
    for host in [SITE, "localhost"] {
        let url = format!("http://{host}:{}/dev/mailbox", demo.address().port());
        let client = client(host, demo.address()).build().unwrap();
        assert_eq!(Request::new(&client, "GET", &url).send().await.status, 200, "{host}");
    }
    assert_eq!(status(demo.operator_address(), &["GET /metrics HTTP/1.1", "Host: site.example"]).await, 200);
    assert_eq!(status(demo.address(), &["GET /healthz HTTP/1.0"]).await, 200);
    demo.stop();
}

#[tokio::test]
async fn requests_for_a_name_that_resolves_to_this_machine_are_refused() {
    let demo = Demo::start(&Installation::new());
    for path in
        ["/dev/mailbox", "/healthz", "/.well-known/jwks.json", PROFILE, "/userinfo", "/pictures/x", "/me/x", "/", "/no"]
    {
        let client = client(SITE, demo.address()).build().unwrap();
        for method in ["GET", "HEAD", "POST", "OPTIONS", "DELETE"] {
            let url = format!("http://{SITE}:{}{path}", demo.address().port());
            let answer = Request::new(&client, method, &url).bearer(demo.token()).send().await;
            assert_eq!(answer.status, 421, "{method} {path}: {answer}");
        }
    }
    for path in ["/metrics", "/version", "/healthz", "/no"] {
        let line = format!("GET {path} HTTP/1.1");
        assert_eq!(status(demo.operator_address(), &[&line, "Host: site.example"]).await, 421, "{path}");
    }
    demo.stop();
}

#[tokio::test]
async fn a_refused_request_is_a_problem_that_names_the_way_out_and_changes_nothing() {
    let demo = Demo::start(&Installation::new());
    let client = client(SITE, demo.address()).build().unwrap();
    let update = format!("http://{SITE}:{}/web/v1/system/profile/update", demo.address().port());
    let request = Request::new(&client, "POST", &update).bearer(demo.token()).header("X-Client-Hash", "dev-client");
    let answer = request.json(r#"{"accountName":"Mallory"}"#).send().await;
    insta::assert_snapshot!(answer, @r#"
    421 Misdirected Request
    content-type: application/problem+json
    vary: Origin

    {"detail":"only requests for a loopback host, such as localhost, are answered; --expose lifts that","status":421,"title":"Misdirected Request","type":"about:blank"}
    "#);
    assert_eq!(demo.read(demo.token()).await.json()["data"]["accountName"], "System Admin");
    demo.stop();
}

#[tokio::test]
async fn http_1_is_answered_only_where_every_host_that_it_names_is_loopback() {
    let demo = Demo::start(&Installation::new());
    let get = "GET /healthz HTTP/1.1";
    let port = format!("Host: 127.0.0.1:{}", demo.address().port());
    for head in [
        &[get, "Host: localhost"][..],
        &[get, "host:LOCALHOST:1"],
        &[get, "Host: app.localhost:8080"],
        &[get, "Host: 127.99.0.1"],
        &[get, "Host: [::1]:80"],
        &[get, &port],
        &["GET http://localhost/healthz HTTP/1.1", "Host: 127.0.0.1"],
        &["GET /healthz HTTP/1.0", "Host: localhost"],
    ] {
        for address in [demo.address(), demo.operator_address()] {
            assert_eq!(status(address, head).await, 200, "{head:?}");
        }
    }
    for head in [
        &["GET /healthz HTTP/1.0"][..],
        &[get, "Host: site.example"],
        &[get, "Host: localhost.site.example"],
        &[get, "Host: localhost."],
        &[get, "Host: 0.0.0.0"],
        &[get, "Host: 127.1"],
        &[get, "Host: 2130706433"],
        &[get, "Host: site.example", "X-Forwarded-Host: localhost", "Forwarded: host=localhost"],
        &["GET http://site.example/healthz HTTP/1.1", "Host: localhost"],
        &["GET http://localhost/healthz HTTP/1.1", "Host: site.example"],
        &["OPTIONS * HTTP/1.1", "Host: site.example"],
        &["CONNECT site.example:80 HTTP/1.1", "Host: localhost"],
        &["CONNECT localhost:80 HTTP/1.1", "Host: site.example"],
    ] {
        for address in [demo.address(), demo.operator_address()] {
            assert_eq!(status(address, head).await, 421, "{head:?}");
        }
    }
    // Requests that do not name one host are malformed.
    for head in [
        &[get][..],
        &[get, "Host:"],
        &[get, "Host: localhost@site.example"],
        &[get, "Host: site.example@localhost"],
        &[get, "Host: localhost, site.example"],
        &[get, "Host: localhost", "Host: site.example"],
        &[get, "Host: site.example", "Host: localhost"],
        &[get, "Host: localhost", "Host: localhost"],
        &["GET http://site.example/healthz HTTP/1.1"],
        &["GET http://localhost@site.example/healthz HTTP/1.1", "Host: localhost"],
        &["GET http://site.example@localhost/healthz HTTP/1.1", "Host: localhost"],
    ] {
        for address in [demo.address(), demo.operator_address()] {
            assert_eq!(status(address, head).await, 400, "{head:?}");
        }
    }
    demo.stop();
}

#[tokio::test]
async fn http_2_is_answered_only_where_every_host_that_it_names_is_loopback() {
    let demo = Demo::start(&Installation::new());
    for address in [demo.address(), demo.operator_address()] {
        for (name, header, status) in [
            ("localhost", "", 200),
            ("app.localhost", "", 200),
            (SITE, "", 421),
            ("localhost", SITE, 400),
            (SITE, "localhost", 400),
        ] {
            let client = client(name, address).http2_prior_knowledge().build().unwrap();
            let mut request = client.get(format!("http://{name}:{}/healthz", address.port()));
            if !header.is_empty() {
                request = request.header("Host", header);
            }
            let answer = request.send().await.unwrap();
            assert_eq!(
                (answer.version(), answer.status().as_u16()),
                (reqwest::Version::HTTP_2, status),
                "{name} {header}"
            );
        }
    }
    demo.stop();
}

#[tokio::test]
async fn a_server_that_is_not_a_demo_answers_for_every_host() {
    let (program, address) = Installation::new().serve();
    assert_eq!(status(address, &["GET /healthz HTTP/1.1", "Host: site.example"]).await, 200);
    assert_eq!(status(address, &["GET /healthz HTTP/1.0"]).await, 200);
    program.terminate();
    assert_eq!(program.end().code, Some(0));
}
