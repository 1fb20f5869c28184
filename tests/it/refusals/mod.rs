//! What a refused request leaves behind: nothing.

mod pictures;
mod suspended;
mod writes;

use selfsame::account::{Patch, Status};

use crate::support::{Server, Wire};

/// A patch by which operators suspend an account.
fn suspension() -> Patch {
    let mut patch = Patch::default();
    patch.status = Some(Status::Suspended);
    patch
}

/// Begins a request with a JSON body of this length, and returns when it is authenticated and the server reads its body.
async fn begin(server: &Server, request: &str, credentials: &str, length: usize) -> Wire {
    let mut wire = Wire::connect(server).await;
    let body = format!("Content-Type: application/json\r\nContent-Length: {length}\r\nExpect: 100-continue\r\n");
    wire.send(format!("{request} HTTP/1.1\r\nHost: localhost\r\n{credentials}{body}\r\n")).await;
    wire.wait_for_continue().await;
    wire
}
