# SPDX-License-Identifier: GPL-2.0-only
"""`--patch`: the user's tree as it would be, without touching it.

`git apply` works on copies of the files that a patch names, in a folder of
ours. The compiler sees them in their places in the tree (a virtual file system
of clang's), headers too. Only where a patch touches what kbuild itself reads
(a Makefile, a Kconfig) kbuild gets a tree of links in which these are replaced.
"""
import json
import os
import re
import shlex
import shutil
import subprocess

from tree import Failure

KBUILD_FILE = re.compile(r"(^|/)(Makefile|Kbuild|Kconfig)[^/]*$|^scripts/")
FILE_LINE = re.compile(r"^(?:--- |\+\+\+ |rename (?:from|to) |copy (?:from|to) )(.*)$")
HUNK = re.compile(r"^@@ -(\d+)(?:,(\d+))? \+\d+(?:,(\d+))? @@")


def lines_of(patch):
    try:
        with open(patch, encoding="utf-8", errors="surrogateescape") as f:
            return f.read().split("\n")
    except OSError as e:
        raise Failure(f"--patch {patch}: {e.strerror}") from None


def name_in(line):
    """The path in a header line of a patch, without its first folder; None for no file."""
    kind, text = line.split(" ", 1)[0], FILE_LINE.match(line).group(1).split("\t")[0].rstrip()
    if text.startswith('"'):
        text = shlex.split(text)[0]
    if text == "/dev/null":
        return None
    return text.partition("/")[2] if kind in ("---", "+++") else text


def files_named(patch):
    """Every file that a patch reads or writes; [(file, line of @@, number)] of its hunks."""
    names, hunks, left, current, count = set(), [], [0, 0], None, 0
    for number, line in enumerate(lines_of(patch), 1):
        hunk = HUNK.match(line)
        if left[0] > 0 or left[1] > 0:
            left[0] -= not line.startswith("+") and not line.startswith("\\")
            left[1] -= not line.startswith("-") and not line.startswith("\\")
        elif hunk:
            left = [int(hunk.group(2) or 1), int(hunk.group(3) or 1)]
            count += 1
            hunks.append((current, int(hunk.group(1)), count))
        elif FILE_LINE.match(line):
            name = name_in(line)
            if name is None:
                continue
            if not name or name.startswith("/") or ".." in name.split("/"):
                raise Failure(f"--patch {patch}:{number}: '{name}' is no file of a tree, "
                              "expected paths as a/FILE and b/FILE")
            names.add(name)
            count = count if name == current else 0
            current = name
    if not names:
        raise Failure(f"--patch {patch}: no patch, expected what `git diff` or `diff -u` prints")
    return names, hunks


class Patched:
    """Copies of the files that patches touch, and who must read them instead."""

    def __init__(self, tree, patches, folder):
        self.tree, self.folder = tree, os.path.join(folder, "files")
        self.names = set()
        shutil.rmtree(folder, ignore_errors=True)
        os.makedirs(self.folder)
        for patch in patches:
            self._apply(os.path.abspath(patch), patch)
        self.changed = sorted(n for n in self.names if self._differs(n))
        self.overlay = os.path.join(folder, "overlay.json")
        self.touches_kbuild = any(KBUILD_FILE.search(n) for n in self.changed)

    def _differs(self, name):
        mine = os.path.join(self.folder, name)
        if not os.path.exists(mine):
            return False
        try:
            with open(mine, "rb") as a, open(os.path.join(self.tree, name), "rb") as b:
                return a.read() != b.read()
        except FileNotFoundError:
            return True

    def _copy(self, name):
        source, mine = os.path.join(self.tree, name), os.path.join(self.folder, name)
        if name in self.names or not os.path.isfile(source):
            return
        os.makedirs(os.path.dirname(mine), exist_ok=True)
        shutil.copyfile(source, mine)

    def _apply(self, path, patch):
        names, hunks = files_named(path)
        for name in sorted(names):
            self._copy(name)
        self.names |= names
        # No repository around our folder may take part.
        env = dict(os.environ, GIT_CEILING_DIRECTORIES=os.path.dirname(self.folder), LC_ALL="C",
                   GIT_CONFIG_GLOBAL=os.devnull, GIT_CONFIG_SYSTEM=os.devnull)
        env = {k: v for k, v in env.items() if k not in ("GIT_DIR", "GIT_WORK_TREE")}
        run = subprocess.run(["git", "apply", "--whitespace=nowarn", path], cwd=self.folder, env=env,
                             capture_output=True, text=True, errors="replace", check=False)
        if run.returncode:
            raise Failure(f"--patch {patch}: {self._why(run.stderr, hunks)}")

    @staticmethod
    def _why(text, hunks):
        place = re.search(r"patch failed: (.*):(\d+)$", text, re.M)
        if place:
            name, line = place.group(1), int(place.group(2))
            number = next((n for f, at, n in hunks if f == name and at == line), None)
            which = f"hunk {number} (line {line})" if number else f"its hunk at line {line}"
            return f"{name}: {which} does not apply to this tree"
        first = next((line for line in text.splitlines() if line.startswith(("error", "fatal"))),
                     text.strip() or "git apply failed")
        return first.partition(": ")[2] or first

    def instead(self, seen):
        """{path in the tree as compilers name it: our copy}."""
        return {os.path.join(seen, n): os.path.join(self.folder, n) for n in self.changed}

    def flags(self, seen):
        """Compiler flags that put the copies into their places."""
        roots = [{"type": "file", "name": place, "external-contents": mine}
                 for place, mine in self.instead(seen).items()]
        with open(self.overlay, "w", encoding="utf-8") as f:
            json.dump({"version": 0, "use-external-names": False, "roots": roots}, f)
        return ["-ivfsoverlay", self.overlay] if roots else []


def farm(tree, folder, replaced):
    """A tree of links to `tree`, real only where a file is replaced: {name: path}."""
    shutil.rmtree(folder, ignore_errors=True)
    real = {""}
    for name in replaced:
        while name:
            name = os.path.dirname(name)
            real.add(name)
    for name in sorted(real):
        here, there = os.path.join(folder, name), os.path.join(tree, name)
        os.makedirs(here, exist_ok=True)
        entries = os.listdir(there) if os.path.isdir(there) else []
        for entry in entries:
            path = os.path.join(name, entry) if name else entry
            if path not in real and path not in replaced:
                os.symlink(os.path.join(there, entry), os.path.join(here, entry))
    for name, path in replaced.items():
        os.symlink(path, os.path.join(folder, name))
    return folder
