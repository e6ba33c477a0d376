#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""Shows for each row of a table of bugs that the hosted kernel finds it.

Per row the recipe of edits (tools/kernel_edit.py) becomes a patch, the patched
tree is built, the witness is explored. Wanted: a finding with the row's title
within its number of runs, shrunk to at most so many switches, replayed 100 of
100; and the same witness clean on the tree as it is.

A table has a row per bug, fields between bars; # begins a comment:

    id | witness | runs | switches | title (a regular expression)

The recipe is ID.edit beside the table; the witness is beside it, too, and may
be followed by options of `iommulab run`.
"""
import argparse
import json
import os
import re
import subprocess
import sys
import time

HERE = os.path.dirname(os.path.abspath(__file__))
REPLAYS = 100


class Failure(Exception):
    pass


def read_table(path):
    rows = []
    with open(path, encoding="utf-8") as f:
        for number, line in enumerate(f, 1):
            fields = [part.strip() for part in line.split("#")[0].split("|", 4)]
            if fields == [""]:
                continue
            if len(fields) != 5 or not fields[2].isdigit() or not fields[3].isdigit():
                raise Failure(f"{path}:{number}: expected id | witness | runs | switches | title")
            folder, words = os.path.dirname(path), fields[1].split()
            rows.append({"id": fields[0], "edit": os.path.join(folder, fields[0] + ".edit"),
                         "witness": [os.path.join(folder, words[0]), *words[1:]],
                         "runs": int(fields[2]), "switches": int(fields[3]), "title": fields[4]})
    return rows


def run(*argv):
    made = subprocess.run(argv, capture_output=True, text=True, errors="replace", check=False,
                          stdin=subprocess.DEVNULL)
    return made.returncode, made.stdout, made.stderr


class Hunt:
    def __init__(self, args):
        self.args = args
        os.makedirs(args.out, exist_ok=True)

    def build(self, row):
        """The object of the patched tree."""
        rc, diff, text = run(sys.executable, os.path.join(HERE, "kernel_edit.py"), "--tree",
                             self.args.tree, "--diff", row["edit"])
        if rc:
            raise Failure(text.strip())
        made = os.path.join(self.args.out, row["id"] + ".so")
        patch = made[:-len("so")] + "diff"
        with open(patch, "w", encoding="utf-8") as f:
            f.write(diff)
        rc, _, text = run(self.args.iommulab, "kernel", "build", "--tree", self.args.tree,
                          "--patch", patch, "--work", self.args.work, "--flavour",
                          self.args.flavour, "--out", made,
                          *(["--drivers"] if self.args.drivers else []))
        if rc:
            raise Failure(text.strip())
        return made

    def explore(self, row, kernel, runs):
        rc, text, errors = run(self.args.iommulab, "run", "--kernel", kernel, "--runs", str(runs),
                               "--json", "-", *row["witness"])
        if rc not in (0, 1):
            raise Failure(errors.strip())
        return json.loads(text)

    def found(self, row):
        kernel = self.build(row)
        doc = self.explore(row, kernel, row["runs"])
        if not doc["recipe"]:
            raise Failure(f"no finding in {doc['runs']} runs, expected {row['title']}")
        if not re.search(row["title"], doc["title"]):
            raise Failure(f"found '{doc['title']}', expected {row['title']}: {doc['recipe']}")
        if doc["switches"] > row["switches"]:
            raise Failure(f"{doc['switches']} switches, expected {row['switches']} at most: "
                          f"{doc['recipe']}")
        rc, text, errors = run(self.args.iommulab, "replay", "--times", str(REPLAYS), "--json", "-",
                               doc["recipe"])
        if rc not in (0, 1):
            raise Failure(errors.strip())
        played = json.loads(text)
        if played["same"] != REPLAYS or played["title"] != doc["title"]:
            raise Failure(f"{played['same']} of {REPLAYS} replays identical: {doc['recipe']}")
        if not self.args.keep:
            os.unlink(kernel)
        return doc

    def clean(self, row):
        doc = self.explore(row, self.args.kernel, self.args.clean_runs)
        if doc["recipe"]:
            raise Failure(f"the tree as it is: '{doc['title']}': {doc['recipe']}")

    def one(self, row):
        start = time.monotonic()
        try:
            self.clean(row)
            doc = self.found(row)
        except Failure as failure:
            print(f"FAIL {row['id']}: {failure}", flush=True)
            return False
        print(f"{row['id']}: {doc['title']}; {doc['runs']} runs, {doc['switches']} switches, "
              f"{REPLAYS} of {REPLAYS} replays; {time.monotonic() - start:.1f} s", flush=True)
        return True


def options():
    p = argparse.ArgumentParser(description="Are the bugs of a table found in a hosted kernel?")
    p.add_argument("--iommulab", required=True, help="the program")
    p.add_argument("--tree", required=True, help="the tree that the recipes are of")
    p.add_argument("--kernel", required=True, help="its object, unedited")
    p.add_argument("--work", required=True, help="the folder that its build was made in")
    p.add_argument("--out", required=True, help="a folder for the objects of edited trees")
    p.add_argument("--flavour", default="lab")
    p.add_argument("--clean-runs", type=int, default=2000)
    p.add_argument("--drivers", action="store_true", help="with the tree's own IOMMU drivers")
    p.add_argument("--keep", action="store_true", help="leaves the objects of edited trees")
    p.add_argument("table")
    p.add_argument("id", nargs="*", help="only these rows")
    return p.parse_args()


def main():
    args = options()
    rows = read_table(args.table)
    unknown = set(args.id) - {row["id"] for row in rows}
    if unknown:
        raise Failure(f"{args.table}: no row {', '.join(sorted(unknown))}")
    hunt = Hunt(args)
    wanted = [row for row in rows if not args.id or row["id"] in args.id]
    return 0 if all([hunt.one(row) for row in wanted]) else 1


if __name__ == "__main__":
    try:
        sys.exit(main())
    except (Failure, OSError) as error:
        print(f"kernel_hunt: {error}", file=sys.stderr)
        sys.exit(2)
