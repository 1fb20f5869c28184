"""Ratios of rows, and the least that each may be: the table bench/lines."""

import sys
from dataclasses import dataclass

from .postgres import PROJECT

FILE = PROJECT / "bench/lines"


@dataclass
class Line:
    """A row, the rows that it is compared with, done one after the other, and the least ratio."""

    least: float
    row: str
    floors: list[str]

    def __str__(self):
        return f"{self.row} / {' + '.join(self.floors)}"

    def rows(self):
        return [self.row, *self.floors]

    def ratio(self, rates):
        return rates[self.row] * sum(1 / rates[floor] for floor in self.floors)


def read(known):
    """Reads the table; `known` are the names of all rows, with which a misspelt line is found."""
    texts = (text.strip() for text in FILE.read_text().splitlines())
    lines = [parse(text) for text in texts if text and not text.startswith("#")]
    for line in lines:
        for row in line.rows():
            if row not in known:
                sys.exit(f"{FILE}: there is no row {row!r}")
    return lines


def parse(text):
    least, names = text.split(maxsplit=1)
    row, floors = names.split(" / ")
    return Line(float(least), row, [floor.strip() for floor in floors.split(" + ")])
