# SPDX-License-Identifier: GPL-2.0-only
"""A kernel tree, asked through its own kbuild.

Nothing is written into the tree: `make O=` prepares headers in a directory of
ours, and `make -n` prints the command of every object that is wanted. File
lists and flags are therefore the tree's own, whatever its version.
"""
import json
import os
import re
import shlex
import shutil
import subprocess

NEEDED = {"make": "make", "flex": "flex", "bison": "bison", "bc": "bc",
          "clang-19": "clang-19", "ld.lld-19": "lld-19", "llvm-nm-19": "llvm-19",
          "ninja": "ninja-build"}
OLDEST = (6, 6)


class Failure(Exception):
    """What the user sees: one line, or a tool's own text before it."""

    def __init__(self, line, text=""):
        super().__init__(line)
        self.text = text


def symbols(path):
    """CONFIG_X=v lines of a file, in order."""
    with open(path, encoding="ascii") as f:
        rows = (line.strip() for line in f)
        return [tuple(row.split("=", 1)) for row in rows if row.startswith("CONFIG_")]


class Tree:
    def __init__(self, path, work, force):
        self.path = os.path.realpath(path)
        self.work = os.path.join(work, "kbuild")
        self.forced = symbols(force)
        self.version = self._version()

    def _version(self):
        makefile = os.path.join(self.path, "Makefile")
        for part in ("Makefile", "Kconfig", "include/linux", "drivers/iommu", "arch/um"):
            if not os.path.exists(os.path.join(self.path, part)):
                raise Failure(f"{self.path}: not a kernel tree ({part} is missing)")
        with open(makefile, encoding="utf-8", errors="replace") as f:
            found = dict(re.findall(r"^(VERSION|PATCHLEVEL|SUBLEVEL|EXTRAVERSION) *= *(.*)$",
                                    f.read(4096), re.M))
        try:
            number = (int(found["VERSION"]), int(found["PATCHLEVEL"]))
        except (KeyError, ValueError):
            raise Failure(f"{self.path}: not a kernel tree (Makefile names no version)") from None
        if number < OLDEST:
            raise Failure(f"{self.path}: Linux {number[0]}.{number[1]} is too old, expected "
                          f"{OLDEST[0]}.{OLDEST[1]} or newer")
        if not os.path.isdir(os.path.join(self.path, "drivers/iommu/iommufd")):
            raise Failure(f"{self.path}: not a complete kernel tree "
                          "(drivers/iommu/iommufd is missing)")
        if os.path.exists(os.path.join(self.path, ".config")):
            raise Failure(f"{self.path}: is configured in place; kbuild refuses a second build "
                          "directory until `make mrproper` has run there")
        return "%d.%d.%s%s" % (*number, found.get("SUBLEVEL", "0"), found.get("EXTRAVERSION", ""))

    def make(self, *args):
        argv = ["make", "-C", self.path, "ARCH=um", f"O={self.work}", "LLVM=-19", *args]
        env = {k: v for k, v in os.environ.items()
               if not k.startswith(("MAKE", "KBUILD", "KCONFIG", "CONFIG_")) and k != "ARCH"}
        run = subprocess.run(argv, capture_output=True, text=True, errors="replace", env=env,
                             stdin=subprocess.DEVNULL, check=False)
        if run.returncode:
            raise Failure(f"{self.path}: kbuild failed (its text is above)", run.stdout + run.stderr)
        return run.stdout

    def prepare(self, config):
        """Headers for the configuration; does nothing when they are there."""
        with open(config, encoding="ascii") as f:
            key = f"{self.version}\n{f.read()}"
        stamp = os.path.join(self.work, "iommulab.prepared")
        if os.path.exists(stamp):
            with open(stamp, encoding="utf-8") as f:
                if f.read() == key:
                    return
        shutil.rmtree(self.work, ignore_errors=True)
        os.makedirs(self.work)
        self.make("-s", f"KCONFIG_ALLCONFIG={os.path.abspath(config)}", "allnoconfig")
        self.make("-s", "-j2", "prepare")
        with open(stamp, "w", encoding="utf-8") as f:
            f.write(key)

    def makefiles(self, targets):
        """What decides the commands: [path, time, size] of kbuild's files; folders by time."""
        folders = {os.path.dirname(t) for t in targets} | {""}
        paths = [os.path.join(f, n) for f in folders for n in ("", "Makefile", "Kbuild")]
        paths += ["scripts/" + n for n in sorted(os.listdir(os.path.join(self.path, "scripts")))
                  if n.startswith(("Makefile", "Kbuild"))]
        rows = []
        for path in sorted(paths):
            try:
                st = os.stat(os.path.join(self.path, path))
            except OSError:
                continue
            # An editor's swap file in a folder must not cost a run of kbuild.
            listed = path.endswith("/") and path[:-1] + "/" in targets
            if listed or not os.path.isdir(os.path.join(self.path, path)):
                rows.append([path, st.st_mtime_ns, st.st_size])
        return rows

    def commands(self, targets, cache):
        """{source relative to the tree: compiler's arguments} of what make would compile."""
        key = [self.path, self.version, self.forced, sorted(targets), self.makefiles(targets)]
        key = json.loads(json.dumps(key))
        try:
            with open(cache, encoding="utf-8") as f:
                kept = json.load(f)
            if kept["key"] == key:
                return kept["commands"]
        except (OSError, ValueError, KeyError):
            pass
        overrides = [f"{k}={'' if v == 'n' else v}" for k, v in self.forced]
        text = self.make("-n", "V=1", *overrides, *targets)
        found = {}
        for argv in re.findall(r"(?:^|; )(clang-19 [^;]*? -c -o \S+\.o \S+\.c)\s*;", text, re.M):
            words = shlex.split(argv)
            source = os.path.normpath(os.path.join(self.work, words[-1]))
            found[os.path.relpath(source, self.path)] = words
        with open(cache, "w", encoding="utf-8") as f:
            json.dump({"key": key, "commands": found}, f)
        return found


def missing_tools():
    """A line that names what is missing and the command that installs it, or None."""
    missing = [tool for tool in NEEDED if not shutil.which(tool)]
    if not missing:
        return None
    packages = " ".join(sorted({NEEDED[tool] for tool in missing}))
    return f"{', '.join(missing)} missing: sudo apt-get install {packages}"
