"""Floods: attacks that last while another address reads, and what they cost the reader.

`FLOODS` lists them; a further one is one more entry. Each is a context manager that attacks a server (of `bench/hostile`) from
the moment it is entered until it is left. A flood fails when a read gets another answer than 200, when its 99th percentile is
more than five times that without the attack, when a read takes half a second, or when the server needs 100 MiB more memory.
"""

import base64
import contextlib
import http.client
import json
import os
import resource
import selectors
import socket
import struct
import threading
import time
import zlib

READ = "/api/v1/auth/me"
CHANGE = "/api/v1/auth/me/profile"
# Attackers connect from this address, the reader from 127.0.0.1.
ATTACKER = "127.0.0.2"
SECONDS = 12.0
MAX_RATIO = 5.0
MAX_SECONDS = 0.5
MAX_MEBIBYTES = 100


# --- The attacks ---


@contextlib.contextmanager
def idle_connections(server):
    """Keeps 1024 HTTP/2 connections of one address, each idle after its first request."""

    def begin(connection):
        connection.get("/healthz")

    with attack(lambda: Fleet(server, 1024, begin)):
        yield


@contextlib.contextmanager
def announced_bodies(server):
    """Announces 512 bodies on 8 HTTP/2 connections, sends none, and announces another when one is refused."""

    def announce(connection):
        connection.announce("/oauth2/token", 100)

    def begin(connection):
        for _ in range(64):
            announce(connection)

    with attack(lambda: Fleet(server, 8, begin, announce)):
        yield


@contextlib.contextmanager
def pictures(server):
    """Uploads pictures of noise through one account, each another one, as fast as four connections can."""
    bodies = [picture_body(noise_png(512, 512)) for _ in range(16)]
    with senders(server, 4, bodies):
        yield


@contextlib.contextmanager
def large_bodies(server):
    """Sends twenty large bodies of one account at once, again and again: pictures, and members that nobody reads."""
    ignored = b'{"other":[' + b",".join([b"0"] * 400_000) + b"]}"
    members = b"{" + b",".join(b'"%x":0' % number for number in range(180_000)) + b"}"
    with senders(server, 20, [picture_body(noise_png(660, 640)), ignored, members]):
        yield


FLOODS = [
    ("1024 idle HTTP/2 connections of one address", idle_connections),
    ("512 announced bodies on 8 HTTP/2 connections", announced_bodies),
    ("pictures of noise by one account", pictures),
    ("20 large bodies of one account at once", large_bodies),
]


# --- The measurement ---


def run(server):
    """Runs every flood, prints what each costs, and returns the names of those that failed."""
    allow_many_files()
    failed = []
    print(f"{'':<46} {'reads':>6} {'p99 ms':>7} {'before':>7} {'worst':>6} {'MiB':>5}")
    for name, flood in FLOODS:
        before = percentile_99(read(server)[0])
        at_rest = server.memory_before()
        with flood(server):
            times, statuses = read(server)
        mebibytes = None if at_rest is None else max(0, server.status("VmHWM") - at_rest) / 1024
        p99, worst = percentile_99(times), max(times)
        problems = [f"{count} answers {status}" for status, count in statuses.items() if status != 200]
        problems += ["the 99th percentile"] * (p99 > MAX_RATIO * before) + ["the worst read"] * (worst >= MAX_SECONDS)
        problems += ["memory"] * (mebibytes is not None and mebibytes >= MAX_MEBIBYTES)
        shown = "-" if mebibytes is None else f"{mebibytes:.0f}"
        verdict = "  FAILED: " + ", ".join(problems) if problems else ""
        reads = f"{len(times):>6} {p99 * 1000:>7.1f} {before * 1000:>7.1f} {worst * 1000:>6.0f} {shown:>5}"
        print(f"{name:<46} {reads}{verdict}", flush=True)
        failed += [name] if problems else []
    return failed


def read(server):
    """Reads for a while, each time on a fresh connection; returns the times, and how often each status was answered."""
    times, statuses, end = [], {}, time.monotonic() + SECONDS
    while time.monotonic() < end:
        began = time.monotonic()
        try:
            status = read_once(server)
        except (OSError, http.client.HTTPException) as error:
            status = type(error).__name__
        times.append(time.monotonic() - began)
        statuses[status] = statuses.get(status, 0) + 1
    return times, statuses


def read_once(server):
    connection = http.client.HTTPConnection(server.url.hostname, server.url.port, timeout=10)
    try:
        connection.request("GET", READ, headers={"Authorization": f"Bearer {server.token}"})
        response = connection.getresponse()
        response.read()
        return response.status
    finally:
        connection.close()


def percentile_99(times):
    return sorted(times)[len(times) * 99 // 100]


def allow_many_files():
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))


