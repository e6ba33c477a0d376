# SPDX-License-Identifier: GPL-2.0-only
"""Runs compilers, a few at once, for the objects that the store does not have."""
import collections
import os
import re
import shutil
import signal
import subprocess
import threading

from precompiled import EVERY, FEW, Precompiled, common
from store import digest, remove
from tree import Failure

MANY = 20  # files, with which a user wants to know that it will take a while
FAILED_MAX = 20
SPACE_MIN = 4 << 20  # bytes; with less, what does not compile need not be the source's fault
# From bit code; all else that matters to it is in there.
INLINE = ["clang-19", "-w", "-O1", "-fPIC", "-m64", "-c", "-x", "ir",
          "-Xclang", "-mlink-builtin-bitcode", "-Xclang"]


class Source:
    """
    A file to be compiled: the object's label, the source, the flags; bit code whose functions
    are to be compiled in where the compiler's passes put calls of them.
    """

    def __init__(self, label, path, flags, inlined=None):
        self.label, self.path, self.flags, self.inlined = label, path, flags, inlined
        self.key = self.object = None
        self.headers = None     # Precompiled, if its command goes with some


def work_of(source):
    """About how long it takes: by its size; code is generated for twice as much with hooks in it."""
    size = os.path.getsize(source.path) if os.path.exists(source.path) else 0
    return 3 * size if source.inlined else size


class Compiler:
    def __init__(self, store, cwd, jobs, progress):
        self.store, self.cwd, self.jobs, self.progress = store, cwd, jobs, progress
        self.version = subprocess.run(["clang-19", "--version"], capture_output=True, text=True,
                                      check=True).stdout.splitlines()[0]
        self.extra = []     # flags that decide nothing (where a patched file lies)
        self.names = ""     # a hash of the names of all headers
        self.running, self.guard, self.stopped = set(), threading.Lock(), False

    def key(self, source):
        flags = [self.store.marked(word) for word in source.flags]
        if source.inlined:
            flags.append("inlined " + os.path.basename(source.inlined))
        return digest(self.version, self.names, self.store.name(source.path), *flags)

    def precompile(self, sources, headers, hidden, trusted):
        """Lets them share what they read first, where their commands are alike."""
        base = common([source.flags for source in sources])
        if not base or self.extra:
            return
        precompiled = Precompiled(self, base, headers, hidden)
        precompiled.trusted = trusted
        for source in sources:
            if precompiled.fits(source.flags):
                source.headers = precompiled

    def compile(self, sources):
        """Gives each source its object's path; how many had to be compiled."""
        todo = []
        for source in sources:
            source.key = self.key(source)
            made = self.store.find(source.key, "objects")
            source.object = made and self.store.path("objects", made)
            if not made:
                todo.append(source)
        # What takes longest first: no core is idle at the end.
        queue = sorted(todo, key=work_of, reverse=True)
        self.n_done, self.n_all, self.failed = 0, len(todo), {}
        self.n_plain = 0
        headers = collections.Counter(s.headers for s in todo if s.headers)
        for precompiled, n in headers.items():
            precompiled.worth = n >= FEW
        queue = [p for p in headers if p.worth] + queue
        workers = [threading.Thread(target=self._work, args=(queue,), daemon=True)
                   for _ in range(min(self.jobs, len(todo)))]
        for worker in workers:
            worker.start()
        try:
            for worker in workers:
                while worker.is_alive():
                    worker.join(0.2)
                    self.progress(f"compiling: {self.n_done} of {self.n_all} files",
                                  self.n_all >= MANY)
        except BaseException:
            self.stop()
            raise
        if self.failed:
            self._complain(todo)
        return len(todo)

    def stop(self):
        with self.guard:
            self.stopped = True
            for process in self.running:
                process.send_signal(signal.SIGTERM)
        for process in list(self.running):
            process.wait()

    def _work(self, queue):
        while True:
            with self.guard:
                if not queue or self.stopped or len(self.failed) >= FAILED_MAX:
                    return
                todo = queue.pop(0)
            if isinstance(todo, Source):
                self._one(todo)
                self.n_done += 1
            elif todo.ready():
                todo.learned()

    def _one(self, source):
        out = self.store.path("objects", f"{source.key}.new")
        deps = out[:-len(".new")] + ".d.new"
        code = out[:-len(".new")] + ".bc.new"
        try:
            files = self._with_headers(source, out, deps, code)
            if not files:
                status, text = self._steps(source, source.flags, out, deps, code)
                if status:
                    self.failed[source.label] = text
                    return
                files = self.read_deps(deps)
            with self.guard:
                made = self.store.add(source.key, map(self.store.name, files))
            source.object = self.store.path("objects", made)
            os.replace(out, source.object)
        except OSError as e:
            self.failed[source.label] = f"{e.filename}: {e.strerror}\n"
        finally:
            for path in (out, deps, code, out + EVERY):
                remove(path)

    def _steps(self, source, flags, out, deps, code):
        argv = ["clang-19", *flags, *self.extra, "-MD", "-MF", deps, "-c"]
        if not source.inlined:
            return self.run([*argv, "-o", out, source.path])
        status, said = self.run([*argv, "-emit-llvm", "-o", code, source.path])
        if not status:
            status, more = self.run([*INLINE, source.inlined, "-o", out, code])
            said += more
        return status, said

    def _with_headers(self, source, out, deps, code):
        """On precompiled headers; the files that the object depends on, None if that will not do."""
        headers = source.headers
        if not headers or not headers.ready():
            return None
        status, said = self._steps(source, headers.fits(source.flags, out), out, deps, code)
        if not status:
            own = [f for f in self.read_deps(deps) if headers.is_own(f)]
            more = headers.judge(source, own, said, out)
            if more is not None:
                return own + more
        self.n_plain += 1
        return None

    def run(self, argv):
        with self.guard:
            if self.stopped:
                return 1, ""
            process = subprocess.Popen(argv, cwd=self.cwd, stdin=subprocess.DEVNULL,
                                       stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                                       text=True, errors="replace")
            self.running.add(process)
        text = process.communicate()[0]
        with self.guard:
            self.running.discard(process)
        return process.returncode, text or f"clang-19 ended with status {process.returncode}\n"

    def read_deps(self, path):
        """The files of a make rule, absolute."""
        with open(path, encoding="utf-8", errors="surrogateescape") as f:
            text = f.read().replace("\\\n", " ").partition(": ")[2]
        words = re.findall(r"(?:\\.|[^\s\\])+", text)
        return [os.path.normpath(os.path.join(self.cwd, re.sub(r"\\(.)", r"\1", w).replace("$$", "$")))
                for w in words]

    def _complain(self, todo):
        folder = self.store.path("objects", "")
        if shutil.disk_usage(folder).free < SPACE_MIN:
            raise Failure(f"{folder}: no space left on device")
        texts = [self.failed[s.label] for s in todo if s.label in self.failed]
        names = [s.label for s in todo if s.label in self.failed]
        more = f" and {len(names) - 1} more" if len(names) > 1 else ""
        raise Failure(f"{names[0][:-2]}.c{more} does not compile (the compiler's text is above)",
                      "".join(texts))
