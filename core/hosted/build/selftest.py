#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""Runs a tree's own selftests of iommufd against the kernel hosted from it.

The programs of tools/testing/selftests/iommu are compiled as they are, with the
tree's uAPI headers, into the cache; each runs under `iommulab exec`. What a
tree's test uses and its own headers do not define (stable trees take tests
without headers) is found by compiling, and supplied on the command line.
Cases that cannot pass, and why, are in selftest_explained.txt beside this file.
"""

import argparse
import fnmatch
import hashlib
import json
import os
import re
import subprocess
import sys
import time

PROGRAMS = ("iommufd", "iommufd_fail_nth")
TRIES = 12
# What later headers have; whatever else is missing is 0. A kernel that cannot be asked for a type
# refuses the flag, as the test wants of a type that the device does not have; the one that it has
# is what such a kernel gives without being asked. `data_type` is the test's own.
LATER = {"IOMMU_HW_INFO_FLAG_INPUT_TYPE": "(data_type != IOMMU_HW_INFO_TYPE_SELFTEST)"}
UNDECLARED = re.compile(r"error: .(\w+). undeclared")
NO_MEMBER = re.compile(r"error: .struct \w+. has no member named .(\w+).; did you mean .(\w+).\?")
NO_HEADER = re.compile(r"fatal error: (linux/[\w/.-]+\.h): No such file")
RESULT = re.compile(r"^(ok|not ok)\s+\d+\s+(\S+)(?:\s+#\s*(.*))?$")


def fail(text):
    print(f"iommulab: kernel selftest: {text}", file=sys.stderr)
    sys.exit(2)


def link_header(headers, tree, name):
    """Makes the tree's uAPI header visible to the compiler; False: the tree has none."""
    source = os.path.join(tree, "include/uapi", name)
    place = os.path.join(headers, name)
    if not os.path.isfile(source) or os.path.islink(place):
        return False
    os.makedirs(os.path.dirname(place), exist_ok=True)
    os.symlink(source, place)
    return True


def define_missing(errors, defines):
    """Adds -D for what the compiler missed; whether there was anything new."""
    before = dict(defines)
    for name, near in NO_MEMBER.findall(errors):
        defines.setdefault(name, near)
    for name in UNDECLARED.findall(errors):
        defines.setdefault(name, LATER.get(name, "0"))
    return defines != before


def compile_program(tree, work, program):
    """(path of the program, names that had to be supplied)."""
    folder = os.path.join(tree, "tools/testing/selftests/iommu")
    source = os.path.join(folder, program + ".c")
    headers = os.path.join(work, "uapi")
    out = os.path.join(work, program)
    defines = {}
    if not os.path.isfile(source):
        fail(f"{source}: no such file, expected the selftests of a Linux tree")
    with open(source, encoding="utf-8") as file:
        libraries = ["-lcap"] if "<sys/capability.h>" in file.read() else []
    for name in os.listdir(os.path.join(headers, "linux")) if os.path.isdir(headers) else ():
        os.unlink(os.path.join(headers, "linux", name))
    for name in ("linux/iommufd.h", "linux/vfio.h"):
        link_header(headers, tree, name)
    for _ in range(TRIES):
        command = ["gcc", "-O2", "-g", "-w", "-D_GNU_SOURCE=", "-D__user=", "-isystem", headers,
                   "-I" + os.path.dirname(folder),
                   *(f"-D{name}={value}" for name, value in sorted(defines.items())),
                   "-o", out + ".new", source, *libraries]
        done = subprocess.run(command, capture_output=True, text=True, check=False,
                              env={**os.environ, "LC_ALL": "C"})
        if done.returncode == 0:
            os.rename(out + ".new", out)
            return out, sorted(defines)
        missing = NO_HEADER.search(done.stderr)
        if missing and link_header(headers, tree, missing.group(1)):
            continue
        if not define_missing(done.stderr, defines):
            break
    sys.stderr.write(done.stderr)
    fail(f"{source}: does not compile (the compiler's text is above)")


