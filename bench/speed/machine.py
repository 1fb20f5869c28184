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
    """Returns the processor time of a process, of its children, and of theirs; also of those that have ended."""
    seconds, next_ones = 0, [process_id]
    while next_ones:
        process_id = next_ones.pop()
        try:
            with open(f"/proc/{process_id}/stat") as file:
                seconds += sum(map(int, file.read().rpartition(")")[2].split()[11:15])) / TICKS
            next_ones += children(process_id)
        except OSError:  # it has just ended
            pass
    return seconds


def children(process_id):
    found = []
    for thread in os.listdir(f"/proc/{process_id}/task"):
        with open(f"/proc/{process_id}/task/{thread}/children") as file:
            found += map(int, file.read().split())
    return found


def busy_seconds():
    """Returns the processor time of everything on this machine."""
    with open("/proc/stat") as file:
        user, nice, system, _, _, interrupts, soft_interrupts, stolen = map(int, file.readline().split()[1:9])
    return (user + nice + system + interrupts + soft_interrupts + stolen) / TICKS


class Others:
    """How many cores programs that are not part of this run use, from now on."""

    def __init__(self):
        self.began, self.before = time.monotonic(), self.used()

    def used(self):
        return busy_seconds() - cpu_seconds(os.getpid())

    def cores(self):
        return max(0, self.used() - self.before) / (time.monotonic() - self.began)


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
