#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""Checks the include graph against tools/rooms.txt.

Every source of the rooms' trees belongs to a room; it includes only from its
own room, from rooms above it in the file, and from those only public headers
(a table room, such as sim/oracle/check, also sees its parent's private ones);
quoted includes are paths from the root. Tests may include anything.
"""

import os
import re

from check_lib import CODE, Complaints, main, read_rooms, read_text, tree_files

TREES = ("sim/", "hw/", "core/", "scenarios/", "fuzz/", "tools/")
INCLUDE = re.compile(r'^[ \t]*#[ \t]*include[ \t]*([<"])([^>"]+)[>"]', re.M)


def check_include(root, rooms, room, name, target):
    """What is wrong with room's file `name` including `target`, or None."""
    if not os.path.isfile(os.path.join(root, target)):
        return f'"{target}" is not a path from the root'
    other = rooms.get(os.path.dirname(target))
    if other is None:
        return f'"{target}" belongs to no room'
    if other is room:
        return None
    if other.rank > room.rank:
        return f'"{target}": {other.folder} is above {room.folder} in tools/rooms.txt'
    inside = room.folder.startswith(other.folder + "/")
    if not inside and not other.is_public(os.path.basename(target)):
        return f'"{target}" is not a public header of {other.folder}'
    return None


def check_file(root, rooms, name, complaints):
    room = rooms.get(os.path.dirname(name))
    if room is None:
        complaints.add(name, f"{os.path.dirname(name)} is no room: add its line to tools/rooms.txt")
        return
    text = read_text(root, name)
    if name.endswith(".h") and "#pragma once" not in text:
        complaints.add(name, "a header needs #pragma once")
    system_seen = False
    for match in INCLUDE.finditer(text):
        line = text.count("\n", 0, match.start()) + 1
        if match.group(1) == "<":
            system_seen = True
            continue
        if system_seen and match.group(2).endswith(".h"):
            complaints.add(f"{name}:{line}", "includes from the tree go before system headers")
        problem = check_include(root, rooms, room, name, match.group(2))
        if problem:
            complaints.add(f"{name}:{line}", problem)


def check(args):
    complaints = Complaints("rooms")
    rooms = read_rooms(args.root, complaints)
    lived_in = set()
    for name in tree_files(args.root):
        if name.endswith(CODE) and name.startswith(TREES):
            complaints.looked_at += 1
            lived_in.add(os.path.dirname(name))
            check_file(args.root, rooms, name, complaints)
    for folder in rooms:
        if folder not in lived_in:
            complaints.add("tools/rooms.txt", f"{folder} has no file: open a room with its first")
    return complaints.finish()


if __name__ == "__main__":
    main(check, __doc__)
