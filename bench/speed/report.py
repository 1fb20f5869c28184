"""What a run prints."""

import datetime
import os

from . import machine, product
from .rows import BESIDE


def conditions(bench, arguments, count):
    machine_part = f"{datetime.date.today()}, {os.cpu_count()} cores shared by server, database and load"
    load_part = f"{arguments.connections} connections, {product.ACCOUNTS} accounts"
    print(f"{machine_part}, {load_part}, {count} rows, {arguments.rounds} rounds of {arguments.seconds} s")
    print(f"a synced write of 4 KiB takes {machine.sync_milliseconds(bench.folder):.2f} ms on this disk\n", flush=True)


def table(medians):
    width = max(map(len, medians))
    print(f"{'':<{width}} {'a second':>9} {'p50 ms':>8} {'p99 ms':>8} {'server µs':>10} {'database µs':>12}")
    for name, result in medians.items():
        times = f"{shown(result.p50, 2):>8} {shown(result.p99, 2):>8}"
        processor = f"{shown(result.server, 0):>10} {shown(result.database, 0):>12}"
        print(f"{name:<{width}} {result.per_second:>9.0f} {times} {processor}")
    print()


def shown(value, digits):
    return "-" if value is None else f"{value:.{digits}f}"


def disturbed(bench, count):
    if bench.disturbed:
        print(f"other programs were busy during {bench.disturbed} of {count} measurements: the ratios are not to be trusted\n")


def beside_updates(bench, medians):
    for name, (rate, wanted) in bench.beside.items():
        alone = medians.get(name.replace(BESIDE, "System read"))
        if alone:
            times = medians[name].p99 / alone.p99
            print(f"{name}: p99 {times:.1f} times that alone, beside {rate:.0f} updates a second of {wanted:.0f}")


def starts(measured):
    for database, milliseconds, mebibytes in measured:
        print(f"{database}, first answer after start without accounts: {milliseconds:.0f} ms, RssAnon {mebibytes:.0f} MiB")


def memory(bench):
    for (database, log, disk, settings), server in bench.servers.items():
        if disk == "fast" and not settings:
            now = machine.anonymous_mebibytes(server.process.pid)
            print(f"{database}, {log}: RssAnon {server.mebibytes_at_start:.0f} MiB after start, {now:.0f} MiB after the load")


def ratios(compared, medians):
    """Prints each ratio whose rows were measured, and returns 1 if one is below its line."""
    rates = {name: result.per_second for name, result in medians.items()}
    measured = [line for line in compared if all(row in rates for row in line.rows())]
    below = [line for line in measured if line.ratio(rates) < line.least]
    print(f"\n{'ratio':>7} {'line':>6}")
    for line in measured:
        print(f"{line.ratio(rates):>7.2f} {line.least:>6.2f}  {line}")
    print(f"\n{len(measured)} ratios, {len(below)} below their lines" + "".join(f"\nbelow its line: {line}" for line in below))
    return 1 if below else 0
