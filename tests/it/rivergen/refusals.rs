//! What is refused, and how it is said.

use selfsame::account::{Patch, Status};
use selfsame::contract::Contract;

use super::{Jane, ME, PROFILE, faults};
use crate::support::{Database, Server, Transcript};

on_both_databases!(
    async fn who_presents_no_token_that_holds_is_told_so(server: Server) {
        let jane = Jane::new(&server).await;
        let mut transcript = Transcript::default();
        let get = || server.request("GET", ME);
        transcript.add("nothing", &get().send().await);
        transcript.add("garbage", &get().bearer("none").send().await);
        transcript.add("another scheme", &get().header("Authorization", "Basic amFuZTp4").send().await);
        transcript.add("twice", &get().bearer(&jane.token).bearer(&jane.token).send().await);
        transcript.add("a change", &server.request("PUT", PROFILE).bearer("none").json("{}").send().await);
        server.app.store().revoke_tokens_before(jane.account.id, server.app.now()).await.unwrap();
        server.pass(std::time::Duration::from_secs(3700));
        transcript.add("expired", &jane.get().await);
        insta::assert_snapshot!(transcript, @"");
    }
);

on_both_databases!(
    async fn accounts_out_of_use_and_other_contracts_tokens_are_refused(server: Server) {
        let mut transcript = Transcript::default();
        for status in [Status::Suspended, Status::Locked, Status::PendingApproval, Status::Rejected, Status::Closed] {
            let jane = Jane::unknown(&server).await;
            let mut patch = Patch::default();
            patch.status = Some(status);
            server.operate(&jane.account, patch).await;
            transcript.add(format!("{status:?}"), &jane.put("{}").await);
        }
        let jane = Jane::new(&server).await;
        let token = server.token(&jane.account, Contract::System).await;
        transcript.add("a token for System", &server.request("GET", ME).bearer(&token).send().await);
        insta::assert_snapshot!(transcript, @"");
    }
);

on_both_databases!(
    async fn other_methods_and_paths_are_refused(server: Server) {
        let jane = Jane::new(&server).await;
        let mut transcript = Transcript::default();
        for method in ["GET", "POST", "PATCH", "DELETE"] {
            transcript.add(format!("{method} {PROFILE}"), &jane.request(method, PROFILE).send().await);
        }
        for method in ["PUT", "POST", "PATCH", "DELETE"] {
            transcript.add(format!("{method} {ME}"), &jane.request(method, ME).send().await);
        }
        for path in ["/api/v1/auth/me/", "/api/v1/auth/me/none", "/api/v1/auth/Me/profile"] {
            transcript.add(path, &jane.request("GET", path).send().await);
        }
        transcript.add("OPTIONS", &server.request("OPTIONS", PROFILE).send().await);
        insta::assert_snapshot!(transcript, @"");
    }
);

on_both_databases!(
    async fn bodies_of_other_types_codings_and_sizes_are_refused(server: Server) {
        let jane = Jane::new(&server).await;
        let put = || jane.request("PUT", PROFILE);
        let mut transcript = Transcript::default();
        transcript.add("no type", &put().body("{}").send().await);
        for media_type in ["text/plain", "application/merge-patch+json", "application/json; charset=utf-16"] {
            transcript.add(media_type, &put().header("Content-Type", media_type).body("{}").send().await);
        }
        transcript.add("gzip", &put().header("Content-Encoding", "gzip").json("{}").send().await);
        transcript.add("3 MiB and a byte", &put().json(" ".repeat(3 * 1024 * 1024 + 1)).send().await);
        insta::assert_snapshot!(transcript, @"");
        let largest = format!("{{}}{}", " ".repeat(3 * 1024 * 1024 - 2));
        assert_eq!(put().json(largest).send().await.status, 200);
    }
);

on_both_databases!(
    async fn what_is_no_json_object_is_one_fault_of_the_body(server: Server) {
        let jane = Jane::new(&server).await;
        let mut transcript = Transcript::default();
        for body in ["", "{", "[]", "null", "7", r#"{"a":1}x"#, r#"{"unknown":"\u0000"}"#, r#"{"unknown":"\ud800"}"#] {
            transcript.add(format!("{body:?}"), &jane.put(body).await);
        }
        insta::assert_snapshot!(transcript, @"");
    }
);

on_both_databases!(
    async fn one_fault_is_told_alone_and_several_together(server: Server) {
        let jane = Jane::new(&server).await;
        let before = jane.stored().await;
        let mut transcript = Transcript::default();
        for body in [
            r#"{"display_name":"","profile":{"bio":"kept out"}}"#,
            r#"{"display_name":"","profile_image_url":"a.png","profile":[]}"#,
        ] {
            transcript.add(body, &jane.put(body).await);
        }
        insta::assert_snapshot!(transcript, @"");
        assert_eq!(jane.stored().await, before);
    }
);

on_both_databases!(
    async fn values_of_other_types_are_refused(server: Server) {
        let jane = Jane::new(&server).await;
        for value in ["7", "true", r#"["x"]"#, r#"{"a":"x"}"#] {
            for field in ["display_name", "profile_image_url"] {
                let answer = jane.put(format!(r#"{{"{field}":{value}}}"#)).await;
                assert_eq!(answer.status, 422, "{answer}");
                assert_eq!(faults(&answer), [(field.to_owned(), "must be a string".to_owned())]);
            }
        }
    }
);

on_both_databases!(
    async fn who_asks_too_often_is_told_when_to_come_back(database: Database) {
        let server = Server::with(database, &[("SELFSAME__RATE_LIMIT__RIVERGEN", "3")]).await;
        let (jane, john) = (Jane::new(&server).await, Jane::unknown(&server).await);
        for _ in 0..3 {
            assert_eq!(jane.get().await.status, 200);
        }
        let mut transcript = Transcript::default();
        transcript.add("read", &jane.get().await);
        transcript.add("change", &jane.put("{}").await);
        insta::assert_snapshot!(transcript, @"");
        assert_eq!(john.get().await.status, 200);
        server.pass(std::time::Duration::from_secs(20));
        assert_eq!(jane.get().await.status, 200);
    }
);
