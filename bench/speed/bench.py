"""What rows run on: installations, servers and floors, each started when a row first needs it."""

import functools
import os
import sqlite3
import subprocess
import sys

from . import load, machine, product, wire
from .postgres import PROJECT, Cluster

SLOW_SYNC_MICROSECONDS = 1000


class Bench:
    """Everything of a run; `stack` closes what is started."""

    def __init__(self, program, floor, folder, connections, stack):
        self.program, self.floor, self.folder, self.connections, self.stack = program, floor, folder, connections, stack
        self.wrk = load.Wrk()
        self.servers = {}
        self.latest = {}  # row: its newest result
        self.disturbed = 0  # how many results were measured while other programs were busy
        self.beside = {}  # row: the rate of updates beside it, and what that was to be

    @functools.cached_property
    def trusted(self):
        """The folder with the keys and tokens of the trusted issuer."""
        folder = self.folder / "issuer"
        folder.mkdir()
        subprocess.run([self.floor, "sign", folder, str(product.ACCOUNTS)], check=True)
        return folder

    @functools.cached_property
    def tokens(self):
        return (self.trusted / "tokens").read_text().split()

    @functools.cache
    def installation(self, database, disk):
        """Returns an installation with accounts. Servers on SQLite get copies of it."""
        url = None if database == "SQLite" else self.cluster(disk).url("accounts")
        if url:
            self.cluster(disk).create("accounts")
        folder = self.folder / f"{database}-{disk}"
        installation = product.Installation(self.program, folder, url, self.trusted / "jwks.json")
        api_key = installation.add_accounts()
        installation.contracts = wire.Contracts(
            [product.account_id(number) for number in range(1, product.ACCOUNTS + 1)], self.tokens, product.TENANT, api_key
        )
        if url:
            self.cluster(disk).create("floor", "accounts")
        return installation

    @functools.cache
    def cluster(self, disk):
        cluster = Cluster(os.environ | self.environment(disk))
        self.stack.callback(cluster.close)
        self.check_disk(disk, cluster.process_id)
        return cluster

    def server(self, database, log="warn", disk="fast", settings=()):
        """Returns the server with these settings."""
        key = (database, log, disk, settings)
        if key not in self.servers:
            # On SQLite one disk is as good as another until a server writes on it.
            installation = self.installation(database, "fast" if database == "SQLite" else disk)
            data = installation.copy(self.folder / f"server-{len(self.servers)}")
            server = installation.serve(data, {"log.level": log, **dict(settings)}, self.environment(disk))
            self.stack.callback(server.close)
            self.check_disk(disk, server.process.pid)
            server.contracts = installation.contracts
            server.cluster = self.cluster(disk) if database == "PostgreSQL" else None
            self.servers[key] = server
        return self.servers[key]

    def environment(self, disk):
        """Returns the variables that make a program's disk slow."""
        if disk == "fast":
            return {}
        return {"LD_PRELOAD": str(self.slow_sync), "SLOW_SYNC_MICROSECONDS": str(SLOW_SYNC_MICROSECONDS)}

    def check_disk(self, disk, process_id):
        """Fails if a program does not run on the disk that it is to: a library that cannot be preloaded is only a warning."""
        if disk == "slow" and not machine.has_loaded(process_id, self.slow_sync):
            sys.exit(f"{self.slow_sync} was not preloaded")

    @functools.cached_property
    def slow_sync(self):
        library = self.folder / "slow_sync.so"
        source = PROJECT / "bench/slow_sync.c"
        subprocess.run(["cc", "-shared", "-fPIC", "-O2", "-o", library, source, "-ldl"], check=True)
        return library

    # --- The floors ---

    @functools.cached_property
    def floor_url(self):
        """The floors' server, which answers with a body of the size of a profile."""
        server = self.server("SQLite")
        status, body = server.ask(server.contracts.system_reads()[0])
        assert status == 200, f"a read is answered with {status}"
        (self.trusted / "body").write_bytes(bytes(len(body)))
        process = machine.start(
            [self.floor, "serve", self.trusted], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        self.stack.callback(machine.stop, process)
        return process.stdout.readline().strip()

    @functools.cached_property
    def floor_database(self):
        """A copy of the accounts on SQLite, for the floors alone."""
        return self.installation("SQLite", "fast").copy(self.folder / "floor") / product.DATABASE_FILE

    @functools.cached_property
    def history_payload_bytes(self):
        """The size of what the product writes into the history for a change of one name."""
        server = self.server("SQLite")
        update = server.contracts.updates()[-1].replace(wire.SLOT.encode(), b"0" * len(wire.SLOT))
        status, _ = server.ask(update)
        assert status == 200, f"a change is answered with {status}"
        newest = "SELECT length(payload) FROM history ORDER BY at DESC, sequence DESC LIMIT 1"
        with sqlite3.connect(server.data / product.DATABASE_FILE) as database:
            return database.execute(newest).fetchone()[0]

    @functools.cache
    def pgbench(self, disk):
        self.installation("PostgreSQL", disk)
        return load.Pgbench(self.cluster(disk), "floor", self.folder, product.ACCOUNTS, self.history_payload_bytes)

    # --- Requests ---

    @functools.cache
    def requests(self, source, name, *arguments):
        """Writes the requests that a method of `source` returns into a file, once."""
        file = self.folder / f"requests-{self.requests.cache_info().misses}"
        wire.write(file, getattr(source, name)(*arguments))
        return file

    # --- Around the load ---

    def starts(self, rounds):
        """Returns database, milliseconds to the first answer and MiB at that time, on installations without accounts."""
        measured = []
        for database in ("SQLite", "PostgreSQL"):
            url = None
            if database == "PostgreSQL":
                self.cluster("fast").create("empty")
                url = self.cluster("fast").url("empty")
            folder = self.folder / f"{database}-empty"
            installation = product.Installation(self.program, folder, url, self.trusted / "jwks.json")
            measured.append((database, *product.start_again_and_again(installation, folder, rounds)))
        return measured
