#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""`iommulab kernel build`: one shared object of a user's tree and our runtime.

Steps, each skipped when its result is there: kbuild prepares headers and lists
commands (tree.py); the commands are changed for hosting (flags below) and
become a ninja file; ninja compiles and links everything with dummies in the
place of what nobody defines (dummies.py). All in a private folder; the result
appears at --out by rename, so it is whole or not there.
"""
import argparse
import hashlib
import json
import os
import shutil
import subprocess
import sys
import textwrap
import time

import dummies
import overlay
from tree import Failure, Tree, missing_tools

HERE = os.path.dirname(os.path.abspath(__file__))
HOSTED = os.path.dirname(HERE)

# Not for a position-independent object in a user's process.
DROPPED = ("-fno-PIE", "-mcmodel=large", "-fno-builtin", "-fomit-frame-pointer", "-pg")
DROPPED_PREFIXES = ("-Wp,", "-fno-builtin-", "-fmacro-prefix-map=", "-std=")
COMMON = ["-std=gnu11", "-fPIC", "-g", "-fdebug-compilation-dir=.", "-fno-omit-frame-pointer",
          "-fno-asynchronous-unwind-tables"]
HOOKS = ["-fsanitize=thread", "-mllvm", "-tsan-distinguish-volatile=1",
         "-mllvm", "-tsan-instrument-func-entry-exit=0", "-fno-optimize-sibling-calls"]
FLAVOURS = {
    "lab": HOOKS,
    "bench": [],
    "asan": ["-fsanitize=address", "-fsanitize-address-use-after-return=never",
             "-fsanitize-coverage=inline-8bit-counters,trace-loads,trace-stores",
             "-D__SANITIZE_THREAD__", "-fno-optimize-sibling-calls"],
    "fuzz": HOOKS + ["-fsanitize-coverage=inline-8bit-counters,pc-table,trace-cmp"],
}


def read_list(path, tree):
    """The file list: (kbuild targets, {wrapper: (host file, [files])})."""
    targets, wrapped = [], {}
    with open(path, encoding="ascii") as f:
        for line in f:
            line = line.split("#")[0].strip()
            files, _, host = (part.strip() for part in line.partition("<-"))
            for name in (host or files).split():
                if os.path.exists(os.path.join(tree.path, name)):
                    targets.append(name[:-2] + ".o" if name.endswith(".c") else name)
                    if host:
                        wrapped[host] = files.split("+")
    return targets, wrapped


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
    return flags + [f"-ffile-prefix-map={tree.path}/="] + extra


def ninja_quote(word):
    quoted = "'" + word.replace("'", "'\\''") + "'" if any(c in word for c in "\"'() $") else word
    return quoted.replace("$", "$$")


def default_work(tree):
    """A folder per tree, kept: the next build is incremental."""
    cache = os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache")
    path = os.path.realpath(tree)
    name = f"{os.path.basename(path)}-{hashlib.sha1(path.encode()).hexdigest()[:8]}"
    return os.path.join(cache, "iommulab", name)


class Build:
    def __init__(self, args):
        self.args = args
        args.work = os.path.abspath(args.work or default_work(args.tree))
        self.tree = Tree(args.tree, args.work, os.path.join(HERE, "um.force"))
        args.out = os.path.abspath(args.out or f"kernel-{self.tree.version}-{args.flavour}.so")
        self.dir = os.path.join(args.work, args.flavour)
        self.overlay = os.path.join(args.work, "overlay")
        self.probed = os.path.join(self.dir, "hosted_probes.h")
        os.makedirs(self.dir, exist_ok=True)

    def runtime_sources(self):
        for folder in ("dup", "stub", "custom"):
            path = os.path.join(HOSTED, folder)
            for name in sorted(os.listdir(path)) if os.path.isdir(path) else []:
                if name.endswith(".c"):
                    yield os.path.join(path, name)

    def extra_flags(self):
        last = COMMON + FLAVOURS[self.args.flavour] + [
            "-include", os.path.join(self.overlay, "hosted_config.h"),
            "-include", os.path.join(HOSTED, "force.h")]
        if self.args.flavour != "bench":
            last.append("-DIOMMULAB_HOOKS=1")
        return last

    def objects(self):
        """[(object, source, flags)] of the tree's files, then of the runtime."""
        targets, wrapped = read_list(os.path.join(HERE, "files.txt"), self.tree)
        commands = self.tree.commands(targets, os.path.join(self.args.work, "commands.json"))
        extra, rows = self.extra_flags(), []
        for source, words in commands.items():
            if source.startswith("scripts/"):
                continue
            flags = hosted_flags(words, self.tree, extra) + ["-w"]
            path = os.path.join(self.tree.path, source)
            if source in wrapped:
                path = overlay.wrapper(self.tree.path, source, wrapped[source], self.overlay)
                flags.insert(0, "-I" + os.path.dirname(os.path.join(self.tree.path, source)))
            rows.append((source[:-2] + ".o", path, flags))
        self.n_tree = len(rows)
        if not rows:
            raise Failure(f"{self.tree.path}: kbuild names no file to compile")
        words = commands["fs/file.c"]
        flags = [w.replace('"file"', '"hosted"').replace("fs/file", "hosted")
                 for w in hosted_flags(words, self.tree, extra, ())]
        flags = ["-I" + self.args.root, "-I" + os.path.join(self.tree.path, "kernel/sched"),
                 "-I" + self.tree.path, *flags, f"-ffile-prefix-map={os.path.abspath(self.args.root)}/=",
                 "-Wno-missing-prototypes", "-Wno-missing-declarations",
                 "-Wno-null-pointer-arithmetic", "-Wno-strict-prototypes", "-fno-sanitize=all",
                 "-DIOMMULAB_RUNTIME=1"]
        self.probe_flags = flags
        flags = flags + ["-include", self.probed]
        for path in self.runtime_sources():
            rows.append(("hosted/" + os.path.relpath(path, HOSTED)[:-2] + ".o", path, flags))
        return rows

    def probe_rule(self):
        """What the headers offer: asked again when one of them changes."""
        rows = os.path.join(HERE, "probes.txt")
        text = " ".join(ninja_quote(w) for w in self.probe_flags)
        return ["rule probe", f"  command = python3 {HERE}/probes.py {rows} $out clang-19 {text}",
                "  depfile = $out.d", "  deps = gcc", "  restat = 1", "  description = PROBE",
                f"build {self.probed}: probe {rows} {HERE}/probes.py"]

    def write_ninja(self, rows):
        lines = ["ninja_required_version = 1.10", f"builddir = {self.dir}",
                 "rule cc", "  command = clang-19 -MD -MF $out.d $flags -c -o $out $in",
                 "  depfile = $out.d", "  deps = gcc", "  description = CC $name",
                 "rule link", "  command = $command", "  description = LINK $out",
                 *self.probe_rule(), ""]
        pools = {}
        for obj, path, flags in rows:
            text = " ".join(ninja_quote(w) for w in flags)
            out = os.path.join(self.dir, obj)
            first = f" || {self.probed}" if obj.startswith("hosted/") else ""
            lines += [f"build {out}: cc {path}{first}", f"  flags = {text}", f"  name = {obj}"]
            pools[out] = obj
        lines.append("build objects: phony " + " ".join(pools))
        with open(os.path.join(self.dir, "build.ninja"), "w", encoding="utf-8") as f:
            f.write("\n".join(lines) + "\n")
        return list(pools)

    def compile(self, objects):
        """Runs ninja; its own progress on a terminal, else only what fails."""
        # In kbuild's folder: its flags, and so the dependencies, are relative to it.
        argv = ["ninja", "-C", self.tree.work, "-f", os.path.join(self.dir, "build.ninja"), "-j",
                str(self.args.jobs), "-k", "20", "objects"]
        env = dict(os.environ, NINJA_STATUS="[%f/%t] ")
        tty = sys.stderr.isatty()
        run = subprocess.run(argv, env=env, check=False, text=True, errors="replace",
                             stdin=subprocess.DEVNULL,
                             stdout=sys.stderr if tty else subprocess.PIPE)
        if run.returncode:
            text = "" if tty else compiler_text(run.stdout)
            raise Failure(f"{self.tree.path}: does not compile (the compiler's text is above)",
                          text)

    def facts(self):
        with open(os.path.join(HOSTED, "floor.h"), "rb") as f:
            floor = hashlib.sha1(f.read()).hexdigest()
        compiler = subprocess.run(["clang-19", "-dumpversion"], capture_output=True, text=True,
                                  check=True).stdout.strip()
        return {"version": self.tree.version, "flavour": self.args.flavour,
                "compiler": f"clang-{compiler}", "floor": floor}

    def link(self, objects):
        """The object beside ours, then where it is wanted, in one step."""
        script = os.path.join(HERE, "hosted.lds")
        absent = dummies.undefined(objects, script)
        functions = dummies.called(absent, objects) if absent else set()
        source = os.path.join(self.dir, "dummies.S")
        overlay.write_if_changed(source, dummies.assembly(absent, functions) +
                                 dummies.note(self.facts()))
        run_tool("clang-19", "-c", "-o", source[:-2] + ".o", source)
        made = os.path.join(self.dir, "kernel.so")
        run_tool("ld.lld-19", "-shared", "-T", script, "-z", "defs",
                 "--version-script", os.path.join(HERE, "hosted.map"), "-e", "hosted_kernel",
                 "-z", "norelro", "-z", "max-page-size=4096", "--build-id=sha1", "-Bsymbolic",
                 "--hash-style=gnu", "--no-rosegment", "--orphan-handling=error",
                 "--discard-all", "-o", made, source[:-2] + ".o", *objects)
        new = f"{self.args.out}.{os.getpid()}.new"
        try:
            shutil.copyfile(made, new)
            os.replace(new, self.args.out)
        except OSError as e:
            if os.path.exists(new):
                os.unlink(new)
            raise Failure(f"{self.args.out}: {e.strerror}") from None
        return absent, functions


