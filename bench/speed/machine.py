"""This machine: processes that end with the run, what they use, and how fast the disk syncs. Requires Linux."""

import os
import signal
import socket
import subprocess
import time

TICKS = os.sysconf("SC_CLK_TCK")
SYNCED_BLOCKS = 200


def start(command, **options):
    """Starts a program that ends when this process does, even if that is killed."""
    return subprocess.Popen(["setpriv", "--pdeathsig", "TERM", "--", *map(str, command)], **options)


def stop(process):
    process.send_signal(signal.SIGTERM)
    try:
        process.wait(40)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def cpu_seconds(process_id):
    """Returns the processor time of a process and its present children."""
    return sum(ticks(child) for child in [process_id, *children(process_id)]) / TICKS


def ticks(process_id):
    try:
        with open(f"/proc/{process_id}/stat") as file:
            return sum(map(int, file.read().rpartition(")")[2].split()[11:13]))
    except OSError:  # it has ended
        return 0


def children(process_id):
    with open(f"/proc/{process_id}/task/{process_id}/children") as file:
        return [int(child) for child in file.read().split()]


def anonymous_mebibytes(process_id):
    """Returns the memory of a process that no file backs (RssAnon)."""
    with open(f"/proc/{process_id}/status") as file:
        line = next(line for line in file if line.startswith("RssAnon:"))
    return int(line.split()[1]) / 1024


def has_loaded(process_id, library):
    with open(f"/proc/{process_id}/maps") as file:
        return any(line.rstrip().endswith(str(library)) for line in file)


def free_port():
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return listener.getsockname()[1]


def sync_milliseconds(folder):
    """Returns how long a synced write of 4 KiB takes: the lower bound for the cost of a durable commit."""
    file = os.open(folder / "synced", os.O_CREAT | os.O_WRONLY | os.O_DSYNC)
    began = time.monotonic()
    for _ in range(SYNCED_BLOCKS):
        os.write(file, bytes(4096))
    os.close(file)
    return (time.monotonic() - began) / SYNCED_BLOCKS * 1000
