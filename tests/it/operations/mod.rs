//! Settings and monitoring for operators: limits, proxies, TLS, cross-origin requests, metrics, traces, and the pages on
//! them.

mod alerts;
mod cors;
mod limits;
mod metrics;
mod operator;
mod promtool;
mod proxies;
mod tls;
mod traces;

use selfsame::account::{Account, Contract, Field};

use crate::support::{Answer, Database, Request, Server};

const PROFILE: &str = "/web/v1/system/profile";
const UPDATE: &str = "/web/v1/system/profile/update";

/// Starts a server with settings that differ from the defaults, on the embedded database: these tests do not depend on the
/// kind of database.
async fn server_with(settings: &[(&str, &str)]) -> Server {
    Server::with(Database::sqlite(), settings).await
}

/// An account with a token for the System portal.
struct Person<'a> {
    server: &'a Server,
    account: Account,
    token: String,
}

impl Person<'_> {
    async fn new(server: &Server) -> Person<'_> {
        let account = server.person(&[(Field::DisplayName, "Jane Admin")]).await;
        let token = server.token(&account, Contract::System).await;
        Person { server, account, token }
    }

    /// Begins a request with the person's credentials.
    fn request(&self, method: &str, path: &str) -> Request {
        self.server.request(method, path).bearer(&self.token).header("X-Client-Hash", "d1")
    }

    /// Reads the profile.
    async fn read(&self) -> Answer {
        self.request("GET", PROFILE).send().await
    }
}