def build_kernel(args, tree):
    """The hosted kernel of the tree; built anew, which is quick when nothing changed."""
    out = os.path.join(args.work, "kernel.so")
    done = subprocess.run([args.iommulab, "kernel", "build", "--tree", tree, "--out", out],
                          stdout=sys.stderr, check=False)
    if done.returncode:
        sys.exit(done.returncode)
    return out


def explained_of(path):
    """[(program, pattern, reason)]"""
    rows = []
    with open(path, encoding="utf-8") as file:
        for line in file:
            if line.strip() and not line.startswith("#"):
                rows.append(line.split(None, 2))
    return rows


def why(rows, program, case):
    for name, pattern, reason in rows:
        if name == program and fnmatch.fnmatchcase(case, pattern):
            return reason.strip()
    return None


def run_program(args, program, path):
    """(rows of results, exit code, what was printed)."""
    command = [args.iommulab, "exec", "--kernel", args.kernel, "--", path]
    if args.filter:
        command += ["-t", args.filter]
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                          errors="replace", check=False)
    rows = []
    for line in done.stdout.splitlines():
        match = RESULT.match(line)
        if not match:
            continue
        ok, case, note = match.groups()
        skipped = bool(note) and note.upper().startswith("SKIP")
        result = "skip" if skipped else "pass" if ok == "ok" else "fail"
        rows.append({"program": program, "case": case, "result": result, "note": note or ""})
    return rows, done.returncode, done.stdout


def report(rows, quiet):
    """Prints what did not pass; (number of each result, of unexplained failures)."""
    count = {"pass": 0, "fail": 0, "skip": 0}
    unexplained = 0
    for row in rows:
        count[row["result"]] += 1
        if row["result"] == "fail" and not row["explained"]:
            unexplained += 1
        if row["result"] != "pass" and not quiet:
            print(f"{row['result']}: {row['program']} {row['case']}"
                  f"{': ' + (row['explained'] or row['note']) if row['explained'] or row['note'] else ''}")
    return count, unexplained


def main():
    parser = argparse.ArgumentParser()
    for name in ("--iommulab", "--tree", "--kernel", "--work", "--filter", "--json"):
        parser.add_argument(name, default="")
    args = parser.parse_args()
    tree = os.path.abspath(args.tree)
    if not args.work:
        cache = os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache")
        args.work = os.path.join(cache, "iommulab", "selftest",
                                 hashlib.sha1(tree.encode()).hexdigest()[:12])
    os.makedirs(args.work, exist_ok=True)
    explained = explained_of(os.path.join(os.path.dirname(__file__), "selftest_explained.txt"))
    quiet = args.json == "-"
    if not args.kernel:
        args.kernel = build_kernel(args, tree)
    rows, broken, begin = [], [], time.monotonic()
    for program in PROGRAMS:
        path, supplied = compile_program(tree, args.work, program)
        if supplied and not quiet:
            print(f"{program}: supplied, for its own headers lack it: {' '.join(supplied)}")
        got, code, text = run_program(args, program, path)
        for row in got:
            row["explained"] = why(explained, program, row["case"]) \
                if row["result"] != "pass" else None
        rows += got
        finished = re.search(r"^# Totals: ", text, re.M)
        if not finished or code not in (0, 1):
            broken.append(program)
            sys.stderr.write(text[-6000:])
            print(f"iommulab: kernel selftest: {program} ended with {code} after {len(got)} cases",
                  file=sys.stderr)
    count, unexplained = report(rows, quiet)
    seconds = time.monotonic() - begin
    text = (f"{len(rows)} cases: {count['pass']} pass, {count['fail']} fail "
            f"({count['fail'] - unexplained} explained), {count['skip']} skip, {seconds:.1f} s")
    print(text, file=sys.stderr if quiet else sys.stdout)
    if args.json:
        document = {"schema": 1, "command": "kernel selftest", "tree": tree, "pass": count["pass"],
                    "fail": count["fail"], "skip": count["skip"], "unexplained": unexplained,
                    "broken": broken, "cases": rows}
        with (sys.stdout if quiet else open(args.json, "w", encoding="utf-8")) as file:
            json.dump(document, file, indent=2)
            file.write("\n")
    return 1 if unexplained or broken or not rows else 0


if __name__ == "__main__":
    sys.exit(main())
