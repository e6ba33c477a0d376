#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""Checks the symbols of a build's objects.

Every global symbol begins with one of its room's prefixes (tools/rooms.txt);
objects of core/ have no mutable data, so that two worlds in one process
cannot meet.
"""

import os
import re
import subprocess

from check_lib import Complaints, main, read_rooms

# Of the compiler's instrumentation, not ours.
FOREIGN = re.compile(r"^(__asan_|__odr_asan|___asan|__sancov|__start_|__stop_|__prof|__llvm|"
                     r"__covrec|DW\.ref|asan\.|sancov\.|tsan\.)")
# A client of `exec` is a process outside of all worlds, and there is one.
OUTSIDE = ("core/hosted/client.c",)
MUTABLE = re.compile(r"^\.(data|bss|tdata|tbss)(\.|$)|^\*COM\*$")
CONSTANT = re.compile(r"^\.data\.rel\.ro(\.|$)")
SYMBOL = re.compile(r"^[0-9a-f]{16} (.{7}) (\S+)\s+[0-9a-f]{16}\s+(?:\.hidden )?(.+)$")


def objects(build, root):
    """(source relative to root, object) of each program part that still has a source."""
    for folder, _, names in os.walk(os.path.join(build, "CMakeFiles")):
        parts = os.path.relpath(folder, os.path.join(build, "CMakeFiles")).split(os.sep)
        if not parts[0].startswith(("iommulab", "fuzz_")):
            continue
        for name in names:
            source = "/".join(parts[1:] + [name[:-2]])
            if name.endswith(".c.o") and os.path.isfile(os.path.join(root, source)):
                yield source, os.path.join(folder, name)


def symbols(path):
    """(name, section, is global) of what the object defines."""
    out = subprocess.run(["objdump", "-t", path], capture_output=True, text=True, check=True).stdout
    for line in out.splitlines():
        match = SYMBOL.match(line)
        if not match:
            continue
        flags, section, name = match.groups()
        if section in ("*UND*", "*ABS*") or flags[5] == "d" or FOREIGN.match(name):
            continue
        yield name, section, flags[0] in "gu!" or flags[1] == "w"


def check(args):
    complaints = Complaints("symbols")
    rooms = read_rooms(args.root, complaints)
    for source, path in objects(args.build, args.root):
        room = rooms.get(os.path.dirname(source))
        if room is None:
            continue
        complaints.looked_at += 1
        for name, section, is_global in symbols(path):
            if is_global and not room.owns_symbol(name):
                complaints.add(source, f"{name} has none of the prefixes of {room.folder}: "
                                       f"{' '.join(room.prefixes)}")
            mutable = MUTABLE.match(section) and not CONSTANT.match(section)
            if source.startswith("core/") and source not in OUTSIDE and mutable:
                complaints.add(source, f"{name} is mutable file-level state: keep it in the world")
    return complaints.finish()


if __name__ == "__main__":
    main(check, __doc__, build=True)
