#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""Runs a test, and says where it stands when it does not end.

    watch.py SECONDS COMMAND...

ctest ends what takes too long without a word. This does it some time before: it prints the
processes below the test with their states, the line that each shell script has come to, what
gdb knows of the others, and the end of what they were writing. SIGTERM asks for it at once.
What the test ends with is what this ends with.
"""
import os
import signal
import stat
import sys

LINES = 15  # of each file, and of each backtrace
ENDED, ASKED = signal.SIGCHLD, signal.SIGTERM
DEFAULT = (signal.SIGINT, signal.SIGQUIT, signal.SIGHUP, signal.SIGPIPE, signal.SIGXFSZ)


def read(path):
    try:
        with open(path, "rb") as file:
            return file.read().decode("utf-8", "replace")
    except OSError:
        return ""


def children():
    """{process: the processes that it made}"""
    below = {}
    for name in os.listdir("/proc"):
        fields = read(f"/proc/{name}/stat").rpartition(")")[2].split() if name.isdecimal() else []
        if fields:
            below.setdefault(int(fields[1]), []).append(int(name))
    return below


def tree(pid):
    """(depth, process) of each below pid, parents first."""
    below, todo = children(), [(0, pid)]
    while todo:
        depth, one = todo.pop()
        if one != pid:
            yield depth, one
        todo += [(depth + 1, child) for child in sorted(below.get(one, ()), reverse=True)]


def script_line(pid):
    """Where a shell has read its script to: bash has it open under a high number."""
    for fd in ("255", "10"):
        path = f"/proc/{pid}/fd/{fd}"
        place = read(f"/proc/{pid}/fdinfo/{fd}").split()
        if not place or not os.path.isfile(path):
            continue
        with open(path, "rb") as file:
            done = file.read(int(place[1])).rstrip()
        return f"{os.readlink(path)}:{len(done.splitlines())}"
    return ""


def backtrace(pid):
    import subprocess  # not for the others: it takes time

    command = ["gdb", "-p", str(pid), "-batch", "-nx", "-ex", "thread apply all backtrace 12"]
    try:
        done = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                              stderr=subprocess.DEVNULL, timeout=30, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return []
    return [line for line in done.stdout.decode("utf-8", "replace").splitlines()
            if line.startswith("#")]


def outputs(pids):
    """{name: path} of files that they write to as standard output or error, and we do not."""
    def files(pid):
        for fd in (1, 2):
            path = f"/proc/{pid}/fd/{fd}"
            try:
                if stat.S_ISREG(os.stat(path).st_mode):
                    yield os.readlink(path), path
            except OSError:
                pass

    ours = dict(files("self"))
    return {name: path for pid in pids for name, path in files(pid) if name not in ours}


def show(title, lines):
    if lines:
        print(f"--- {title}", *lines[-LINES:], sep="\n")


def report(why):
    """What is to be seen of everything below us."""
    print(f"watch: {why}", flush=True)
    pids = []
    for depth, pid in tree(os.getpid()):
        pids.append(pid)
        args = read(f"/proc/{pid}/cmdline").replace("\0", " ")[:200]
        state = read(f"/proc/{pid}/stat").rpartition(")")[2].split()[:1]
        print("  " * depth, pid, *state, read(f"/proc/{pid}/wchan"), args)
        line = script_line(pid)
        if line:
            print("  " * depth, "  at", line)
    for pid in pids[:8]:
        if not script_line(pid):
            show(f"{pid} is in", backtrace(pid)[:LINES])
    for name, path in outputs(pids).items():
        show(name, read(path)[-4000:].splitlines())
    sys.stdout.flush()


def end_all():
    for _, pid in list(tree(os.getpid())):
        try:
            os.kill(pid, signal.SIGKILL)
        except ProcessLookupError:
            pass


def main():
    seconds, command = int(sys.argv[1]), sys.argv[2:]
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {ENDED, ASKED})
    # Whoever started ctest in the background may have had these ignored.
    test = os.posix_spawnp(command[0], command, os.environ, setsigmask=before, setsigdef=DEFAULT)
    while True:
        told = signal.sigtimedwait({ENDED, ASKED}, seconds)
        if told and told.si_signo == ENDED:
            pid, status = os.waitpid(test, os.WNOHANG)
            if pid:
                return os.waitstatus_to_exitcode(status)
            continue
        report("asked where it is" if told else f"has not ended after {seconds} s")
        end_all()
        return 1


if __name__ == "__main__":
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    code = main()
    # Of a shell: ctest wants a number.
    sys.exit(code if code >= 0 else 128 - code)
