# SPDX-License-Identifier: GPL-2.0-only
"""A kernel tree, asked through its own kbuild.

Nothing is written into the tree: `make O=` prepares headers in a folder of
ours, and `make -n` prints the command of every object that is wanted. File
lists and flags are therefore the tree's own, whatever its version. What was
prepared serves every tree whose makefiles, Kconfig files and few headers that
kbuild derives others from have the same content.
"""
import hashlib
import json
import os
import re
import shlex
import shutil
import signal
import subprocess

from store import digest

NEEDED = {"make": "make", "flex": "flex", "bison": "bison", "bc": "bc",
          "clang-19": "clang-19", "ld.lld-19": "lld-19", "llvm-nm-19": "llvm-19",
          "git": "git"}
OLDEST = (6, 6)
KBUILD_MAX = 8
NEW = ("new", "new.list")   # folders that are being made


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
    """The user's tree at `path`; compilers and kbuild name it `seen`."""

    def __init__(self, path, arch, force_files):
        self.path = os.path.realpath(path)
        self.arch = arch
        self.seen = self.path
        self.instead = {}   # {path as seen: the file to read instead}
        rows = [row for force in force_files for row in symbols(force)]
        # The last word on a symbol counts.
        forced = {name: value.partition("?")[0].strip() for name, value in rows
                  if os.path.exists(os.path.join(self.path, value.partition("?")[2].strip()))}
        self.forced = list(forced.items())
        self.version = self._version()
        self.drivers = []   # (symbol, "y"): forced for drivers alone
        self.kbuild = self.commands = None

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
        for part in ("drivers/iommu/iommufd/main.c", "kernel/sched", "scripts/Makefile.build",
                     "arch/x86/um", "include/uapi/linux/iommufd.h"):
            if not os.path.exists(os.path.join(self.path, part)):
                raise Failure(f"{self.path}: not a complete kernel tree ({part} is missing)")
        if os.path.exists(os.path.join(self.path, ".config")):
            raise Failure(f"{self.path}: is configured in place, where kbuild refuses a second "
                          "build folder: give a clean one (`git worktree add`, `make mrproper`)")
        return "%d.%d.%s%s" % (*number, found.get("SUBLEVEL", "0"), found.get("EXTRAVERSION", ""))

    def has(self, name):
        return os.path.exists(os.path.join(self.path, name)) or \
            os.path.join(self.seen, name) in self.instead

    def text(self, name):
        """A file of the tree, as patched."""
        path = os.path.join(self.seen, name)
        with open(self.instead.get(path, path), encoding="utf-8", errors="surrogateescape") as f:
            return f.read()

    def start_make(self, folder, *args):
        argv = ["make", "-C", self.seen, f"ARCH={self.arch}", f"O={folder}", "LLVM=-19",
                # Its own tools run for less time than it takes to compile them well.
                "HOSTCFLAGS=-O0", *args]
        env = {k: v for k, v in os.environ.items()
               if not k.startswith(("MAKE", "KBUILD", "KCONFIG", "CONFIG_")) and k != "ARCH"}
        return subprocess.Popen(argv, env=env, text=True, errors="replace", process_group=0,
                                stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                stderr=subprocess.PIPE)

    def finish(self, *makes):
        """What each printed, when all have ended."""
        try:
            # The last prints much, the others next to nothing unless they fail.
            said = [make.communicate() for make in reversed(makes)][::-1]
        except BaseException:
            # What they started writes into our folder: all of it ends with us.
            for make in makes:
                try:
                    os.killpg(make.pid, signal.SIGKILL)
                except ProcessLookupError:
                    pass    # ended already, and was waited for
                make.wait()
            raise
        for make, (out, err) in zip(makes, said):
            if make.returncode:
                raise Failure(f"{self.path}: kbuild failed (its text is above)", out + err)
        return [out for out, _ in said]

    def header_names(self):
        """The names of all headers: a new one may hide another. A hash."""
        names = []
        for top in ("include", "arch/um/include", "arch/x86/include", "arch/x86/um"):
            for folder, folders, files in os.walk(os.path.join(self.path, top)):
                folders.sort()
                names += [os.path.relpath(folder, self.path), *sorted(files)]
        names += sorted(p[len(self.seen):] for p in self.instead
                        if not os.path.exists(self.path + p[len(self.seen):]))
        return hashlib.sha1("\n".join(names).encode("utf-8", "surrogateescape")).hexdigest()

    def prepare(self, store, config, targets, progress, jobs):
        """kbuild's headers and commands for the targets, kept while nothing that decides changes."""
        with open(config, encoding="ascii") as f:
            key = digest(self.version, self.arch, self.forced + self.drivers, f.read(),
                         sorted(targets))
        made = store.find(key, "kbuild")
        if not made:
            progress(f"preparing the headers of Linux {self.version}", True)
            made = self._make_headers(store, config, targets, key, f"-j{jobs}")
        self.kbuild = store.path("kbuild", made)
        with open(os.path.join(self.kbuild, "iommulab.json"), encoding="utf-8") as f:
            rows = json.load(f)
        self.commands = {source: [w.replace("@TREE@", self.seen) for w in words]
                         for source, words in rows.items()}

    def drop_unless_configured(self, needs):
        """Forgets the files whose symbol neither we force nor Kconfig granted."""
        on = dict(symbols(os.path.join(self.kbuild, ".config")) + self.forced)
        for source, symbol in needs.items():
            if on.get(symbol) != "y":
                self.commands.pop(source, None)

    def _make_headers(self, store, config, targets, key, jobs):
        forget_oldest(store.path("kbuild", ""))
        self.kbuild, listed = (store.path("kbuild", name) for name in NEW)
        os.makedirs(self.kbuild)
        self.finish(self.start_make(self.kbuild, "-s", jobs, "allnoconfig",
                                    f"KCONFIG_ALLCONFIG={os.path.abspath(config)}"))
        # Two thirds of either are questions to the compiler, one after the other: in a folder of
        # its own the list is made meanwhile.
        shutil.copytree(self.kbuild, listed, symlinks=True)
        # The last step of "prepare" for x86 makes tools that no header needs.
        wanted = "prepare" if self.arch == "um" else "prepare0"
        _, text = self.finish(self.start_make(self.kbuild, "-s", jobs, wanted),
                              self.start_make(listed, "-n", "V=1", *self._overrides(), *targets))
        rows = self._commands(text, listed)
        shutil.rmtree(listed, ignore_errors=True)
        with open(os.path.join(self.kbuild, "iommulab.json"), "w", encoding="utf-8") as f:
            json.dump({source: [w.replace(self.seen, "@TREE@") for w in words]
                       for source, words in rows.items()}, f)
        made = store.add(key, [f"@TREE@/{name}" for name in self._inputs(targets)])
        shutil.rmtree(store.path("kbuild", made), ignore_errors=True)
        os.rename(self.kbuild, store.path("kbuild", made))
        return made

    def _inputs(self, targets):
        """What kbuild read of the tree: makefiles, Kconfig files, what generated headers are of."""
        names = {"include/uapi/asm-generic/Kbuild", "include/asm-generic/Kbuild", "kernel/bounds.c"}
        folders = {"", "scripts", "arch/um", "arch/um/kernel", "arch/um/include/asm", "arch/x86",
                   "arch/x86/um", "arch/x86/include/asm", "arch/x86/include/uapi/asm",
                   "arch/x86/entry/syscalls"}
        for target in targets:
            folder = target.rstrip("/") if target.endswith("/") else os.path.dirname(target)
            while folder:
                folders.add(folder)
                folder = os.path.dirname(folder)
        for folder in folders:
            path = os.path.join(self.path, folder)
            entries = os.listdir(path) if os.path.isdir(path) else []
            names |= {os.path.join(folder, n) for n in entries
                      if n.startswith(("Makefile", "Kbuild", "Kconfig")) or n.endswith((".sh", ".tbl"))}
        with open(os.path.join(self.kbuild, "include/config/auto.conf.cmd"), encoding="utf-8") as f:
            names |= set(re.findall(r"^\t(\S*Kconfig\S*) \\$", f.read(), re.M))
        for folder, _, files in os.walk(self.kbuild):
            for name in files:
                if name.endswith(".s.cmd") and "/scripts" not in folder:
                    with open(os.path.join(folder, name), encoding="utf-8") as f:
                        found = re.findall(rf"{re.escape(self.seen)}/(\S+\.[chS])\b", f.read())
                    names |= set(found)
        return names

    def _overrides(self):
        return [f"{k}={'' if v == 'n' else v}" for k, v in self.forced + self.drivers]

    def _commands(self, text, folder):
        """{source relative to the tree: compiler's arguments} of what make would compile."""
        found = {}
        for argv in re.findall(r"(?:^|; )(clang-19 [^;]*? -c -o \S+\.o \S+\.c)\s*;", text, re.M):
            words = [word.replace(folder, self.kbuild) for word in shlex.split(argv)]
            if "-D__KERNEL__" not in words:
                continue    # a tool of kbuild's own
            source = os.path.normpath(os.path.join(self.kbuild, words[-1]))
            found[os.path.relpath(source, self.seen)] = words
        return found


def forget_oldest(folder):
    """Of the prepared ones, those used last are kept; a half made one goes."""
    rows = sorted(os.scandir(folder), key=lambda e: (e.name not in NEW, e.stat().st_mtime_ns))
    for i, entry in enumerate(rows):
        if entry.name in NEW or i < len(rows) - KBUILD_MAX:
            shutil.rmtree(entry.path, ignore_errors=True)


def missing_tools():
    """A line that names what is missing and the command that installs it, or None."""
    missing = [tool for tool in NEEDED if not shutil.which(tool)]
    if not missing:
        return None
    packages = " ".join(sorted({NEEDED[tool] for tool in missing}))
    return f"{', '.join(missing)} missing: sudo apt-get install {packages}"
