//! A raw connection that sends exact bytes, including those that no HTTP library would send.

use std::net::SocketAddr;
use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpSocket, TcpStream};

/// Time limit for one response and for the end of a connection.
const LIMIT: Duration = Duration::from_secs(10);

/// The time without data after which a connection counts as silent: longer than a response over loopback takes.
const SILENCE: Duration = Duration::from_millis(300);

/// One connection.
pub(super) struct Wire {
    stream: TcpStream,
    unread: Vec<u8>,
}

/// One response in its parts.
pub(super) struct Said {
    pub(super) status: u16,
    pub(super) head: String,
    pub(super) body: String,
}

impl Said {
    /// The value of a header; empty if it is absent.
    pub(super) fn header(&self, name: &str) -> &str {
        let lines = self.head.lines().filter_map(|line| line.split_once(": "));
        lines.into_iter().find(|(said, _)| said.eq_ignore_ascii_case(name)).map_or("", |(_, value)| value)
    }
}

impl Wire {
    pub(super) async fn open(address: SocketAddr) -> Wire {
        Wire { stream: TcpStream::connect(address).await.unwrap(), unread: Vec::new() }
    }

    /// Opens a connection with the smallest possible receive buffer.
    pub(super) async fn narrow(address: SocketAddr) -> Wire {
        let socket = TcpSocket::new_v4().unwrap();
        socket.set_recv_buffer_size(4096).unwrap();
        Wire { stream: socket.connect(address).await.unwrap(), unread: Vec::new() }
    }

    pub(super) async fn send(&mut self, bytes: impl AsRef<[u8]>) {
        in_time(self.stream.write_all(bytes.as_ref())).await.unwrap();
    }

    /// Sends bytes repeatedly until the other end closes the connection.
    pub(super) async fn send_until_cut(&mut self, bytes: &[u8]) {
        while in_time(self.stream.write_all(bytes)).await.is_ok() {}
    }

    /// Reads the next response.
    pub(super) async fn answer(&mut self) -> Said {
        let end = loop {
            match self.unread.windows(4).position(|four| four == b"\r\n\r\n") {
                Some(end) => break end + 4,
                None => assert!(self.more().await > 0, "closed instead of answered: {:?}", self.text()),
            }
        };
        let head = String::from_utf8(self.unread.drain(..end).collect()).unwrap();
        let status = head.split(' ').nth(1).unwrap().parse().unwrap();
        let mut said = Said { status, head, body: String::new() };
        let length = said.header("content-length").parse().unwrap_or(0);
        while self.unread.len() < length {
            assert!(self.more().await > 0, "closed within a body: {:?}", self.text());
        }
        said.body = String::from_utf8(self.unread.drain(..length).collect()).unwrap();
        said
    }

    /// Checks whether nothing is received for [`SILENCE`].
    pub(super) async fn is_silent(&mut self) -> bool {
        let heard = tokio::time::timeout(SILENCE, self.stream.read_buf(&mut self.unread)).await;
        heard.is_err()
    }

    /// Reads until the other end closes the connection.
    pub(super) async fn end(&mut self) -> String {
        while self.more().await > 0 {}
        self.text()
    }

    async fn more(&mut self) -> usize {
        let read = in_time(self.stream.read_buf(&mut self.unread)).await;
        // A server that closes the connection before it has read everything resets it.
        read.unwrap_or(0)
    }

    fn text(&self) -> String {
        String::from_utf8_lossy(&self.unread).into_owned()
    }
}

async fn in_time<T>(act: impl Future<Output = T>) -> T {
    tokio::time::timeout(LIMIT, act).await.expect("the other end neither answers nor hangs up")
}
