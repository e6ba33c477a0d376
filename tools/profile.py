#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""
Makes the profile that `tuned` is compiled with: how often what runs, and who calls whom.

    profile.py PROGRAM LLVM-PROFDATA OUT

PROGRAM counts (-fprofile-generate). It is trained on the stories and on random
programs, a fixed number of runs of each: no row of `iommulab bench` is run, and no
clock decides what is, so that the same sources give the same profile. What training
did not reach is left out of the profile and compiled as without one; as it is, it
would be compiled as code that nobody runs. OUT is written when it is another.
"""
import ctypes
import glob
import os
import subprocess
import sys
import tempfile

ADDR_NO_RANDOMIZE = 0x40000  # linux/personality.h
RUNS = 200
PROGRAMS = 1000


def training():
    """The arguments of each run of the program."""
    # Firmware is not built here; the story of deferred unmaps takes as long as all others.
    left_out = {"firmware-copy", "vtd-lazy"}
    for path in sorted(glob.glob("scenarios/story/*.yaml")):
        if os.path.basename(path)[:-5] not in left_out:
            for oracles in ("none", "all"):
                yield ["run", f"--runs={RUNS}", f"--oracles={oracles}", path]
    for path in sorted(glob.glob("scenarios/program/*.syz")):
        yield ["run", f"--runs={RUNS}", "--oracles=none", path]
    yield ["diff", "--kernel=model", "--against=model-7.3", f"--generate={PROGRAMS}"]


def fixed_addresses():
    """Programs lie where they always do: some counts depend on where names and variables are."""
    ctypes.CDLL(None).personality(ADDR_NO_RANDOMIZE)


def train(program, folder):
    env = dict(os.environ, LLVM_PROFILE_FILE=os.path.join(folder, "%p.profraw"))
    for arguments in training():
        done = subprocess.run([program, *arguments], env=env, stdin=subprocess.DEVNULL,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                              preexec_fn=fixed_addresses)
        # A finding is for the tests to complain about.
        if done.returncode not in (0, 1):
            sys.exit(f"profile.py: {' '.join(arguments)}: exit code {done.returncode}\n"
                     + done.stdout)


def reached(text):
    """The records of a profile as text, without those whose counters are all zero."""
    kept = []
    for record in text.split("\n\n"):
        lines = [l for l in record.split("\n") if not l.startswith("#")]
        if not record.strip():
            continue
        # A name, a hash, how many counters, the counters; what else there is may follow.
        # The first record comes after lines that begin with a colon.
        at = next(i for i, l in enumerate(lines) if l and not l.startswith(":"))
        n = int(lines[at + 2])
        counters = lines[at + 3:at + 3 + n]
        if any(c != "0" for c in counters):
            kept.append("\n".join(lines[at:]))
    return ":ir\n" + "\n\n".join(kept) + "\n"


def main():
    program, profdata, out = sys.argv[1:]
    with tempfile.TemporaryDirectory(dir=os.path.dirname(os.path.abspath(out))) as folder:
        train(os.path.abspath(program), folder)
        raw = sorted(glob.glob(os.path.join(folder, "*.profraw")))
        text = subprocess.run([profdata, "merge", "--text", *raw], check=True,
                              stdout=subprocess.PIPE, text=True).stdout
        kept = os.path.join(folder, "kept.proftext")
        with open(kept, "w") as file:
            file.write(reached(text))
        new = os.path.join(folder, "new.profdata")
        subprocess.run([profdata, "merge", kept, "-o", new], check=True)
        with open(new, "rb") as file:
            data = file.read()
        if os.path.exists(out):
            with open(out, "rb") as file:
                if file.read() == data:
                    return
        os.replace(new, out)


main()
