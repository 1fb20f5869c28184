//! A connection that sends bytes as they are, including what no HTTP library would send.

use std::net::SocketAddr;
use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpSocket, TcpStream};

use super::{Answer, Server};

/// How long one answer, or the end of a connection, may be waited for.
const LIMIT: Duration = Duration::from_secs(10);

/// A connection to a server.
pub(crate) struct Wire {
    stream: TcpStream,
    unread: Vec<u8>,
}

impl Wire {
    /// Connects to a server.
    pub(crate) async fn connect(server: &Server) -> Wire {
        Wire::open(server.address()).await
    }

    /// Connects to an address.
    pub(crate) async fn open(address: SocketAddr) -> Wire {
        Wire { stream: TcpStream::connect(address).await.unwrap(), unread: Vec::new() }
    }

    /// Connects from an address of the loopback network, such as `127.0.0.2`.
    pub(crate) async fn open_from(source: &str, address: SocketAddr) -> Wire {
        Wire::try_open_from(source, address).await.unwrap()
    }

    /// Does the same; `None` when the server resets the connection at once.
    pub(crate) async fn try_open_from(source: &str, address: SocketAddr) -> Option<Wire> {
        Some(Wire { stream: connect_from(source, address).await?, unread: Vec::new() })
    }

    /// Connects with the smallest receive buffer that the system allows.
    pub(crate) async fn narrow(address: SocketAddr) -> Wire {
        let socket = TcpSocket::new_v4().unwrap();
        socket.set_recv_buffer_size(4096).unwrap();
        Wire { stream: socket.connect(address).await.unwrap(), unread: Vec::new() }
    }

    /// Sends bytes.
    pub(crate) async fn send(&mut self, bytes: impl AsRef<[u8]>) {
        in_time(self.stream.write_all(bytes.as_ref())).await.unwrap();
    }

    /// Sends this many bytes; false when the server closed the connection before it read them all.
    pub(crate) async fn try_send(&mut self, length: usize) -> bool {
        self.stream.write_all(&vec![b'x'; length]).await.is_ok()
    }

    /// Sends bytes, unless the server closes the connection before it has read them.
    pub(crate) async fn try_send_bytes(&mut self, bytes: &str) {
        let _ = in_time(self.stream.write_all(bytes.as_bytes())).await;
    }

    /// Reads the next answer; `None` when the server closes the connection instead.
    pub(crate) async fn answer_or_end(&mut self) -> Option<Answer> {
        if self.unread.is_empty() && self.more().await == 0 {
            return None;
        }
        Some(self.answer().await)
    }

    /// Sends the same bytes again and again until the server closes the connection.
    pub(crate) async fn send_until_cut(&mut self, bytes: &[u8]) {
        while in_time(self.stream.write_all(bytes)).await.is_ok() {}
    }

    /// Waits until the server, asked with `Expect: 100-continue`, wants the body: from then on the request is in flight.
    pub(crate) async fn wait_for_continue(&mut self) {
        const CONTINUE: &[u8] = b"HTTP/1.1 100 Continue\r\n\r\n";
        self.read(CONTINUE.len()).await;
        assert_eq!(self.unread.drain(..CONTINUE.len()).collect::<Vec<_>>(), CONTINUE);
    }

    /// Reads the next answer. Without a length in its header it has no body.
    pub(crate) async fn answer(&mut self) -> Answer {
        let end = loop {
            match self.unread.windows(4).position(|four| four == b"\r\n\r\n") {
                Some(end) => break end + 4,
                None => self.read(self.unread.len() + 1).await,
            }
        };
        let head = String::from_utf8(self.unread.drain(..end).collect()).unwrap();
        let mut lines = head.trim_end().lines();
        let status = lines.next().unwrap().split(' ').nth(1).unwrap().parse().unwrap();
        let headers = lines.map(|line| line.split_once(": ").unwrap());
        let headers = headers.map(|(name, value)| (name.parse().unwrap(), value.parse().unwrap())).collect();
        let mut answer = Answer { status, headers, body: String::new() };
        let length = answer.header("content-length").parse().unwrap_or(0);
        self.read(length).await;
        answer.body = String::from_utf8(self.unread.drain(..length).collect()).unwrap();
        answer
    }

    /// Checks whether nothing has arrived so far. Proves something only after an event that an answer would have come before.
    pub(crate) fn has_received_nothing(&self) -> bool {
        let nothing = self.stream.try_read(&mut [0]).is_err_and(|error| error.kind() == std::io::ErrorKind::WouldBlock);
        self.unread.is_empty() && nothing
    }

    /// Returns what else the server sends until it closes the connection.
    pub(crate) async fn end(&mut self) -> String {
        while self.more().await > 0 {}
        self.text()
    }

    /// Reads until this many bytes are unread.
    async fn read(&mut self, length: usize) {
        while self.unread.len() < length {
            assert!(self.more().await > 0, "closed instead of answered: {:?}", self.text());
        }
    }

    async fn more(&mut self) -> usize {
        let read = in_time(self.stream.read_buf(&mut self.unread)).await;
        // A server that closes a connection before it has read everything resets it.
        read.unwrap_or(0)
    }

    fn text(&self) -> String {
        String::from_utf8_lossy(&self.unread).into_owned()
    }
}

/// Connects from an address of the loopback network; `None` when the server resets the connection at once.
pub(super) async fn connect_from(source: &str, address: SocketAddr) -> Option<TcpStream> {
    let socket = TcpSocket::new_v4().unwrap();
    socket.bind(SocketAddr::new(source.parse().unwrap(), 0)).unwrap();
    match in_time(socket.connect(address)).await {
        Ok(stream) => Some(stream),
        Err(error) => {
            assert_eq!(error.kind(), std::io::ErrorKind::ConnectionReset, "{error}");
            None
        }
    }
}

pub(super) async fn in_time<T>(act: impl Future<Output = T>) -> T {
    tokio::time::timeout(LIMIT, act).await.expect("the server neither answers nor closes the connection")
}
