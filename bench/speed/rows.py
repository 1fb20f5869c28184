"""The rows of a run: what each one measures."""

import time
from dataclasses import dataclass
from typing import Callable

from . import load, machine, wire
from .load import Result

READS = {"System": "system_reads", "CL2C": "cl2c_reads", "RiverGen": "rivergen_reads", "CIAM": "ciam_reads"}
BESIDE = "System read beside updates"
# Encrypted updates are prepared for this rate, which no machine should reach: each can be sent only once.
ENCRYPTED_A_SECOND = 20_000
GROUP = 32
SLOW_CONNECTIONS = (32, 128)


@dataclass
class Row:
    """A name, what measures it for some seconds, whether --quick has it, the rows that must be measured before it, and
    whether its first round begins with a second that does not count."""

    name: str
    run: Callable[[int], Result]
    is_quick: bool = True
    needs: tuple[str, ...] = ()
    warms_up: bool = True


def all_rows(bench, logs):
    """Returns every row, in the order of a round."""

    def alone(name, run, is_quick=True):
        return Row(name, run, is_quick, warms_up=False)

    rows = [
        Row("axum, fixed reply", axum(bench, "/fixed"), is_quick=False),
        Row("axum, remembered token", axum(bench, "/remembered")),
        Row("axum, checked token", axum(bench, "/checked")),
        alone("rusqlite, read", lambda seconds: load.floor(bench.floor, "read", bench.floor_database, seconds)),
        alone("rusqlite, update one by one", rusqlite_update(bench, 1), is_quick=False),
        alone(f"rusqlite, {GROUP} updates in a group", rusqlite_update(bench, GROUP)),
        alone("pgbench, read", pgbench(bench, "read", "fast", bench.connections)),
        alone("pgbench, update", pgbench(bench, "postgres_update", "fast", bench.connections)),
    ]
    for database in ("SQLite", "PostgreSQL"):
        for log in logs:
            rows += of_product(bench, database, log)
    return rows + slow_rows(bench)


def of_product(bench, database, log):
    def named(what):
        return f"{database}, {what}" + (", info" if log == "info" else "")

    def server(*settings):
        return lambda: bench.server(database, log=log, settings=settings)

    beside = (named("System read"), named("update"))
    each_time = server(("identity.remembered_tokens", "0"))
    return [
        *(Row(named(f"{name} read"), again(bench, server(), requests)) for name, requests in READS.items()),
        Row(named("never-seen token"), again(bench, each_time, "system_reads"), is_quick=database == "SQLite"),
        Row(named("update"), again(bench, server(), "updates")),
        Row(named("encrypted update"), encrypted_update(bench, server())),
        Row(named("update of one account"), again(bench, server(), "updates_of_one"), is_quick=False),
        Row(named(BESIDE), read_beside_updates(bench, server(), named), needs=beside, warms_up=False),
    ]


def slow_rows(bench):
    def slowly(database, connections, *settings):
        return again(bench, lambda: bench.server(database, disk="slow", settings=settings), "updates", connections)

    most = max(SLOW_CONNECTIONS)
    rows = []
    for connections in SLOW_CONNECTIONS:
        place = f"slow disk, {connections} connections"
        one_by_one = slowly("SQLite", connections, ("database.group", "1"))
        rows += [
            Row(f"SQLite, update, {place}", slowly("SQLite", connections), is_quick=connections == most),
            Row(f"SQLite, update one by one, {place}", one_by_one, is_quick=connections == most),
        ]
    place = f"slow disk, {most} connections"
    return [
        *rows,
        Row(f"PostgreSQL, update, {place}", slowly("PostgreSQL", most)),
        Row(f"pgbench, update, {place}", pgbench(bench, "postgres_update", "slow", most)),
    ]


def axum(bench, path):
    def run(seconds):
        file = bench.requests(wire, "bearer_reads", path, tuple(bench.tokens))
        return bench.wrk.run(bench.floor_url, file, seconds, bench.connections)[1]

    return run


def rusqlite_update(bench, group):
    def run(seconds):
        return load.floor(bench.floor, "update", bench.floor_database, seconds, group, bench.history_payload_bytes)

    return run


def pgbench(bench, statement, disk, clients):
    return lambda seconds: bench.pgbench(disk).run(statement, seconds, clients)


def again(bench, of_server, requests, connections=None):
    """Sends the requests of that name in turn."""

    def run(seconds):
        server = of_server()
        file = bench.requests(server.contracts, requests)
        count = connections or bench.connections
        return with_processor_time(server, lambda: bench.wrk.run(server.url, file, seconds, count))

    return run


def encrypted_update(bench, of_server):
    def run(seconds):
        server, file = of_server(), bench.folder / "encrypted"
        load.encrypted(server, seconds * ENCRYPTED_A_SECOND, file)
        return with_processor_time(
            server, lambda: bench.wrk.run(server.url, file, seconds, bench.connections, once=True)
        )

    return run


def read_beside_updates(bench, of_server, named):
    """Reads while updates come at half the rate that this server reached last."""

    def run(seconds):
        server = of_server()
        reads, updates = (bench.requests(server.contracts, name) for name in ("system_reads", "updates"))
        rate = bench.latest[named("update")].per_second / 2
        beside = bench.wrk.start(server.url, updates, seconds + 2, bench.connections, rate=rate)
        time.sleep(1)
        try:
            _, result = bench.wrk.run(server.url, reads, seconds, bench.connections)
        finally:
            _, updated = bench.wrk.finish(beside)
        bench.beside[named(BESIDE)] = (updated.per_second, rate)
        return result

    return run


def with_processor_time(server, run):
    """Adds the processor time of server and database, in microseconds a request, to what a load measures."""
    before = server.cpu_seconds(), database_seconds(server)
    requests, result = run()
    result.server = (server.cpu_seconds() - before[0]) / requests * 1e6
    if server.cluster:
        result.database = (database_seconds(server) - before[1]) / requests * 1e6
    return result


def database_seconds(server):
    return machine.cpu_seconds(server.cluster.process_id) if server.cluster else 0
