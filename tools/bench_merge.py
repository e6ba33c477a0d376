#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""Prints benchmark rows of several builds as one table.

Arguments are LABEL=FILE, FILE being the output of `iommulab bench --json -`.
A row that both builds have is printed for each. --check FILE: only sees that
the document has rows, all of them complete. Exit status 1: a row that gates
missed what it must reach.
"""

import json
import sys

FIELDS = ("name", "value", "unit", "baseline", "ratio", "spread", "must", "met")


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
    lines = [("row", "build", "value", "unit", "baseline", "ratio", "spread", "must", "met")]
    missed = 0
    for argument in arguments:
        label, _, path = argument.partition("=")
        for row in rows_of(path):
            cells = [text(row[f]) for f in FIELDS[1:-1]]
            met = {True: "yes", False: "NO", None: "-"}[row["met"]]
            missed += row["met"] is False
            lines.append((row["name"], label, *cells, met))
    print_table([lines[0]] + sorted(lines[1:]))
    return 1 if missed else 0


if __name__ == "__main__":
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    sys.exit(main(sys.argv[1:]))
