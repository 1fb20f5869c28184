//! An HTTP/2 connection with prior knowledge that sends frames as the test wants them (RFC 9113).

use std::net::SocketAddr;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use super::wire::{connect_from, in_time};

const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
const HEADERS: u8 = 1;
const SETTINGS: u8 = 4;
const PING: u8 = 6;
const GO_AWAY: u8 = 7;
/// The flag of an acknowledged `SETTINGS` or `PING`, and of the last frame of a stream.
const ACK_OR_END_STREAM: u8 = 1;
const END_HEADERS: u8 = 4;
/// The identifier of the setting `SETTINGS_INITIAL_WINDOW_SIZE`.
const INITIAL_WINDOW_SIZE: u8 = 4;

/// A connection to a server, which answers its pings.
pub(crate) struct Http2 {
    stream: TcpStream,
    next: u32,
}

/// A frame of the server. `SETTINGS` and `PING` are answered and not returned.
#[derive(Debug)]
pub(crate) struct Frame {
    kind: u8,
    flags: u8,
    stream: u32,
    payload: Vec<u8>,
}

impl Frame {
    /// Returns whether the server announces the end of the connection, without an error.
    pub(crate) fn is_go_away(&self) -> bool {
        self.kind == GO_AWAY && self.payload[4..8] == [0; 4]
    }

    /// Returns whether an answer begins on a stream.
    pub(crate) fn begins(&self, stream: u32) -> bool {
        self.kind == HEADERS && self.stream == stream
    }

    /// The status of the answer that begins with this frame: 200 or 400, which the static table has (RFC 7541, appendix A).
    pub(crate) fn status(&self) -> u16 {
        match self.payload.first() {
            Some(0x88) => 200,
            Some(0x8c) => 400,
            _ => panic!("another status: {self:?}"),
        }
    }

    /// Returns whether a stream ends.
    pub(crate) fn ends(&self, stream: u32) -> bool {
        self.stream == stream && self.flags & ACK_OR_END_STREAM != 0
    }
}

impl Http2 {
    /// Connects from an address of the loopback network.
    pub(crate) async fn open(source: &str, address: SocketAddr) -> Http2 {
        Http2::with_window(source, address, 65_535).await
    }

    /// Does the same; `None` when the server resets the connection at once.
    pub(crate) async fn try_open(source: &str, address: SocketAddr) -> Option<Http2> {
        Some(Http2::begin(connect_from(source, address).await?, 65_535).await)
    }

    /// Connects, and accepts so many bytes of each answer.
    pub(crate) async fn with_window(source: &str, address: SocketAddr, window: u32) -> Http2 {
        Http2::begin(connect_from(source, address).await.unwrap(), window).await
    }

    async fn begin(stream: TcpStream, window: u32) -> Http2 {
        let mut http2 = Http2 { stream, next: 1 };
        // The server may close the connection at once; the next read shows that.
        let _ = in_time(http2.stream.write_all(PREFACE)).await;
        let setting = [&[0, INITIAL_WINDOW_SIZE][..], &window.to_be_bytes()].concat();
        http2.send(SETTINGS, 0, 0, &setting).await;
        http2
    }

    /// Sends a request without a body, and returns its stream.
    pub(crate) async fn get(&mut self, path: &str, headers: &[(&str, &str)]) -> u32 {
        self.request("GET", path, headers, ACK_OR_END_STREAM).await
    }

    /// Sends the header of a request with a body, and returns its stream.
    pub(crate) async fn announce(&mut self, method: &str, path: &str, headers: &[(&str, &str)]) -> u32 {
        self.request(method, path, headers, 0).await
    }

    /// Sends a request without a body that names the host in this way, and returns its stream.
    pub(crate) async fn get_from(&mut self, authority: Option<&str>, path: &str, headers: &[(&str, &str)]) -> u32 {
        self.request_from(authority, "GET", path, headers, ACK_OR_END_STREAM).await
    }

    async fn request(&mut self, method: &str, path: &str, headers: &[(&str, &str)], flags: u8) -> u32 {
        self.request_from(Some("localhost"), method, path, headers, flags).await
    }

    async fn request_from(
        &mut self,
        authority: Option<&str>,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        flags: u8,
    ) -> u32 {
        let mut pseudo = vec![(":method", method), (":scheme", "http"), (":path", path)];
        pseudo.extend(authority.map(|authority| (":authority", authority)));
        let block: Vec<u8> = pseudo.iter().chain(headers).flat_map(|(name, value)| literal(name, value)).collect();
        let stream = self.next;
        self.next += 2;
        self.send(HEADERS, flags | END_HEADERS, stream, &block).await;
        stream
    }

    /// Reads until a frame satisfies `wanted`, and returns every frame up to it.
    pub(crate) async fn until(&mut self, wanted: impl Fn(&Frame) -> bool) -> Vec<Frame> {
        let mut frames = Vec::new();
        while !frames.last().is_some_and(&wanted) {
            frames.push(self.frame().await.expect("the server closed the connection"));
        }
        frames
    }

    /// Reads until a stream ends; `None` when the server closes the connection before.
    pub(crate) async fn answer_or_end(&mut self, stream: u32) -> Option<()> {
        while !self.frame().await?.ends(stream) {}
        Some(())
    }

    /// Reads until the server closes the connection, and returns every frame.
    pub(crate) async fn end(&mut self) -> Vec<Frame> {
        let mut frames = Vec::new();
        while let Some(frame) = self.frame().await {
            frames.push(frame);
        }
        frames
    }

    /// Reads the next frame; `None` when the server closed the connection.
    async fn frame(&mut self) -> Option<Frame> {
        loop {
            let mut head = [0; 9];
            in_time(self.stream.read_exact(&mut head)).await.ok()?;
            let [a, b, c, kind, flags, stream @ ..] = head;
            let mut payload = vec![0; usize::from(a) << 16 | usize::from(b) << 8 | usize::from(c)];
            in_time(self.stream.read_exact(&mut payload)).await.ok()?;
            match kind {
                SETTINGS if flags & ACK_OR_END_STREAM == 0 => self.send(SETTINGS, ACK_OR_END_STREAM, 0, &[]).await,
                PING if flags & ACK_OR_END_STREAM == 0 => self.send(PING, ACK_OR_END_STREAM, 0, &payload).await,
                SETTINGS | PING => {}
                _ => return Some(Frame { kind, flags, stream: u32::from_be_bytes(stream), payload }),
            }
        }
    }

    async fn send(&mut self, kind: u8, flags: u8, stream: u32, payload: &[u8]) {
        let length = u32::try_from(payload.len()).unwrap().to_be_bytes();
        let frame = [&length[1..], &[kind, flags], &stream.to_be_bytes(), payload].concat();
        // As above.
        let _ = in_time(self.stream.write_all(&frame)).await;
    }
}

/// Encodes a header as a literal without indexing (RFC 7541 §6.2.2).
fn literal(name: &str, value: &str) -> Vec<u8> {
    let text = |text: &str| [length(text.len()), text.as_bytes().to_vec()].concat();
    [vec![0], text(name), text(value)].concat()
}

/// Encodes the length of a text that is not compressed (RFC 7541 §5.1, §5.2).
fn length(length: usize) -> Vec<u8> {
    let Some(mut rest) = length.checked_sub(127) else { return vec![u8::try_from(length).unwrap()] };
    let mut encoded = vec![127];
    while rest >= 128 {
        encoded.push(u8::try_from(rest % 128).unwrap() | 128);
        rest /= 128;
    }
    encoded.push(u8::try_from(rest).unwrap());
    encoded
}
