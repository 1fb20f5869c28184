//! The server around the contracts: handling common to all requests, limits of connections, and the stop of a server.

mod error_layer;
mod failures;
mod framing;
mod health;
mod http2;
mod idle;
mod limits;
mod logs;
mod requests;
mod shares;
mod stop;
mod unread;

use selfsame::account::{Account, Contract, Field};

use crate::support::{Database, Server};

/// Starts a server with settings that differ from the defaults, on the embedded database: these tests do not depend on the
/// kind of database.
async fn server_with(settings: &[(&str, &str)]) -> Server {
    Server::with(Database::sqlite(), settings).await
}

/// Adds an account, and returns it with the head of its authenticated requests, without the final empty line.
async fn person(server: &Server) -> (Account, String) {
    let account = server.person(&[(Field::DisplayName, "Jane Admin")]).await;
    let token = server.token(&account, Contract::System).await;
    (account, format!("Host: localhost\r\nAuthorization: Bearer {token}\r\nX-Client-Hash: client\r\n"))
}
