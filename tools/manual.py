#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""Makes docs/man/iommulab-calls.7 of the tables of calls and operations.

    tools/manual.py build/lab/iommulab >docs/man/iommulab-calls.7

A test compares the page with what the program says.
"""
import json
import subprocess
import sys

HEAD = r""".\" SPDX-License-Identifier: GPL-2.0-only
.\" Made by tools/manual.py of core/uapi's tables: edit those.
.TH IOMMULAB-CALLS 7 "" "iommulab 0.1.0" "Miscellaneous"
.SH NAME
iommulab-calls \- system calls and operations that programs for iommulab are made of
.SH DESCRIPTION
A scenario in YAML is made of both, a syzkaller program of system calls.
What
.BR iommulab (1)
knows of a call says, in this order: its number (that of the ioctl, or of the system call), how
short its struct may be, the kinds of files and ids that it takes and, behind an arrow, gives, and
what it does. In YAML a call is an operation as others, named as in the second list, with its
arguments; those in brackets may be left out.
"""
TAIL = """.SH SEE ALSO
.BR iommulab (1),
docs/scenarios.md
"""


def rows(program, what):
    said = subprocess.run([program, "list", what, "--json", "-"], capture_output=True, text=True,
                          check=True).stdout
    return json.loads(said)["rows"]


def quoted(text):
    text = text.replace("\\", r"\e").replace("-", r"\-")
    return r"\&" + text if text[:1] in (".", "'") else text


def section(title, entries):
    lines = [f".SH {title}"]
    for row in entries:
        lines += [".TP", f".B {quoted(row['name'])}", quoted(row["about"])]
    return "\n".join(lines) + "\n"


def main(program):
    sys.stdout.write(HEAD + section("SYSTEM CALLS", rows(program, "calls")) +
                     section("OPERATIONS", rows(program, "operations")) + TAIL)


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit("usage: tools/manual.py build/lab/iommulab >docs/man/iommulab-calls.7")
    main(sys.argv[1])
