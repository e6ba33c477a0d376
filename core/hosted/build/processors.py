# SPDX-License-Identifier: GPL-2.0-only
"""How many processors may be used: in a container often fewer than the machine has."""
import os
import sys

# Controller as /proc/self/cgroup has it, folder of its hierarchy, files that hold share and period.
LIMITS = (
    ("", "", ("cpu.max",)),  # cgroup v2
    ("cpu", "cpu", ("cpu.cfs_quota_us", "cpu.cfs_period_us")),  # v1
)


def words(*names):
    text = []
    for name in names:
        with open(name, encoding="utf-8") as f:
            text += f.read().split()
    return text


def group_of(controller, proc):
    """Below the mount a container's own group is called / at times, whatever it is called here."""
    for line in words(os.path.join(proc, "self/cgroup")):
        _, controllers, group = line.split(":", 2)
        if controller in controllers.split(","):
            yield from dict.fromkeys((group.rstrip("/"), ""))


def quota(proc, cgroups):
    """The control group's share in processors, rounded up; None: it has no limit."""
    for controller, folder, files in LIMITS:
        try:
            for group in group_of(controller, proc):
                place = os.path.join(cgroups, folder) + group
                names = [os.path.join(place, name) for name in files]
                if all(map(os.path.exists, names)):
                    share, period = words(*names)
                    if share not in ("max", "-1"):
                        return -(-int(share) // int(period))
        except (OSError, ValueError):
            continue
    return None


def processors(proc="/proc", cgroups="/sys/fs/cgroup"):
    n = len(os.sched_getaffinity(0))
    return max(1, min(n, quota(proc, cgroups) or n))


if __name__ == "__main__":
    print(processors(*sys.argv[1:]))