# --- Attackers ---


@contextlib.contextmanager
def attack(make):
    """Attacks in a thread of its own, from the first moment on."""
    fleet, stop = make(), threading.Event()
    fleet.tend()
    thread = threading.Thread(target=fleet.run, args=(stop,))
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()
        fleet.close()


@contextlib.contextmanager
def senders(server, number, bodies):
    """Changes the profile from so many connections at once, with one body after the other."""
    stop = threading.Event()

    def send(first):
        connection = None
        for turn in range(first, 1 << 30):
            if stop.is_set():
                return
            try:
                if connection is None:
                    address = (server.url.hostname, server.url.port)
                    connection = http.client.HTTPConnection(*address, timeout=30, source_address=(ATTACKER, 0))
                headers = {"Authorization": f"Bearer {server.token}", "Content-Type": "application/json"}
                connection.request("PUT", CHANGE, bodies[turn % len(bodies)], headers)
                connection.getresponse().read()
            except (OSError, http.client.HTTPException):
                # A refused body ends its connection.
                connection.close()
                connection = None

    threads = [threading.Thread(target=send, args=(first,)) for first in range(number)]
    for thread in threads:
        thread.start()
    try:
        yield
    finally:
        stop.set()
        for thread in threads:
            thread.join()


def picture_body(png):
    uri = "data:image/png;base64," + base64.b64encode(png).decode()
    return json.dumps({"profile_image_url": uri}).encode()


def noise_png(width, height):
    """Returns an opaque picture that cannot be compressed."""

    def chunk(name, data):
        return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))

    rows = b"".join(b"\0" + os.urandom(3 * width) for _ in range(height))
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    end = chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(rows, 1)) + end


class Fleet:
    """Connections of an attacker. Once a second, those that the server closed are replaced."""

    def __init__(self, server, number, begin, answered=lambda connection: None):
        self.server, self.number, self.begin, self.answered = server, number, begin, answered
        self.selector, self.open = selectors.DefaultSelector(), 0

    def run(self, stop):
        while not stop.wait(1):
            self.tend()

    def tend(self):
        for key, _ in self.selector.select(timeout=0):
            self.receive(key.data)
        for _ in range(self.number - self.open):
            try:
                connection = Http2(self.server)
                self.begin(connection)
            except OSError:
                continue
            self.selector.register(connection.socket, selectors.EVENT_READ, connection)
            self.open += 1

    def receive(self, connection):
        try:
            for _ in range(connection.receive()):
                self.answered(connection)
        except OSError:
            self.selector.unregister(connection.socket)
            connection.socket.close()
            self.open -= 1

    def close(self):
        for key in list(self.selector.get_map().values()):
            key.fileobj.close()
        self.selector.close()


class Http2:
    """An HTTP/2 connection with prior knowledge (RFC 9113), which answers pings."""

    def __init__(self, server):
        address = (server.url.hostname, server.url.port)
        self.socket = socket.create_connection(address, timeout=5, source_address=(ATTACKER, 0))
        self.unread, self.stream = b"", 1
        self.socket.sendall(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + frame(4, 0, 0))

    def get(self, path):
        self.request(0x5, ("GET", path))

    def announce(self, path, length):
        self.request(0x4, ("POST", path), ("content-type", "application/json"), ("content-length", str(length)))

    def request(self, flags, method_and_path, *headers):
        method, path = method_and_path
        pseudo = [(":method", method), (":scheme", "http"), (":authority", "localhost"), (":path", path)]
        block = b"".join(b"\0" + text(name) + text(value) for name, value in [*pseudo, *headers])
        self.socket.sendall(frame(1, flags, self.stream, block))
        self.stream += 2

    def receive(self):
        """Reads what has come, and returns how many answers ended; raises an OSError when the connection has."""
        data = self.socket.recv(65536)
        if not data:
            raise ConnectionResetError
        self.unread += data
        ended = 0
        while len(self.unread) >= 9 and len(self.unread) >= 9 + int.from_bytes(self.unread[:3], "big"):
            length, kind, flags = int.from_bytes(self.unread[:3], "big"), self.unread[3], self.unread[4]
            payload, self.unread = self.unread[9 : 9 + length], self.unread[9 + length :]
            if kind in (4, 6) and not flags & 1:
                self.socket.sendall(frame(kind, 1, 0, payload if kind == 6 else b""))
            ended += kind in (0, 1) and flags & 1
        return ended


def frame(kind, flags, stream, payload=b""):
    return len(payload).to_bytes(3, "big") + struct.pack(">BBI", kind, flags, stream) + payload


def text(value):
    """Encodes a text of less than 127 bytes that is not compressed (RFC 7541 §5.2)."""
    return bytes([len(value)]) + value.encode()