def run_tool(*argv):
    run = subprocess.run(argv, capture_output=True, text=True, errors="replace", check=False)
    if run.returncode:
        raise Failure(f"{argv[0]} failed (its text is above)", run.stdout + run.stderr)


def compiler_text(text):
    return "".join(line + "\n" for line in text.splitlines()
                   if not line.startswith(("ninja: ", "[", "cd ")))


def say(text):
    print(text, file=sys.stderr, flush=True)


def report(b, objects, absent, functions, seconds):
    """What was built; what is missing, and whether it is a function or data."""
    lines = 0
    for path in b.runtime_sources():
        with open(path, encoding="utf-8") as f:
            lines += sum(1 for _ in f)
    if b.args.json:
        doc = {"schema": 1, "command": "kernel build", "version": b.tree.version,
               "flavour": b.args.flavour, "files": b.n_tree, "objects": len(objects),
               "shim_lines": lines, "absent_functions": sorted(functions),
               "absent_data": sorted(set(absent) - functions), "out": b.args.out,
               "seconds": round(seconds, 1)}
        text = json.dumps(doc, indent=2) + "\n"
        if b.args.json == "-":
            sys.stdout.write(text)
        else:
            with open(b.args.json, "w", encoding="utf-8") as f:
                f.write(text)
    if b.args.json == "-":
        return
    print(f"{b.args.out}: Linux {b.tree.version}, {b.args.flavour}, {b.n_tree} files of the tree "
          f"on {lines} lines of runtime, {seconds:.1f} s")
    for what, names in (("functions", sorted(functions)),
                        ("data", sorted(set(absent) - functions))):
        if names:
            print(textwrap.fill(f"{len(names)} {what} absent, a trap when reached: "
                                + " ".join(names), 100, subsequent_indent="  ",
                                break_on_hyphens=False))


