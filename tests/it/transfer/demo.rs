//! Copies of a database that `dev` made leave out the credentials that `dev` made.

use super::copy::other_kind;
use super::{id, line};
use crate::support::applications::basic;
use crate::support::process;
use crate::support::{Database, Installation, OnDatabase as _, Request};

/// A database in which `dev` has run and accounts were added, and everything that `dev` printed.
struct Source {
    installation: Installation,
    printed: serde_json::Value,
    /// Issued by an operator for an account other than the demo's.
    token: String,
    key: String,
}

impl Source {
    async fn new(database: Database) -> Source {
        let installation = Installation::start(database).await;
        let mut dev = installation.spawn(&["dev", "--json", "--listen", "127.0.0.1:0"]);
        let printed = serde_json::from_str(&dev.output.wait_for(|_| true)).unwrap();
        dev.terminate();
        assert_eq!(dev.end().code, Some(0));
        let people = installation.data().join("people.jsonl");
        std::fs::write(&people, line(41)).unwrap();
        installation.print(&["account", "import", people.to_str().unwrap()]);
        let issue = ["token", "issue", "--account", &id(41), "--contract", "system", "--client-hash", "dev-client"];
        let token = installation.print(&issue).trim().to_owned();
        let key =
            installation.print(&["key", "create", "--tenant", "demo", "--name", "selfsame dev"]).trim().to_owned();
        Source { installation, printed, token, key }
    }

    fn text(&self, pointer: &str) -> &str {
        self.printed.pointer(pointer).unwrap().as_str().unwrap()
    }

    /// An installation with the same master key on a database, with the public URL that `dev` had.
    fn on(&self, database: &Database) -> process::DurableInstallation {
        let settings = [
            ("SELFSAME__DATABASE__ALLOW_UNSAFE_DURABILITY", "true"),
            ("SELFSAME__SERVER__PUBLIC_URL", self.text("/base_url")),
        ];
        process::DurableInstallation::within(self.installation.data(), database.url(), &settings)
    }

    /// The status that a server on a database returns for each credential.
    async fn statuses(&self, database: &Database) -> String {
        let server = self.on(database).serve();
        let bearer = |pointer: &str, path: &str| {
            server.request("GET", path).bearer(self.text(pointer)).header("X-Client-Hash", "dev-client")
        };
        let user = |id: &str, key: &str| {
            let request = server.request("GET", &format!("/v1/cl2c/users/{id}"));
            request.header("tenant", "demo").header("X-API-Key", key)
        };
        let (client, secret) = (self.text("/contracts/ciam/client_id"), self.text("/contracts/ciam/client_secret"));
        let application = server.request("POST", "/oauth2/revoke").header("Authorization", &basic(client, secret));
        let profile = "/web/v1/system/profile";
        let requests: [(&str, Request); 8] = [
            ("System token", bearer("/contracts/system/token", profile)),
            ("RiverGen token", bearer("/contracts/rivergen/token", "/api/v1/auth/me")),
            ("CIAM token", bearer("/contracts/ciam/token", "/userinfo")),
            ("CIAM token at /me", bearer("/contracts/ciam/token", "/me/schema")),
            ("API key", user(self.text("/account_id"), self.text("/contracts/cl2c/api_key"))),
            ("application", application.json(r#"{"token":"unknown"}"#)),
            (
                "operator's token",
                server.request("GET", profile).bearer(&self.token).header("X-Client-Hash", "dev-client"),
            ),
            ("operator's key", user(&id(41), &self.key)),
        ];
        let mut statuses = String::new();
        for (name, request) in requests {
            statuses.push_str(&format!("{name}: {}\n", request.send().await.status.as_u16()));
        }
        statuses
    }
}

on_both_databases!(
    async fn credentials_that_dev_printed_are_refused_in_a_copy(database: Database) {
        let target = other_kind(&database);
        let source = Source::new(database).await;
        let database = source.installation.database();
        insta::assert_snapshot!(source.statuses(database).await, @"
        System token: 200
        RiverGen token: 200
        CIAM token: 200
        CIAM token at /me: 200
        API key: 200
        application: 200
        operator's token: 200
        operator's key: 200
        ");

        let before = database.all_rows().await;
        let copy = ["copy", "--from", database.url(), "--to", target.url()];
        let streams = source.installation.settled(&source.installation.print(&copy));
        assert_eq!(database.all_rows().await, before);
        insta::assert_snapshot!(streams.split_once("verified: ").unwrap().1, @"
        3 accounts, 3 entries, 0 broken histories
        Take DATA/secret.key along: the copy opens only with it.
        `selfsame dev` has used the source: the credentials of its demo account and application are not valid in the copy.
        ");

        insta::assert_snapshot!(source.statuses(&target).await, @"
        System token: 401
        RiverGen token: 401
        CIAM token: 401
        CIAM token at /me: 401
        API key: 401
        application: 401
        operator's token: 200
        operator's key: 200
        ");
        assert_eq!(target.rows("SELECT name FROM installation ORDER BY name").await, ["id", "phone_keys_2"]);
        assert_eq!(target.rows("SELECT count(*) FROM application").await, ["0"]);
        assert!(source.on(&target).run(&["audit", "verify"]).contains("broken histories: 0"));
        // The demo account is an ordinary account now.
        let issue = ["token", "issue", "--account", source.text("/account_id"), "--contract", "rivergen"];
        let token = source.on(&target).run(&issue);
        let server = source.on(&target).serve();
        let answer = server.request("GET", "/api/v1/auth/me").bearer(token.trim()).send().await;
        assert_eq!(answer.status, 200, "{answer}");
    }
);
