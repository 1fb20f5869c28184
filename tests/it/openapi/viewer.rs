//! The page that shows the documents.

use crate::support::{Database, Server};

#[tokio::test]
async fn the_page_is_served_whole_and_cannot_be_framed() {
    let server = Server::with(Database::sqlite(), &[]).await;
    let page = server.request("GET", "/docs").send().await;
    insta::assert_snapshot!(page, @r#"
    200 OK
    cache-control: no-cache
    content-security-policy: default-src 'none'; script-src 'self'; style-src 'self' 'sha256-RL3ie0nH+Lzz2YNqQN83mnU0J1ot4QL7b99vMdIX99w='; img-src 'self' data:; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'
    content-type: text/html; charset=utf-8
    cross-origin-opener-policy: same-origin
    referrer-policy: no-referrer
    x-frame-options: DENY

    <!DOCTYPE html>
    <html lang="en">
    <head>
    <meta charset="utf-8">
    <meta name="viewport" content="width=device-width, initial-scale=1">
    <title>selfsame: the contracts</title>
    <link rel="stylesheet" href="/docs/swagger-ui.css">
    <link rel="stylesheet" href="/docs/index.css">
    <link rel="icon" type="image/png" href="/docs/favicon-32x32.png">
    </head>
    <body>
    <div id="swagger-ui"></div>
    <script src="/docs/swagger-ui-bundle.js"></script>
    <script src="/docs/swagger-ui-standalone-preset.js"></script>
    <script src="/docs/swagger-initializer.js"></script>
    </body>
    </html>
    "#);
    let parts: Vec<&str> = page.body.split('"').filter(|text| text.starts_with("/docs/")).collect();
    assert_eq!(parts.len(), 6);
    for part in parts {
        // HEAD, because one part is a picture and `Answer` contains text.
        let answer = server.request("HEAD", part).send().await;
        assert_eq!(answer.status, 200, "{part}");
        assert!(answer.header("content-security-policy").contains("frame-ancestors 'none'"), "{part}");
        assert!(answer.header("content-length").parse::<usize>().unwrap() > 100, "{part}");
    }
}

#[tokio::test]
async fn the_page_shows_every_document_and_names_no_other_server() {
    let server = Server::with(Database::sqlite(), &[]).await;
    let script = server.request("GET", "/docs/swagger-initializer.js").send().await;
    assert_eq!(script.header("content-type"), "text/javascript");
    for contract in super::DOCUMENTED {
        assert!(script.body.contains(&format!("\"url\": \"/openapi/{contract}.json\"")), "{}", script.body);
    }
    assert!(script.body.contains("\"validatorUrl\": \"none\""));
    assert!(!script.body.contains("://") && !server.request("GET", "/docs").send().await.body.contains("://"));
}

#[tokio::test]
async fn nothing_else_that_the_library_brings_is_served() {
    let server = Server::with(Database::sqlite(), &[]).await;
    for path in
        ["/docs/", "/docs/index.html", "/docs/oauth2-redirect.html", "/docs/swagger-ui.js", "/docs/../Cargo.toml"]
    {
        assert_eq!(server.request("GET", path).send().await.status, 404, "{path}");
    }
}

#[tokio::test]
async fn an_operator_can_turn_page_and_documents_off() {
    let server = Server::with(Database::sqlite(), &[("SELFSAME__SERVER__DOCS", "false")]).await;
    for path in ["/docs", "/docs/index.css", "/openapi/system.json"] {
        let answer = server.request("GET", path).send().await;
        assert_eq!(
            (answer.status.as_u16(), answer.header("content-type")),
            (404, "application/problem+json"),
            "{path}"
        );
    }
}
