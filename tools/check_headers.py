#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""Compiles each header of the rooms alone, with every compiler that is there."""

import os
import shutil
import subprocess
from concurrent.futures import ThreadPoolExecutor

from check_lib import Complaints, main, tree_files

COMPILERS = ("gcc", "clang-19", "clang-14")
LIBRARIES = ("yaml-0.1", "json-c", "popt", "libdw", "criterion")
FLAGS = ("-std=gnu17", "-D_GNU_SOURCE", "-DIOMMULAB_ASAN=0", "-DIOMMULAB_HOOKS=1",
         "-fsyntax-only", "-Wall", "-Wextra", "-Werror")
# Read with a kernel tree's headers, never alone.
HOSTED = ("core/hosted/force.h", "core/hosted/runtime.h", "core/hosted/custom/",
          "core/hosted/drivers/", "core/hosted/dup/", "core/hosted/stub/",
          "core/hosted/x86/")
TREES = ("sim/", "hw/", "core/", "scenarios/", "fuzz/", "tools/", "tests/")


def library_flags():
    out = subprocess.run(["pkg-config", "--cflags", *LIBRARIES], capture_output=True, text=True,
                         check=False)
    return out.stdout.split()


def check(args):
    complaints = Complaints("headers")
    compilers = [c for c in COMPILERS if shutil.which(c)]
    if not compilers:
        complaints.add("tools/check_headers.py", f"none of {', '.join(COMPILERS)} is installed")
    libraries = library_flags()
    headers = [name for name in tree_files(args.root) if name.endswith(".h") and
               name.startswith(TREES) and not name.startswith(HOSTED)]
    complaints.looked_at = len(headers)

    def alone(pair):
        name, compiler = pair
        run = subprocess.run([compiler, *FLAGS, *libraries, "-I", args.root, "-x", "c", "-"],
                             input=f'#include "{name}"\n', capture_output=True, text=True,
                             check=False)
        return run.stderr.splitlines() if run.returncode else None

    pairs = [(name, compiler) for name in headers for compiler in compilers]
    with ThreadPoolExecutor(len(os.sched_getaffinity(0))) as pool:
        for (name, compiler), errors in zip(pairs, pool.map(alone, pairs)):
            if errors is not None:
                first = next((l for l in errors if "error" in l), "failed")
                complaints.add(name, f"does not compile alone with {compiler}: {first}")
    return complaints.finish()


if __name__ == "__main__":
    main(check, __doc__)
