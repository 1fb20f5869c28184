//! Pages that are developed on the machine call `dev` from a browser.

use super::{Demo, PROFILE};
use crate::support::{Answer, Installation, Request};

async fn preflight(demo: &Demo, origin: &str) -> Answer {
    let url = format!("{}{PROFILE}", demo.text("/base_url"));
    let request = Request::new(&reqwest::Client::new(), "OPTIONS", &url).header("Origin", origin);
    request.header("Access-Control-Request-Method", "GET").send().await
}

#[tokio::test]
async fn pages_of_loopback_origins_may_call_the_demo() {
    let mut installation = Installation::new();
    installation.set("SELFSAME__SERVER__CORS_ORIGINS", "https://app.example.com");
    let demo = Demo::start(&installation);
    for origin in [
        "http://localhost",
        "http://localhost:5173",
        "https://localhost:8443",
        "http://127.0.0.1:3000",
        "http://[::1]:65535",
        "https://app.example.com",
    ] {
        let answer = preflight(&demo, origin).await;
        assert_eq!((answer.status.as_u16(), answer.header("access-control-allow-origin")), (204, origin));
    }
    for origin in [
        "null",
        "http://localhost.site.example",
        "http://localhost:80.site.example",
        "http://localhost:",
        "http://localhost:5173/",
        "http://localhost@site.example",
        "http://site.example",
        "http://site.example:5173",
        "http://127.0.0.2",
        "http://192.168.0.1:3000",
        "ftp://localhost",
    ] {
        let answer = preflight(&demo, origin).await;
        assert_eq!((answer.status.as_u16(), answer.header("access-control-allow-origin")), (204, ""), "{origin}");
    }
    demo.stop();
}
