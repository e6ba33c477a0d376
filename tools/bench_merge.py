#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""Prints benchmark rows of several builds as one table.

Arguments are LABEL=FILE, FILE being the output of `iommulab bench --json -`.
A row that both builds have is printed for each. A LABEL that is given several
times has as many passes: its rows show their medians, the best value (the
highest rate, the shortest time), and in how many passes each met its must. The
last column is what a rate or a time would be at the clock of the machine that
its must is for, if it followed the clock.
--check FILE: only sees that the document has rows, all of them complete.
Exit status 1: a row that gates missed what it must reach in each pass.
"""

import json
import statistics
import sys

FIELDS = ("name", "value", "unit", "baseline", "ratio", "spread", "must", "met")
HEAD = ("row", "build", "value", "best", "unit", "baseline", "ratio", "spread", "must", "met",
        "4.2 GHz")


def rows_of(path):
    with open(path, encoding="utf-8") as file:
        document = json.load(file)
    if document.get("schema") != 1 or not document.get("rows"):
        sys.exit(f"{path}: no rows of schema 1")
    for row in document["rows"]:
        missing = [f for f in FIELDS if f not in row]
        if missing:
            sys.exit(f"{path}: row {row.get('name')} lacks {', '.join(missing)}")
    return document["rows"]


def text(value):
    if value is None:
        return "-"
    if isinstance(value, float):
        return f"{value:,.3g}" if abs(value) < 100 else f"{value:,.0f}"
    return f"{value:,}" if isinstance(value, int) and not isinstance(value, bool) else str(value)


def median(passes, field):
    values = [row[field] for row in passes if row[field] is not None]
    if not values or isinstance(values[0], str):
        return values[0] if values else None
    return statistics.median(values)


def met(passes):
    """"yes" or "NO" of one pass, "met/all" of several, "-" where nothing is wanted."""
    judged = [row["met"] for row in passes if row["met"] is not None]
    if not judged:
        return "-"
    if len(judged) > 1:
        return f"{sum(judged)}/{len(judged)}"
    return "yes" if judged[0] else "NO"


def line(name, label, passes):
    best = max if passes[0]["unit"].endswith("/s") else min
    cells = [text(median(passes, field)) for field in FIELDS[1:-1]]
    cells.insert(1, text(best(row["value"] for row in passes)))
    scaled = [row["at_reference_clock"] for row in passes if row.get("at_reference_clock")]
    return (name, label, *cells, met(passes), text(statistics.median(scaled)) if scaled else "-")


def print_table(lines):
    widths = [max(len(line[i]) for line in lines) for i in range(len(lines[0]))]
    for line in lines:
        left = f"{line[0]:<{widths[0]}}  {line[1]:<{widths[1]}}"
        print((left + "".join(f"  {c:>{w}}" for c, w in zip(line[2:], widths[2:]))).rstrip())


def main(arguments):
    if arguments[:1] == ["--check"]:
        for path in arguments[1:]:
            print(f"{path}: {len(rows_of(path))} rows")
        return 0
    rows = {}
    for argument in arguments:
        label, _, path = argument.partition("=")
        for row in rows_of(path):
            rows.setdefault((row["name"], label), []).append(row)
    print_table([HEAD] + sorted(line(*key, passes) for key, passes in rows.items()))
    missed = [p for p in rows.values() if all(row["met"] is False for row in p)]
    return 1 if missed else 0


if __name__ == "__main__":
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    sys.exit(main(sys.argv[1:]))
