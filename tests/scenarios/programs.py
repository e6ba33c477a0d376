# SPDX-License-Identifier: GPL-2.0-only
"""What programs.sh does with each witness: noise into its program, and what came of it.

    programs.py noise PROGRAM.syz    the program among calls that have nothing to do with it
    programs.py check WITNESS...     folders with witness.json, alone.json, noisy.json, times
"""
import json
import re
import sys
from pathlib import Path

# Calls on files and memory of their own; what they give is the next ones' (rN: see rename()).
NOISE = [
    "n0 = openat(0xffffffffffffff9c, &(0x20a00000)='/dev/iommu\\x00', 0x2, 0x0)",
    "ioctl$IOMMU_IOAS_ALLOC(n0, 0x3b81, &(0x20a00100)={0xc, 0x0, <n1=>0x0})",
    "mmap(&(0x20b00000)=nil, 0x4000, 0x3, 0x32, 0xffffffffffffffff, 0x0)",
    "ioctl$IOMMU_IOAS_MAP(n0, 0x3b85, &(0x20a00140)={0x28, 0x7, n1, 0x0, &(0x20b00000), 0x2000, 0x1000000})",
    "n2 = dup(n0)",
    "ioctl$IOMMU_IOAS_IOVA_RANGES(n2, 0x3b84, &(0x20a00180)={0x20, n1, 0x0, 0x0, 0x0})",
    "n3 = eventfd2(0x0, 0x0)",
    "ioctl$IOMMU_IOAS_UNMAP(n0, 0x3b86, &(0x20a001c0)={0x18, n1, 0x1000000, 0x2000})",
    "close(n3)",
    "munmap(&(0x20b00000)=nil, 0x4000)",
]
# The same for a program that counts on how many descriptors there are: a call fails by its number.
NO_DESCRIPTORS = [NOISE[2], NOISE[9]]
# A shrunk program may have this many times the calls of the smallest known.
CALLS_MOST = 1.5
SECONDS_MOST = 10


def groups(lines):
    """Each call with the lines before it that belong to it."""
    group = []
    for line in lines:
        group.append(line)
        if not line.startswith("#") and not line.startswith("syz_"):
            yield group
            group = []
    if group:
        yield group


def rename(text, used):
    """Noise's names as results that the program does not have."""
    return re.sub(r"\bn(\d)\b", lambda m: f"r{used + int(m[1])}", text)


def noisy(text):
    lines = text.splitlines()
    head = [line for line in lines if line.startswith(("# iommulab: yaml", "# iommulab: memory"))]
    body = [line for line in lines if line not in head]
    used = 1 + max((int(n) for n in re.findall(r"\br(\d+)\b", text)), default=0)
    kinds = NO_DESCRIPTORS if "fail_nth" in text else NOISE
    out, number, calls = head[:], {}, 0  # number: of a call in the noisy text, by the old one
    for i, group in enumerate(groups(body)):
        out.append(rename(kinds[i % len(kinds)], used))
        calls += 2
        number[i + 1] = calls
        out += [re.sub(r"(?<=, after )(.*)",
                       lambda m: " ".join(str(number[int(k)]) for k in m[1].split()), line)
                if line.startswith("# iommulab: thread") else line for line in group]
    out += [rename(noise, used) for noise in kinds]
    return "\n".join(out) + "\n"


def finding(file):
    """The run's JSON; None where it did not find what the witness expects."""
    run = json.loads(file.read_text())
    return run if run["outcome"] == "expected-finding" else None


def check(folders):
    bad, times = [], []
    for folder in folders:
        alone, among = finding(folder / "alone.json"), finding(folder / "noisy.json")
        seconds = [float(n) for n in (folder / "times").read_text().split()]
        times.append(seconds[0])
        why = []
        if not alone or not among:
            why.append(f"not found {'alone' if not alone else 'among noise'}")
        else:
            if among["ops"] > CALLS_MOST * alone["ops"]:
                why.append(f"{among['ops']} calls of {among['ops_before']} are left, "
                           f"{alone['ops']} are enough")
        if max(seconds) > SECONDS_MOST:
            why.append(f"{max(seconds):.1f} s")
        if why:
            bad.append(f"{folder.name}: {'; '.join(why)}")
    print("\n".join(bad))
    times.sort()
    print(f"{len(times)} witnesses that are programs: found in {times[len(times) // 2]:.2f} s "
          f"(median), {times[-1]:.2f} s (slowest); {len(bad)} bad")
    return 1 if bad or times[len(times) * 3 // 4] > 1 else 0


if __name__ == "__main__":
    if sys.argv[1] == "noise":
        sys.stdout.write(noisy(Path(sys.argv[2]).read_text()))
    else:
        sys.exit(check([Path(name) for name in sys.argv[2:]]))
