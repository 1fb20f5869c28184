"""Load, and what it measures: wrk over HTTP, pgbench and the floors' program beside it."""

import base64
import os
import re
import statistics
import subprocess
from dataclasses import dataclass

from . import wire
from .postgres import PROJECT

STATEMENTS = PROJECT / "bench/statements"
# Numbers of two runs do not overlap.
NUMBERS_A_RUN = 10_000_000
# What a keyed hash and a time are written like.
DIGEST = r"\x" + "5a" * 32
AT = 1_800_000_000_000_000
REQUEST_ID = "00000000-0000-7000-8000-000000000000"
# The identifier of product.account_id, and a name of the length of the load's.
IN_SQL = {
    ":id": "CAST('00000000-0000-7000-8000-' || lpad(to_hex(CAST(:number AS bigint)), 12, '0') AS uuid)",
    ":name": "convert_to('Name ' || :change, 'UTF8')",
}


class LoadError(Exception):
    """A load did not run, or a request was not answered with success."""


@dataclass
class Result:
    """What one run of one row measured. Times are None where they are not known."""

    per_second: float
    p50: float | None = None
    p99: float | None = None
    server: float | None = None
    database: float | None = None


def median(results):
    """Returns the medians of the results of several rounds."""

    def of(name):
        values = [value for value in (getattr(result, name) for result in results) if value is not None]
        return statistics.median(values) if values else None

    return Result(*(of(name) for name in Result.__dataclass_fields__))


class Wrk:
    """Runs wrk, for `seconds` over `connections`."""

    def __init__(self):
        self.first_number = 0

    def start(self, url, requests, seconds, connections, once=False, rate=None):
        self.first_number += NUMBERS_A_RUN
        script = ["-s", PROJECT / "bench/load.lua", url, "--", requests, "once" if once else "again", self.first_number]
        command = ["wrk", "-t1", f"-c{connections}", f"-d{seconds}s", *script, *([rate] if rate else [])]
        return subprocess.Popen(list(map(str, command)), stdout=subprocess.PIPE, text=True)

    def finish(self, process):
        """Returns the number of requests and the result. A single request without a successful answer fails the run."""
        output, _ = process.communicate()
        found = [line.split()[1:] for line in output.splitlines() if line.startswith("result ")]
        if process.returncode != 0 or not found:
            raise LoadError(f"wrk failed:\n{output}")
        requests, microseconds, p50, p99, lost = map(int, found[0])
        if lost or not requests:
            raise LoadError(f"{lost} of {requests} requests were refused or lost")
        return requests, Result(requests / microseconds * 1e6, p50 / 1e3, p99 / 1e3)

    def run(self, url, requests, seconds, connections, **options):
        return self.finish(self.start(url, requests, seconds, connections, **options))


def encrypted(server, count, file):
    """Writes so many encrypted updates into a file. Sessions are opened once a server."""
    contracts = server.contracts
    accounts, sessions = len(contracts.tokens), server.data / "sessions"
    command = ["node", PROJECT / "bench/encrypted.mjs", server.url, accounts, count, sessions]
    with subprocess.Popen(list(map(str, command)), stdout=subprocess.PIPE, text=True) as process:
        wire.write(file, (contracts.encrypted_update(*envelope(line)) for line in process.stdout))
    if process.returncode != 0:
        raise LoadError("the encrypted updates could not be prepared")


def envelope(line):
    index, session, encoded = line.split()
    return int(index), session, base64.b64decode(encoded)


class Pgbench:
    """Runs the statements of bench/statements on a database of the cluster that has the product's tables and accounts."""

    def __init__(self, cluster, database, folder, accounts, payload_bytes):
        self.cluster, self.database, self.folder, self.accounts = cluster, database, folder, accounts
        payload = r"\x" + "5a" * payload_bytes
        digests = {name: DIGEST for name in ("token", "session", "commitment", "link", "salt")}
        self.variables = digests | {"payload": payload, "request_id": REQUEST_ID, "at": AT, "bytes": payload_bytes}

    def run(self, statement, seconds, clients):
        text = (STATEMENTS / f"{statement}.sql").read_text()
        for name, expression in IN_SQL.items():
            text = re.sub(rf"{name}\b", lambda _: expression, text)
        script = self.folder / f"{statement}.pgbench"
        script.write_text(f"\\set number random(1, {self.accounts})\n\\set change random(1, 1000000000)\n{text.rstrip()};\n")
        variables = [f"-D{name}={value}" for name, value in self.variables.items()]
        options = ["-n", "-M", "prepared", f"-c{clients}", f"-j{min(clients, os.cpu_count())}", f"-T{seconds}"]
        place = ["-h", self.cluster.folder, "-U", "postgres", self.database]
        command = [self.cluster.binaries / "pgbench", *options, *variables, "-f", script, *place]
        done = subprocess.run(list(map(str, command)), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        rate = [line.split()[2] for line in done.stdout.splitlines() if line.startswith("tps = ")]
        if done.returncode != 0 or not rate:
            raise LoadError(f"pgbench failed:\n{done.stdout}")
        return Result(float(rate[0]))


def floor(program, *arguments):
    """Runs a command of the floors' program that prints a rate."""
    done = subprocess.run(list(map(str, [program, *arguments])), stdout=subprocess.PIPE, text=True, check=True)
    return Result(float(done.stdout))
