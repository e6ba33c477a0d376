#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""What a tree's headers offer, found out by compiling a line of code each.

One run of the compiler for all rows of probes.txt: each is a function of its
own, its errors carry its name as the file's. Started by ninja, which knows the
headers that were read and so when to ask again:
probes.py ROWS OUT compiler arguments...
"""
import os
import re
import subprocess
import sys

import overlay


def rows(path):
    with open(path, encoding="ascii") as f:
        for number, line in enumerate(f, 1):
            line = line.strip()
            if not line or line.startswith("#"):
                continue
            parts = [part.strip() for part in line.split(":", 2)]
            if len(parts) != 3:
                sys.exit(f"{path}:{number}: expected NAME: header...: statement")
            yield parts


def source(probes):
    headers = sorted({name for _, names, _ in probes for name in names.split()})
    lines = [f"#include <{name}>" for name in headers]
    for name, _, statement in probes:
        lines += [f'#line 1 "probe-{name}"', f"void probe_{name}(void);",
                  f"void probe_{name}(void) {{ {statement} }}"]
    return "\n".join(lines) + "\n"


def main():
    table, out, *argv = sys.argv[1:]
    probes = list(rows(table))
    overlay.write_if_changed(out + ".c", source(probes))
    run = subprocess.run([*argv, "-fsyntax-only", "-ferror-limit=0", "-MD", "-MF", out + ".d",
                          "-MT", out, out + ".c"], capture_output=True, text=True, check=False)
    failed = set(re.findall(r"^probe-(\w+):\d+:\d+: error:", run.stderr, re.M))
    other = [line for line in run.stderr.splitlines()
             if " error: " in line and not line.startswith("probe-")]
    if other or (run.returncode and not failed):
        sys.exit(run.stderr)
    text = "".join(f"#define HOSTED_HAS_{name} {int(name not in failed)}\n"
                   for name, _, _ in probes)
    overlay.write_if_changed(out, "/* Made by probes.py. */\n" + text)
    if not os.path.exists(out + ".d"):
        sys.exit(f"{argv[0]} wrote no {out}.d")


if __name__ == "__main__":
    main()
