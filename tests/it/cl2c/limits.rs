//! The rate limit of a key.

use std::time::Duration;

use super::{JOHN, NOBODY, john};
use crate::support::{Database, Server, Transcript};

on_both_databases!(
    async fn each_key_has_its_own_rate_limit(database: Database) {
        let server = Server::with(database, &[("SELFSAME__RATE_LIMIT__DEFAULT", "3")]).await;
        john(&server).await;
        let (busy, idle) = (server.back_end(&server.tenant, None).await, server.back_end(&server.tenant, None).await);
        // Refused requests count as well.
        assert_eq!(busy.get(NOBODY).await.status, 404);
        assert_eq!(busy.put("{").await.status, 400);
        assert_eq!(busy.get(JOHN).await.status, 200);
        let mut transcript = Transcript::default();
        transcript.add("read", &busy.get(JOHN).await);
        transcript.add("change", &busy.put("{}").await);
        insta::assert_snapshot!(transcript, @r#"
        > read
        > change
        429 Too Many Requests
        content-type: application/json
        retry-after: 20

        {"messages":["Too many requests."],"source":"API Gateway","exception":"TooManyRequestsException","errorId":"error-UUID","supportMessage":"Please contact support with this error ID.","statusCode":429}
        "#);
        assert_eq!(idle.get(JOHN).await.status, 200);
        server.pass(Duration::from_secs(19));
        assert_eq!(busy.get(JOHN).await.header("retry-after"), "1");
        server.pass(Duration::from_secs(1));
        assert_eq!(busy.get(JOHN).await.status, 200);
        assert_eq!(busy.get(JOHN).await.status, 429);
    }
);
