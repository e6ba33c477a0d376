# SPDX-License-Identifier: GPL-2.0-only
"""What the checks share: the tree, rooms.txt, and how a complaint is printed."""

import argparse
import os
import subprocess
import sys

CODE = (".c", ".h", ".def")


class Complaints:
    """Collects `place: what is wrong`; exit status 1 when there is any."""

    def __init__(self, name):
        self.name = name
        self.lines = []
        self.looked_at = 0

    def add(self, place, text):
        self.lines.append(f"{place}: {text}")

    def finish(self):
        for line in sorted(set(self.lines)):
            print(line)
        if self.lines:
            print(f"{self.name}: {len(set(self.lines))} complaints")
            return 1
        if not self.looked_at:
            print(f"{self.name}: found nothing to look at")
            return 1
        print(f"{self.name}: {self.looked_at} looked at, all well")
        return 0


class Room:
    def __init__(self, rank, folder, prefixes, headers):
        self.rank = rank
        self.folder = folder
        self.prefixes = prefixes
        self.headers = headers

    def owns_symbol(self, symbol):
        for prefix in self.prefixes:
            if prefix == "*" or symbol == prefix:
                return True
            if prefix.endswith("_") and symbol.startswith(prefix):
                return True
        return False

    def is_public(self, file_name):
        if "*" in self.headers:
            return not file_name.endswith("_priv.h")
        return file_name in self.headers or file_name.endswith("_regs.h")


def read_rooms(root, complaints):
    """{folder: Room}, in the file's order."""
    rooms = {}
    with open(os.path.join(root, "tools/rooms.txt"), encoding="utf-8") as file:
        for number, line in enumerate(file, 1):
            if line.startswith("#") or not line.strip():
                continue
            fields = [f.strip() for f in line.split("|")]
            place = f"tools/rooms.txt:{number}"
            if len(fields) != 4 or not all(fields):
                complaints.add(place, "expected `folder | prefixes | headers | what it is`")
            elif fields[0] in rooms:
                complaints.add(place, f"{fields[0]} is there twice")
            else:
                rooms[fields[0]] = Room(len(rooms), fields[0], fields[1].split(),
                                        fields[2].split())
    return rooms


def tree_files(root):
    """Paths of the project's files, relative to root: git's, or a walk outside git."""
    git = subprocess.run(["git", "-C", root, "ls-files", "-co", "--exclude-standard"],
                         capture_output=True, text=True, check=False)
    if git.returncode == 0:
        names = git.stdout.splitlines()
    else:
        names = [os.path.relpath(os.path.join(folder, name), root)
                 for folder, _, found in os.walk(root) for name in found]
    return sorted(n for n in set(names) if os.path.isfile(os.path.join(root, n)))


def read_text(root, name):
    with open(os.path.join(root, name), encoding="utf-8", errors="replace") as file:
        return file.read()


def arguments(about, build=False):
    parser = argparse.ArgumentParser(description=about)
    here = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
    parser.add_argument("--root", default=here, help="root of the tree")
    if build:
        parser.add_argument("--build", required=True, help="a build directory")
    return parser.parse_args()


def main(check, about, build=False):
    args = arguments(about, build)
    sys.exit(check(args))
