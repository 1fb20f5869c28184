"""A throw-away PostgreSQL with its own durable settings, reached by a socket file."""

import os
import pathlib
import pwd
import shutil
import subprocess
import sys
import tempfile

PROJECT = pathlib.Path(__file__).resolve().parents[2]
# The supervisor of the tests: it stops the cluster and removes its folder when its standard input ends.
SUPERVISOR = PROJECT / "tests/it/support/postgres_supervisor.sh"


class Cluster:
    """A running cluster; `close` ends it."""

    def __init__(self, environment):
        self.binaries = binaries()
        # In /tmp, because a socket's path may have about 100 bytes.
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="selfsame-bench-", dir="/tmp"))
        user = {}
        if os.getuid() == 0:  # PostgreSQL refuses to run as root
            nobody = pwd.getpwnam("nobody")
            os.chown(self.folder, nobody.pw_uid, nobody.pw_gid)
            user = {"user": nobody.pw_uid, "group": nobody.pw_gid, "extra_groups": []}
        command = ["sh", "-c", SUPERVISOR.read_text(), "supervisor", self.folder, self.binaries, "max_connections=300"]
        self.supervisor = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd="/", env=environment, **user
        )
        self.expect_ok("initdb")
        self.supervisor.stdin.write("start\n")
        self.supervisor.stdin.flush()
        self.expect_ok("postgres")
        self.process_id = int((self.folder / "pid").read_text())

    def expect_ok(self, what):
        if self.supervisor.stdout.readline() != "ok\n":
            sys.stderr.write((self.folder / "log").read_text())
            self.close()
            sys.exit(f"{what} failed")

    def url(self, database):
        return f"postgres://postgres@{str(self.folder).replace('/', '%2F')}/{database}"

    def create(self, database, template="template1"):
        """Creates a database as a copy of another one, which must have no connection meanwhile."""
        self.execute(f"CREATE DATABASE {database} TEMPLATE {template}")

    def execute(self, statement):
        command = [self.binaries / "psql", "-q", "-h", self.folder, "-U", "postgres", "-c", statement, "postgres"]
        subprocess.run(command, check=True)

    def close(self):
        self.supervisor.stdin.close()
        self.supervisor.wait()


def binaries():
    """Debian does not put the server's programs on PATH."""
    packaged = pathlib.Path("/usr/lib/postgresql").glob("*/bin/postgres")
    found = max(packaged, key=lambda path: float(path.parents[1].name), default=shutil.which("postgres"))
    if found is None:
        sys.exit("PostgreSQL is missing: apt-get install postgresql (Debian, Ubuntu)")
    return pathlib.Path(found).parent