def options():
    p = argparse.ArgumentParser(prog="iommulab kernel build")
    p.add_argument("--tree", required=True)
    p.add_argument("--work")
    p.add_argument("--root", required=True)
    p.add_argument("--out")
    p.add_argument("--flavour", default="lab", choices=sorted(FLAVOURS))
    p.add_argument("--json")
    p.add_argument("--jobs", type=int, default=2)
    return p.parse_args()


def main():
    start = time.monotonic()
    missing = missing_tools()
    if missing:
        raise Failure(missing)
    b = Build(options())
    say(f"preparing the headers of Linux {b.tree.version}")
    b.tree.prepare(os.path.join(HERE, "um.config"))
    overlay.write(b.tree, b.overlay)
    objects = b.write_ninja(b.objects())
    say(f"compiling {len(objects)} files")
    b.compile(objects)
    absent, functions = b.link(objects)
    report(b, objects, absent, functions, time.monotonic() - start)


if __name__ == "__main__":
    try:
        main()
    except Failure as failure:
        sys.stderr.write(failure.text)
        say(f"iommulab: kernel build: {failure}")
        sys.exit(2)
    except KeyboardInterrupt:
        sys.exit(130)
    except OSError as error:
        say(f"iommulab: kernel build: {error.filename or 'host'}: {error.strerror}")
        sys.exit(2)
