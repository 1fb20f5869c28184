//! A client that sends raw bytes, for requests that no HTTP library would send.

use std::net::SocketAddr;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use super::{Answer, Server};

/// A connection to a server.
pub(crate) struct Wire(TcpStream);

impl Wire {
    /// Connects to a server.
    pub(crate) async fn connect(server: &Server) -> Wire {
        Wire::open(server.address()).await
    }

    /// Connects to an address.
    pub(crate) async fn open(address: SocketAddr) -> Wire {
        Wire(TcpStream::connect(address).await.unwrap())
    }

    /// Sends bytes.
    pub(crate) async fn send(&mut self, bytes: impl AsRef<[u8]>) {
        self.0.write_all(bytes.as_ref()).await.unwrap();
    }

    /// Sends this many bytes; returns false if the other end closed the connection first.
    pub(crate) async fn try_send(&mut self, length: usize) -> bool {
        self.0.write_all(&vec![b'x'; length]).await.is_ok()
    }

    /// Waits for the response to `Expect: 100-continue`; from then on the request is in flight.
    pub(crate) async fn wait_for_continue(&mut self) {
        const CONTINUE: &[u8] = b"HTTP/1.1 100 Continue\r\n\r\n";
        let mut received = [0; CONTINUE.len()];
        self.0.read_exact(&mut received).await.unwrap();
        assert_eq!(received, CONTINUE);
    }

    /// Reads the next response, which must have a `Content-Length`.
    pub(crate) async fn answer(&mut self) -> Answer {
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            head.push(self.0.read_u8().await.unwrap());
        }
        let head = String::from_utf8(head).unwrap();
        let mut lines = head.trim_end().lines();
        let status = lines.next().unwrap().split(' ').nth(1).unwrap().parse().unwrap();
        let headers = lines.map(|line| line.split_once(": ").unwrap());
        let headers = headers.map(|(name, value)| (name.parse().unwrap(), value.parse().unwrap())).collect();
        let mut answer = Answer { status, headers, body: String::new() };
        let mut body = vec![0; answer.header("content-length").parse().unwrap()];
        self.0.read_exact(&mut body).await.unwrap();
        answer.body = String::from_utf8(body).unwrap();
        answer
    }
}
