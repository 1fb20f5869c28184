//! Errors of the server and of its database.

use super::{JOHN, USER, error_id, john, path_of, settled};
use crate::support::{BackEnd, Database, Installation, Request, Server, Wire};

/// Makes every account unreadable: its encryption key does not exist.
const CORRUPT: &str = "UPDATE account SET personal_key = 99";

on_both_databases!(
    async fn an_internal_error_shows_only_its_identifier(server: Server) {
        john(&server).await;
        let back_end = server.back_end(&server.tenant, None).await;
        server.database().execute(CORRUPT).await;
        insta::assert_snapshot!(back_end.get(JOHN).await, @r#"
        500 Internal Server Error
        content-type: application/json

        {"messages":["An unexpected error occurred."],"source":"API Gateway","exception":"System.Exception","errorId":"error-UUID","supportMessage":"Please contact support with this error ID.","statusCode":500}
        "#);
    }
);

#[tokio::test]
async fn an_internal_error_is_found_in_the_log_by_its_identifier() {
    let installation = Installation::new();
    installation.print(&["tenant", "create", "demo"]);
    installation.print(&["account", "create", "--tenant", "demo", "--id", JOHN, "given_name=Johannes"]);
    let secret = installation.print(&["key", "create", "--tenant", "demo"]);
    let (mut running, address) = installation.serve();
    rusqlite::Connection::open(installation.sqlite_file()).unwrap().execute(CORRUPT, []).unwrap();

    let request = Request::new(&reqwest::Client::new(), "GET", &format!("http://{address}{}", path_of(JOHN)));
    let answer = request.header("tenant", "demo").header("X-API-Key", secret.trim()).send().await;
    assert_eq!(answer.status, 500);
    let error_id = error_id(&answer).unwrap();
    let uuid = error_id.strip_prefix("error-").unwrap();
    let line = running.errors.wait_for(|line| line.contains(uuid));
    let line: serde_json::Value = serde_json::from_str(&line).unwrap();
    assert_eq!(line["level"], "ERROR");
    let cause = line["cause"].as_str().unwrap();
    assert!(cause.contains(&format!("account {JOHN}: personal_key: ")), "{line}");
    assert!(!answer.body.contains("personal_key"), "{answer}");
    running.terminate();
    assert!(running.end().code == Some(0));
}

/// The head of a change whose body the server waits for.
fn header(back_end: &BackEnd<'_>) -> String {
    format!(
        "PUT {USER} HTTP/1.1\r\nHost: localhost\r\ntenant: {}\r\nX-API-Key: {}\r\n\
         Content-Type: application/json\r\nContent-Length: 3\r\nExpect: 100-continue\r\n\r\n",
        back_end.tenant, back_end.secret
    )
}

on_both_databases!(
    async fn a_request_beyond_the_limit_in_flight_is_refused_temporarily(database: Database) {
        let server = Server::with(database, &[("SELFSAME__SERVER__MAX_REQUESTS", "1")]).await;
        let john = john(&server).await;
        let back_end = server.back_end(&server.tenant, Some(john.id)).await;
        let mut wire = Wire::connect(&server).await;
        wire.send(header(&back_end)).await;
        wire.wait_for_continue().await;
        insta::assert_snapshot!(back_end.get(JOHN).await, @r#"
        503 Service Unavailable
        content-type: application/json
        retry-after: 1

        {"messages":["Service temporarily unavailable."],"source":"API Gateway","exception":"ServiceUnavailableException","errorId":"error-UUID","supportMessage":"Please contact support with this error ID.","statusCode":503}
        "#);
        assert!(wire.try_send(3).await);
        assert_eq!(wire.answer().await.status, 400);
        assert_eq!(back_end.get(JOHN).await.status, 200);
    }
);

on_both_databases!(
    async fn a_body_that_does_not_arrive_in_time_is_refused(database: Database) {
        let server = Server::with(database, &[("SELFSAME__SERVER__BODY_TIMEOUT", "100ms")]).await;
        let john = john(&server).await;
        let back_end = server.back_end(&server.tenant, Some(john.id)).await;
        let mut wire = Wire::connect(&server).await;
        wire.send(header(&back_end)).await;
        wire.wait_for_continue().await;
        insta::assert_snapshot!(settled(wire.answer().await), @r#"
        408 Request Timeout
        connection: close
        content-type: application/json

        {"messages":["Request timeout."],"source":"API Gateway","exception":"RequestTimeoutException","errorId":"error-UUID","supportMessage":"Please contact support with this error ID.","statusCode":408}
        "#);
    }
);
