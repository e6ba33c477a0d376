# SPDX-License-Identifier: GPL-2.0-only
"""What a tree's headers offer, found out by compiling a line of code each.

One run of the compiler for all rows of probes.txt: each is a function of its
own, its errors carry its name as the file's.
"""
import os
import re
import subprocess

import overlay
from store import digest, write_whole
from tree import Failure


def rows(path):
    with open(path, encoding="ascii") as f:
        for number, line in enumerate(f, 1):
            line = line.strip()
            if not line or line.startswith("#"):
                continue
            parts = [part.strip() for part in line.split(":", 2)]
            if len(parts) != 3:
                raise Failure(f"{path}:{number}: expected NAME: header...: statement")
            yield parts


def includes(probes):
    headers = sorted({name for _, names, _ in probes for name in names.split()})
    return [f"#include <{name}>" for name in headers]


def source(probes):
    lines = includes(probes)
    for name, _, statement in probes:
        lines += [f'#line 1 "probe-{name}"', f"void probe_{name}(void);",
                  f"void probe_{name}(void) {{ {statement} }}"]
    return "\n".join(lines) + "\n"


def complaint(probes, said, c, argv, cwd):
    """What the compiler says of the headers alone: probes fail where all is well, too."""
    overlay.write_if_changed(c, "\n".join(includes(probes)) + "\n")
    run = subprocess.run(argv, cwd=cwd, capture_output=True, text=True, errors="replace",
                         check=False)
    return run.stderr if run.returncode else said


def ask(compiler, table, flags, out):
    """Writes the header of HOSTED_HAS_NAME; asks again only when a header that was read changed."""
    store, probes = compiler.store, list(rows(table))
    text = source(probes)
    key = digest(compiler.version, compiler.names, text, *map(store.marked, flags))
    made = store.find(key, "probes")
    if not made:
        c, deps = out + ".c", out + ".d"
        overlay.write_if_changed(c, text)
        argv = ["clang-19", *flags, *compiler.extra, "-fsyntax-only", "-ferror-limit=0", "-MD",
                "-MF", deps, c]
        run = subprocess.run(argv, cwd=compiler.cwd, capture_output=True, text=True,
                             errors="replace", check=False)
        failed = set(re.findall(r"^probe-(\w+):\d+:\d+: error:", run.stderr, re.M))
        other = [line for line in run.stderr.splitlines()
                 if " error: " in line and not line.startswith("probe-")]
        if other or (run.returncode and not failed) or not os.path.exists(deps):
            raise Failure("the tree's headers do not compile, or not with the runtime "
                          "(the compiler's text is above)",
                          complaint(probes, run.stderr, c, argv, compiler.cwd))
        lines = [f"#define HOSTED_HAS_{name} {int(name not in failed)}" for name, _, _ in probes]
        made = store.add(key, map(store.name, compiler.read_deps(deps)))
        write_whole(store.path("probes", made), "\n".join(["/* Made by probes.py. */", *lines, ""]))
    with open(store.path("probes", made), encoding="ascii") as f:
        overlay.write_if_changed(out, f.read())
