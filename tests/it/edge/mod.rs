//! The house around the contracts: what every request passes, what a connection may take, and how a server stops.

mod error_layer;
mod failures;
mod framing;
mod health;
mod http2;
mod limits;
mod logs;
mod requests;
mod stop;
mod wire;

use selfsame::account::{Account, Contract, Field};

use crate::support::{Database, Server};

/// A server with settings that differ from the defaults, on the embedded database: nothing here depends on which.
async fn server_with(settings: &[(&str, &str)]) -> Server {
    Server::with(Database::sqlite(), settings).await
}

/// Somebody and the head of their authenticated requests, up to and without the empty line.
async fn person(server: &Server) -> (Account, String) {
    let account = server.person(&[(Field::DisplayName, "Jane Admin")]).await;
    let token = server.token(&account, Contract::System).await;
    (account, format!("Host: localhost\r\nAuthorization: Bearer {token}\r\nX-Client-Hash: client\r\n"))
}
