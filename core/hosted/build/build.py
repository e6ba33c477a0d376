#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""`iommulab kernel build`: one shared object of a user's tree and our runtime.

Steps, each skipped when its result is in the store (store.py): kbuild prepares
headers and lists commands (tree.py); the commands are changed for hosting
(flags below) and run (compiler.py); everything is linked with dummies in the
place of what nobody defines (dummies.py). All in a folder of ours; the result
appears at --out by rename, so it is whole or not there.
"""
import argparse
import hashlib
import json
import os
import re
import signal
import subprocess
import sys
import textwrap
import threading
import time

import dummies
import overlay
import probes
import uapicheck
from compiler import Compiler, Source
from patching import Patched, farm
from processors import processors
from store import Store, copy_whole, digest, remove, say, write_whole
from tree import Failure, Tree, missing_tools, symbols

HERE = os.path.dirname(os.path.realpath(__file__))
HOSTED = os.path.dirname(HERE)

# Not for a position-independent object in a user's process.
DROPPED = ("-fno-PIE", "-mcmodel=large", "-mcmodel=kernel", "-mstack-alignment=8",
           "-fno-builtin", "-fomit-frame-pointer", "-pg")
DROPPED_PREFIXES = ("-Wp,", "-fno-builtin-", "-fmacro-prefix-map=", "-std=")
COMMON = ["-std=gnu11", "-fPIC", "-g", "-fdebug-compilation-dir=.", "-fno-omit-frame-pointer",
          "-momit-leaf-frame-pointer", "-fdata-sections",
          "-fno-asynchronous-unwind-tables"]
HOOKS = ["-fsanitize=thread", "-mllvm", "-tsan-distinguish-volatile=1",
         "-mllvm", "-tsan-instrument-func-entry-exit=0", "-fno-optimize-sibling-calls"]
BENIGN = os.path.join(HERE, "benign.txt")
# The kernel's own choice of UBSan's checks, each a call that ends the run.
UBSAN = ["-fsanitize=bounds,shift,bool,enum,integer-divide-by-zero,unreachable"]
# The checked heap sees the tree's memory errors in all flavours with hooks; asan has them, too.
FLAVOURS = {
    "lab": HOOKS,
    "bench": ["-fomit-frame-pointer"],
    "asan": HOOKS + UBSAN,
    "fuzz": HOOKS + ["-fsanitize-coverage=edge,inline-8bit-counters,pc-table"],
}
# Of these a fuzzer learns what is compared with what: files that see values of users.
COMPARED = ("drivers/", "fs/", "virt/")
COMPARES = "-fsanitize-coverage=trace-cmp"
# Files of the tree that watch the others: no hooks, names of their own.
WATCHERS = {"kernel/locking/lockdep.c": "x86/lockdep_names.h"}
# Headers of ours behind force.h: for a file that decides by a symbol which ARCH=um cannot have,
# for one that tells lockdep less than it knows, and for one that spins until an interrupt is over.
BEHIND = {"drivers/iommu/iommufd/io_pagetable.c": "custom/huge.h",
          "kernel/irq/manage.c": "custom/relax.h",
          "kernel/locking/rwsem.c": "custom/rwsem.h"}
# Files whose functions hand a state on the stack to one another: as one function they keep it in
# registers, and no hook looks at it.
WHOLE = {"lib/xarray.c": 20000, "lib/interval_tree.c": 2000,
         "drivers/iommu/iommufd/pages.c": 2000, "kernel/locking/rwsem.c": 2000,
         "kernel/locking/mutex.c": 2000}
# Without hooks, what a program runs through again and again gains by it as well.
BENCH_WHOLE = {name: 1000 for name in (
    "drivers/iommu/iommu.c", "drivers/iommu/iommufd/device.c",
    "drivers/iommu/iommufd/hw_pagetable.c", "drivers/iommu/iommufd/io_pagetable.c",
    "drivers/iommu/iommufd/ioas.c", "drivers/iommu/iommufd/main.c",
    "drivers/iommu/iommufd/selftest.c", "fs/file.c", "fs/file_table.c", "lib/fault-inject.c",
    "lib/idr.c", "lib/kobject.c", "lib/maple_tree.c", "lib/vsprintf.c")}
# The hooks' usual case is compiled into what system calls run through many times. Elsewhere it
# would cost more than it gains: with oracles, as in a campaign, what is compiled in is never all,
# and twice the code does not fit a processor's first cache.
INLINED = re.compile("|".join(map(re.escape, (
    "drivers/iommu/iommufd/main.c", "drivers/iommu/iommufd/pages.c", "fs/file.c",
    "kernel/locking/mutex.c", "kernel/locking/rwsem.c", "lib/fault-inject.c",
    "lib/interval_tree.c", "lib/maple_tree.c", "lib/vsprintf.c", "lib/xarray.c"))))
# As the tree's files are compiled in what bit code says of itself.
INLINE_FLAGS = ["-O2", "-fPIC", "-fshort-wchar", "-mno-sse", "-mno-red-zone", "-emit-llvm",
                "-fno-asynchronous-unwind-tables"]
FIRST_READ = {"um": [], "x86": ["-include", os.path.join(HOSTED, "x86/force.h")]}
# Two of x86's per-CPU variables are functions here (x86/force.h), which must not
# share a section with one that is defined: each name has a section of its own.
PER_CPU = re.compile(r"\bDEFINE_(STATIC_)?(PER_CPU|SRCU)", re.A)
SECTIONS = {"um": [], "x86": ["-include", os.path.join(HOSTED, "x86/sections.h")]}
# Files of the tree's drivers: below these folders, with core/hosted/drivers' headers first.
DRIVERS = ("drivers/iommu/arm/", "drivers/iommu/intel/")
# Of them, those that tell the hardware of memory that they have from slab.
ARRAYS_ARE_FRAMES = ("drivers/iommu/intel/dmar.c",)
CONFIGS = {
    "um": [],
    # Before the tree's folders: the headers that differ in a process.
    "x86": ["-I" + os.path.join(HOSTED, "x86"), "-DIOMMULAB_X86=1"],
}


def read_list(path, tree):
    """(kbuild targets, {wrapper: [files]}, {file: the symbol it needs}, {file: its tests'})."""
    targets, wrapped, needs, tested = [], {}, {}, {}
    with open(path, encoding="ascii") as f:
        for line in f:
            line, _, tests = (part.strip() for part in line.split("#")[0].partition("!"))
            line, _, symbol = (part.strip() for part in line.partition("?"))
            files, _, host = (part.strip() for part in line.partition("<-"))
            for name in (host or files).split():
                if symbol:
                    needs[name] = symbol
                if tests:
                    tested[name] = tests
                if tree.has(name):
                    targets.append(name[:-2] + ".o" if name.endswith(".c") else name)
                    if host:
                        wrapped[host] = files.split("+")
    return targets, wrapped, needs, tested


def hosted_flags(words, tree, extra, dropped=("-W",)):
    """A kbuild command made into ours: dependency file, output and flags replaced."""
    flags, skip = [], False
    for word in words[1:-1]:
        if skip or word == "-c":
            skip = False
        elif word == "-o":
            skip = True
        elif word not in DROPPED and not word.startswith(DROPPED_PREFIXES + dropped):
            flags.append(word)
    return flags + [f"-ffile-prefix-map={tree.seen}/="] + extra


def default_work():
    """One folder for all trees: what they have in common is compiled once."""
    cache = os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache")
    return os.path.join(cache, "iommulab")


class Progress:
    """One line on a terminal, made anew; in a pipe a line for each phase that takes long."""

    def __init__(self):
        self.start, self.tty, self.shown = time.monotonic(), sys.stderr.isatty(), ""
        self.phase, self.quiet = "", False

    def __call__(self, text, takes_long=False):
        line = f"{text}, {time.monotonic() - self.start:.0f} s"
        phase = text.split(":", maxsplit=1)[0]
        if not self.tty:
            if phase != self.phase and takes_long and not self.quiet:
                say(f"iommulab: kernel build: {re.sub('[0-9]+ of ', '', text)}")
            self.phase = phase
        elif line != self.shown:
            sys.stderr.write(f"\r\033[K{line}")
            sys.stderr.flush()
            self.shown = line

    def end(self):
        if self.shown:
            sys.stderr.write("\r\033[K")
            sys.stderr.flush()
            self.shown = ""

    def seconds(self):
        return time.monotonic() - self.start


class Aside(threading.Thread):
    """What is done while something else is; its failure is told where its result is asked for."""

    def __init__(self, function, *args):
        super().__init__(daemon=True)
        self.what, self.made, self.failure = (function, args), None, None
        self.start()

    def run(self):
        function, args = self.what
        try:
            self.made = function(*args)
        except (Failure, OSError) as failure:
            self.failure = failure

    def result(self):
        self.join()
        if self.failure:
            raise self.failure
        return self.made


class Build:
    def __init__(self, args, progress):
        self.args, self.progress = args, progress
        force = [args.config] + (["bench"] if args.flavour == "bench" else [])
        self.tree = Tree(args.tree, args.config,
                         [os.path.join(HERE, f"{name}.force") for name in force])
        if args.drivers:
            self.tree.drivers = symbols(os.path.join(HERE, "drivers.force"))
        args.work = os.path.realpath(args.work or default_work())
        self.check_places()
        self.store = Store(args.work, say)
        self.overlay = self.store.path("overlay", "")[:-1]
        self.places()

    def check_places(self):
        """What would fail at the end is said at the start."""
        args = self.args
        if args.out:
            args.out = os.path.abspath(args.out)
        elif not args.cached:
            args.out = os.path.abspath(f"kernel-{self.tree.version}-{args.flavour}.so")
        for option, path in (("--out", args.out), ("--json", args.json)):
            if not path or path == "-":
                continue
            folder = os.path.dirname(os.path.abspath(path))
            if not os.path.isdir(folder):
                raise Failure(f"{option} {path}: there is no folder {folder}")
            if os.path.isdir(path):
                raise Failure(f"{option} {path}: is a folder, expected a file")
            if path == args.out and os.path.exists(path) and not os.path.isfile(path):
                raise Failure(f"{option} {path}: is a device or a pipe, expected a file")
            if not os.access(folder, os.W_OK):
                raise Failure(f"{option} {path}: {folder} cannot be written")
        if (args.work + "/").startswith(self.tree.path + "/"):
            raise Failure(f"--work {args.work}: lies in the tree, which is only read")
        if any(c in args.work for c in " \t:"):
            raise Failure(f"--work {args.work}: kbuild takes no blank or colon in its path")

    def places(self):
        """Patches and awkward paths: where compilers and kbuild see the tree."""
        tree, patched, replaced = self.tree, None, {}
        if self.args.patch:
            patched = Patched(tree.path, self.args.patch, self.store.path("patched", ""))
            if patched.touches_kbuild:
                replaced = {n: os.path.join(patched.folder, n) for n in patched.changed}
        if replaced or any(c in tree.path for c in " \t:"):
            tree.seen = farm(tree.path, self.store.path("farm", "")[:-1], replaced)
        self.compiler_extra = []
        if patched:
            tree.instead = patched.instead(tree.seen)
            self.compiler_extra = patched.flags(tree.seen)
        self.patched = patched.changed if patched else []
        self.store.instead = tree.instead
        self.store.place("TREE", tree.seen)
        self.store.place("ROOT", os.path.realpath(self.args.root))
        self.store.place("OVERLAY", self.overlay)

    def runtime_sources(self):
        for folder in ("dup", "stub", "custom") + (("drivers",) if self.args.drivers else ()):
            path = os.path.join(HOSTED, folder)
            for name in sorted(os.listdir(path)) if os.path.isdir(path) else []:
                if name.endswith(".c"):
                    yield os.path.join(path, name)

    def extra_flags(self):
        last = COMMON + FLAVOURS[self.args.flavour] + [
            f"-ffile-prefix-map={self.overlay}/=",
            "-include", os.path.join(self.overlay, "hosted_config.h"),
            *FIRST_READ[self.args.config], "-include", os.path.join(HOSTED, "force.h")]
        if self.args.flavour != "bench":
            last.append("-DIOMMULAB_HOOKS=1")
        if "-fsanitize=thread" in last:
            with open(BENIGN, "rb") as f:
                # The list is an input of each object: its hash makes the command another.
                last += [f"-fsanitize-ignorelist={BENIGN}",
                         f"-DIOMMULAB_BENIGN=0x{digest(f.read())[:8]}"]
        return last

    def prepare(self):
        config = os.path.join(HERE, f"{self.args.config}.config")
        targets, self.wrapped, needs, self.tested = read_list(os.path.join(HERE, "files.txt"),
                                                              self.tree)
        if self.args.drivers:
            targets += read_list(os.path.join(HERE, "drivers.txt"), self.tree)[0]
        self.tree.prepare(self.store, config, targets, self.progress, self.args.jobs)
        self.tree.drop_unless_configured(needs)
        self.store.place("KBUILD", self.tree.kbuild)
        overlay.write(self.tree, self.overlay)
        self.compiler = Compiler(self.store, self.tree.kbuild, self.args.jobs, self.progress)
        self.compiler.names = self.tree.header_names()
        self.compiler.extra = self.compiler_extra

    def driver_flags(self, flags):
        """Firmware tables and an architecture's own, for files that are of one."""
        folder = os.path.join(HOSTED, "drivers")
        return ["-I" + folder, *flags, "-include", os.path.join(folder, "force.h"),
                "-DCONFIG_ACPI=1", *(f"-D{name}=1" for name, _ in self.tree.drivers)]

    def inlined_hooks(self, root):
        """Their bit code; None where they are not to be compiled in."""
        if self.args.flavour == "bench" or self.args.config != "um":
            return None
        path = os.path.join(HOSTED, "inline/hooks.c")
        hooks = Source("core/hosted/inline/hooks.o", os.path.realpath(path),
                       [*INLINE_FLAGS, "-I" + root])
        self.compiler.compile([hooks])
        return hooks.object

    def sources(self):
        """The tree's files, then the runtime's."""
        first = CONFIGS[self.args.config]
        extra, rows, root = self.extra_flags(), [], os.path.realpath(self.args.root)
        whole = WHOLE | (BENCH_WHOLE if self.args.flavour == "bench" else {})
        hooks = self.inlined_hooks(root)
        for source, words in self.tree.commands.items():
            if source.startswith("scripts/"):
                continue
            flags = first + hosted_flags(words, self.tree, extra) + ["-w"]
            path = os.path.join(self.tree.seen, source)
            if source.startswith(DRIVERS):
                flags = self.driver_flags(flags)
                if source.endswith("-test.c"):
                    flags.append("-DCONFIG_KUNIT=1")
                if source in ARRAYS_ARE_FRAMES:
                    flags.append("-DHOSTED_ARRAYS_ARE_FRAMES=1")
            if PER_CPU.search(self.tree.text(source)):
                flags = SECTIONS[self.args.config] + flags
            if self.args.flavour == "fuzz" and source.startswith(COMPARED):
                flags.append(COMPARES)
            if source in WATCHERS:
                flags = [f for f in flags if f not in FLAVOURS[self.args.flavour]]
                flags += ["-include", os.path.join(HOSTED, WATCHERS[source])]
            if source in whole:
                flags += ["-mllvm", f"-inline-threshold={whole[source]}"]
            if source in BEHIND:
                flags += ["-include", os.path.join(HOSTED, BEHIND[source])]
            if source in self.wrapped:
                path = overlay.wrapper(self.tree, source, self.wrapped[source], self.overlay)
                flags.append("-I" + self.tree.seen)
            if source in self.tested:
                flags += [f"-D{self.tested[source]}=1", "-include",
                          os.path.join(HOSTED, "custom", "selftest.h")]
            rows.append(Source(source[:-2] + ".o", path, flags,
                               hooks if INLINED.fullmatch(source) else None))
        self.n_tree = len(rows)
        if not rows:
            raise Failure(f"{self.tree.path}: kbuild names no file to compile")
        words = self.tree.commands["fs/file.c"]
        flags = [w.replace('"file"', '"hosted"').replace("fs/file", "hosted")
                 for w in hosted_flags(words, self.tree, extra, ())
                 if not w.startswith("-fsanitize-coverage")]
        flags = [*first, "-I" + root, "-I" + os.path.join(self.tree.seen, "kernel/sched"),
                 "-I" + self.tree.seen, *flags, f"-ffile-prefix-map={root}/=",
                 "-Wno-missing-prototypes", "-Wno-missing-declarations",
                 "-Wno-null-pointer-arithmetic", "-Wno-strict-prototypes", "-fno-sanitize=all",
                 "-DIOMMULAB_RUNTIME=1"]
        probed = os.path.join(self.overlay, "hosted_probes.h")
        probes.ask(self.compiler, os.path.join(HERE, "probes.txt"), flags, probed)
        flags = flags + ["-include", probed]
        for path in self.runtime_sources():
            label = "core/hosted/" + os.path.relpath(path, HOSTED)[:-2] + ".o"
            own = self.driver_flags(flags) if "/drivers/" in label else flags
            rows.append(Source(label, os.path.realpath(path), own))
        self.precompile(rows)
        return rows

    def precompile(self, rows):
        """The tree's files and the runtime's, each kind with the headers that most of it reads."""
        if self.args.config != "um":
            return
        with open(os.path.join(HERE, "headers.txt"), encoding="ascii") as f:
            headers = [line.strip() for line in f if not line.startswith("#")]
        headers = [name for name in headers if self.tree.has("include/" + name)]
        hidden = os.path.join(self.overlay, "hosted_hidden.h")
        self.compiler.precompile(rows[:self.n_tree], headers, hidden, False)
        self.compiler.precompile(rows[self.n_tree:], headers, hidden, True)

    def facts(self):
        with open(os.path.join(HOSTED, "floor.h"), "rb") as f:
            floor = hashlib.sha1(f.read()).hexdigest()
        compiler = subprocess.run(["clang-19", "-dumpversion"], capture_output=True, text=True,
                                  check=True).stdout.strip()
        return {"version": self.tree.version, "flavour": self.args.flavour,
                "compiler": f"clang-{compiler}", "floor": floor}

    def link(self, sources):
        """The object in the store; (its path, what is absent, which of that is called)."""
        script, exports = (os.path.join(HERE, n) for n in ("hosted.lds", "hosted.map"))
        objects, facts = [s.object for s in sources], self.facts()
        self.progress("linking")
        absent = dummies.undefined(objects, script)
        users = sorted({user for some in absent.values() for user in some})
        functions = dummies.called(absent, users) if absent else set()
        text = dummies.assembly(absent, functions) + dummies.note(facts)
        key = digest(text, self.compiler.version, *map(os.path.basename, objects),
                     *(self.store.content(self.store.name(p)) for p in (script, exports)))
        made = self.store.used("linked", key + ".so")
        if made:
            return made, absent, functions
        made = self.store.path("linked", key + ".so")
        source = self.store.path("linked", "dummies.S.new")
        dummy, new = source[:-6] + ".o.new", made + ".new"
        try:
            with open(source, "w", encoding="ascii") as f:
                f.write(text)
            run_tool("clang-19", "-x", "assembler", "-c", "-o", dummy, source)
            run_tool("ld.lld-19", "-shared", "-T", script, "-z", "defs",
                     "--version-script", exports, "-e", "hosted_kernel",
                     "-z", "norelro", "-z", "max-page-size=4096", "--build-id=sha1", "-Bsymbolic",
                     "--wrap=__release_region", "--hash-style=gnu", "--no-rosegment", "--orphan-handling=error",
                     "--discard-all", "-o", new, dummy, *objects)
            os.replace(new, made)
        finally:
            for path in (source, dummy, new):
                remove(path)
        return made, absent, functions

    def publish(self, made):
        """Where it is wanted, in one step."""
        if self.args.cached:
            return made
        try:
            # Where a link leads, not in its place.
            copy_whole(made, os.path.realpath(self.args.out))
        except OSError as e:
            raise Failure(f"--out {self.args.out}: {e.strerror}") from None
        return self.args.out


def run_tool(*argv):
    run = subprocess.run(argv, capture_output=True, text=True, errors="replace", check=False)
    if run.returncode:
        raise Failure(f"{argv[0]} failed (its text is above)", run.stdout + run.stderr)


def shim_lines(b):
    lines = 0
    for path in b.runtime_sources():
        with open(path, encoding="utf-8") as f:
            lines += sum(1 for _ in f)
    return lines


def write_json(b, result):
    text = json.dumps(result, indent=2) + "\n"
    if b.args.json == "-":
        try:
            sys.stdout.write(text)
            sys.stdout.flush()
        except OSError as e:
            raise Failure(f"--json -: {e.strerror}") from None
        return
    try:
        if os.path.exists(b.args.json) and not os.path.isfile(b.args.json):
            with open(b.args.json, "w", encoding="utf-8") as f:
                f.write(text)
        else:
            write_whole(b.args.json, text)
    except OSError as e:
        raise Failure(f"--json {b.args.json}: {e.strerror}") from None


def wrapped(text):
    print(textwrap.fill(text, 100, subsequent_indent="  ", break_on_hyphens=False))


def report(b, r):
    """What was built; what is missing, and whether it is a function or data."""
    if b.args.cached:
        print(r["out"])
        return
    if b.args.json == "-":
        return
    print(f"{r['out']}: Linux {r['version']}, {r['flavour']}, {r['files']} files of the tree "
          f"on {r['shim_lines']} lines of runtime, {r['compiled']} compiled, {r['seconds']:.1f} s")
    if r["patched"]:
        print(f"patched: {' '.join(r['patched'])}")
    if r["uapi_absent"]:
        wrapped(f"{len(r['uapi_absent'])} of {r['uapi_compared']} facts of the uAPI table are not in "
                "this tree" + (f": {' '.join(r['uapi_absent'])}" if b.args.verbose else
                               " (--verbose lists them)"))
    for what in ("functions", "data"):
        names = r["absent_" + what]
        if names:
            wrapped(f"{len(names)} {what} absent, a trap when reached: {' '.join(names)}")


def options():
    p = argparse.ArgumentParser(prog="iommulab kernel build")
    p.add_argument("--tree", required=True)
    p.add_argument("--work")
    p.add_argument("--root", required=True)
    p.add_argument("--out")
    p.add_argument("--cached", action="store_true")  # prints the object's place in the store
    p.add_argument("--patch", action="append", default=[])
    p.add_argument("--flavour", default="lab")
    p.add_argument("--config", default="um")
    p.add_argument("--drivers", action="store_true")
    p.add_argument("--json")
    p.add_argument("--verbose", action="store_true")
    p.add_argument("--jobs", default=str(processors()))
    args = p.parse_args()
    if args.flavour not in FLAVOURS:
        raise Failure(f"--flavour: '{args.flavour}', expected {', '.join(FLAVOURS)}")
    if args.config not in CONFIGS:
        raise Failure(f"--config: '{args.config}', expected {', '.join(CONFIGS)}")
    if args.config != "um" and args.flavour != "lab":
        raise Failure(f"--config {args.config}: has no --flavour {args.flavour}, expected lab")
    if args.drivers and args.config != "um":
        raise Failure(f"--drivers: has no --config {args.config}, expected um")
    if not args.jobs.isdecimal() or not 1 <= int(args.jobs) <= 512:
        raise Failure(f"--jobs: '{args.jobs}', expected a number from 1 to 512")
    args.jobs = int(args.jobs)
    return args


def main(progress):
    args = options()
    progress.quiet = args.cached
    missing = missing_tools()
    if missing:
        raise Failure(missing)
    b = Build(args, progress)
    b.prepare()
    check = Aside(uapicheck.ask, b.compiler, b.tree, os.path.realpath(args.root), b.overlay)
    sources = b.sources()
    lacks, compared = check.result()
    compiled = b.compiler.compile(sources)
    made, absent, functions = b.link(sources)
    out = b.publish(made)
    b.store.close()
    progress.end()
    result = {"schema": 1, "command": "kernel build", "version": b.tree.version,
              "tree": b.tree.path, "flavour": args.flavour, "files": b.n_tree,
              "objects": len(sources), "compiled": compiled, "shim_lines": shim_lines(b),
              "patched": b.patched, "uapi_compared": compared, "uapi_absent": lacks,
              "absent_functions": sorted(functions),
              "absent_data": sorted(set(absent) - functions), "out": out,
              "seconds": round(progress.seconds(), 1)}
    if args.json:
        write_json(b, result)
    report(b, result)


class Stopped(Exception):
    pass


asked = []  # to stop, by these signals


def stop(number, frame):
    """The first ends the build in order; timeout(1) and impatient users say it twice."""
    asked.append(number)
    if len(asked) == 1:
        raise Stopped


def run():
    progress = Progress()
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, stop)
    try:
        main(progress)
        return 0
    except Failure as failure:
        progress.end()
        sys.stderr.write(failure.text)
        say(f"iommulab: kernel build: {failure}")
        return 2
    except Stopped:
        progress.end()
        say("iommulab: kernel build: interrupted")
        return 130
    except OSError as error:
        progress.end()
        say(f"iommulab: kernel build: {error.filename or 'a file below --work'}: {error.strerror}")
        return 2


if __name__ == "__main__":
    sys.exit(run())
