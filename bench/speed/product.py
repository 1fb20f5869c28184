"""The product: an installation with accounts, and servers on copies of it."""

import http.client
import json
import os
import shutil
import statistics
import subprocess
import sys
import time

from . import machine, wire

ACCOUNTS = 1000
DATABASE_FILE = "selfsame.sqlite3"
TENANT = "bench"
# The same values are in bench/floor/token.rs.
ISSUER = "https://issuer.example"
AUDIENCE = "bench"
# Every limit stays on; a run stays below them.
BOUNDS = {
    "address": 1_000_000,
    "system": 1_000_000,
    "rivergen": 1_000_000,
    "default": 1_000_000,
    "window": '"1s"',
    "history_bytes_per_day": 1 << 30,
}
SECONDS_TO_START = 30


class Installation:
    """A tenant with accounts and an API key, in a data folder and a database."""

    def __init__(self, program, folder, url, trusted):
        """`url` is None for SQLite."""
        self.program, self.folder, self.url = program, folder, url
        folder.mkdir()
        self.configuration = folder / "selfsame.toml"
        self.configuration.write_text(configuration(trusted))
        self.command("migrate")

    def add_accounts(self):
        """Adds a tenant, accounts that the subjects 1 to ACCOUNTS of the issuer own, and returns the secret of an API key."""
        self.command("tenant", "create", TENANT)
        lines = self.folder / "accounts.jsonl"
        lines.write_text("".join(json.dumps(account(number)) + "\n" for number in range(1, ACCOUNTS + 1)))
        self.command("account", "import", lines)
        return self.command("key", "create", "--tenant", TENANT).split()[-1]

    def command(self, *arguments):
        command = [self.program, *arguments, *self.options(self.folder)]
        done = subprocess.run(list(map(str, command)), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        if done.returncode != 0:
            sys.exit(f"{' '.join(map(str, arguments))}: {done.stdout}{done.stderr}")
        return done.stdout

    def options(self, data):
        # Always explicit: a variable of the environment may name a database that matters.
        url = self.url or f"sqlite:{data / DATABASE_FILE}"
        return ["--config", self.configuration, "--data", data, "--database", url]

    def copy(self, folder):
        """Copies the data folder, with the database if that is SQLite, and returns the copy."""
        shutil.copytree(self.folder, folder)
        return folder

    def serve(self, data, settings, environment):
        """Starts a server on a data folder."""
        port = machine.free_port()
        command = [self.program, "serve", "--listen", f"127.0.0.1:{port}", *self.options(data)]
        settings = {f"SELFSAME__{key.upper().replace('.', '__')}": value for key, value in settings.items()}
        return Server(command, port, data, os.environ | settings | environment)


class Server:
    """A running server, with how long its first answer took, and its memory at that time."""

    def __init__(self, command, port, data, environment):
        self.url, self.port, self.data = f"http://127.0.0.1:{port}", port, data
        began = time.monotonic()
        with open(data / "log", "ab") as log:
            self.process = machine.start(command, stdout=log, stderr=log, env=environment)
        while not self.is_ready():
            if self.process.poll() is not None or time.monotonic() - began > SECONDS_TO_START:
                sys.stderr.write((data / "log").read_text())
                sys.exit("the server does not start")
            time.sleep(0.0005)
        self.seconds_to_answer = time.monotonic() - began
        self.mebibytes_at_start = machine.anonymous_mebibytes(self.process.pid)

    def is_ready(self):
        try:
            return self.ask(wire.get("/readyz", {}))[0] == 200
        except OSError:
            return False

    def ask(self, request):
        """Sends one prepared request on a connection of its own, and returns status and body."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=10)
        try:
            connection.connect()
            connection.sock.sendall(request)
            response = http.client.HTTPResponse(connection.sock)
            response.begin()
            return response.status, response.read()
        finally:
            connection.close()

    def cpu_seconds(self):
        return machine.cpu_seconds(self.process.pid)

    def close(self):
        machine.stop(self.process)


def configuration(trusted):
    bounds = "".join(f"{key} = {value}\n" for key, value in BOUNDS.items())
    return f"""\
[server]
network_share = 100

[rate_limit]
{bounds}
[trusted_issuer.bench]
issuer = "{ISSUER}"
jwks_file = "{trusted}"
audience = ["{AUDIENCE}"]
tenant = "{TENANT}"
algorithms = ["EdDSA"]
contracts = ["system", "rivergen", "ciam"]
"""


def account_id(number):
    """bench/speed/load.py computes the same identifier in SQL."""
    return f"00000000-0000-7000-8000-{number:012x}"


def account(number):
    return {
        "id": account_id(number),
        "tenant": TENANT,
        "portal": "SYSTEM",
        "display_name": f"Name {number:012}",
        "given_name": "Jane",
        "family_name": "Admin",
        "username": f"person{number}",
        "email": f"person{number}@example.com",
        "email_verified": True,
        "phone": f"+1555{number:07}",
        "language": "en",
        "time_zone": "America/New_York",
        "country": "US",
        "attributes": {"plan": "gold", "seats": number, "tags": ["a", "b"]},
        "identities": [{"issuer": ISSUER, "subject": str(number)}],
    }


def start_again_and_again(installation, data, rounds):
    """Starts a server several times; returns the medians of milliseconds to the first answer and of MiB at that time."""
    milliseconds, mebibytes = [], []
    for _ in range(rounds):
        server = installation.serve(data, {"log.level": "warn"}, {})
        server.close()
        milliseconds.append(server.seconds_to_answer * 1000)
        mebibytes.append(server.mebibytes_at_start)
    return statistics.median(milliseconds), statistics.median(mebibytes)
