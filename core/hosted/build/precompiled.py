# SPDX-License-Identifier: GPL-2.0-only
"""Headers compiled once for the many files that include them; what a file means stays the same.

Most of a file's compilation is reading the kernel's headers again. Here those that
most files include are read once, before the first line of each. A file's object is kept only
if it is the one that it would be without (judging.py). All else, and what does not compile, is
compiled the long way. So an object depends on what it includes only, not on what else was
precompiled, and whether it was made so or so is no part of its key.
"""
import collections
import json
import os
import re
import threading
import time

import judging
from reading import read_text
from store import RACY_NS, digest, remove, write_whole

SAY = ("-H", "-fshow-skipped-includes")
PAIRED = ("-include", "-mllvm", "-Xclang")
FORM = 2            # of what is kept beside it
FEW = 6             # files for which nothing is precompiled
MOST = 0.75         # of the files have a flag that all are to have
ENDS = (".pch", ".pch.json")   # the source beside them is as old as the compiler saw it
EVERY = ".h.new"    # beside an object that is made: all that was included
MARK = "iommulab-each-file-its-own "
TRACES = (MARK.encode(), b"KBUILD_MODNAME", b"KBUILD_MODFILE", b"KBUILD_BASENAME")


def paired(flags):
    """The words of a command, those that belong together as one tuple."""
    words, rest = [], iter(flags)
    for word in rest:
        words.append((word, next(rest)) if word in PAIRED else (word,))
    return words


def flat(words):
    return [part for word in words for part in word]


def common(rows):
    """What nearly all of these commands have, in the order of one that has all of it."""
    count = collections.Counter(word for flags in rows for word in set(paired(flags)))
    wanted = {word for word, n in count.items() if n >= MOST * len(rows)}
    for flags in rows:
        words = paired(flags)
        if wanted <= set(words):
            return [word for word in words if word in wanted]
    return None


class Precompiled:
    """For files whose commands have `base` in common; `headers` are as in #include <...>."""

    def __init__(self, compiler, base, headers, hidden):
        store = compiler.store
        self.compiler, self.store, self.base = compiler, store, base
        self.hidden = hidden    # a header to be read behind, with the pragma that ends with them
        # As lines and not as options: of these the compiler says what they include.
        self.firsts = [w[1] for w in base if w[0] == "-include"]
        self.text = "".join(
            [f'#include "{path}"\n' for path in self.firsts] +
            [f'#define {name}(fmt) "{MARK}" fmt\n' for name in judging.OWN] +
            [f"#include <{name}>\n" for name in headers] +
            [f"#undef {name}\n#define {name}(fmt) fmt\n" for name in judging.OWN])
        self.options = flat(w for w in base if w[0] != "-include")
        self.key = digest(FORM, compiler.version, compiler.names, self.text, *self.options)
        self.path = store.path("precompiled", self.key + ".pch")
        self.trusted = False    # files of ours, which keep to the rules
        self.index = self.known = None   # what it holds, when it can be used; its files' numbers
        self.worth = False  # making it
        self.guard, self.asked, self.texts = threading.Lock(), False, {}
        self.learning, self.is_learned, self.began = threading.Lock(), None, 0

    # --- commands ---

    def is_own(self, path):
        """Whether a file's compilation read that itself, of the files that the compiler names."""
        return path not in self.known and \
            path not in (self.path, self.path[:-4] + ".h", self.hidden)

    def own_firsts(self, flags):
        """What a command alone includes before the source."""
        return [w[1] for w in paired(flags) if w[0] == "-include" and w not in self.base]

    def fits(self, flags, made=""):
        """The command for use with it, or None."""
        words = paired(flags)
        if not set(self.base) <= set(words):
            return None
        for option in ("-I", "-include"):
            of_this = [w in self.base for w in words if w[0].startswith(option)]
            if False in of_this[:sum(of_this)]:
                return None
        rest = [w for w in words if w[0] != "-include" or w not in self.base]
        every = ["-header-include-file", made + EVERY, "-header-include-filtering=none",
                 "-header-include-format=textual"] if self.own_firsts(flags) else []
        return ["-include-pch", self.path, "-include", self.hidden, *flat(rest), *SAY,
                *flat(("-Xclang", word) for word in every)]

    # --- making ---

    def ready(self):
        """Made when first asked for; whether it can be used."""
        with self.guard:
            if not self.asked:
                self.asked = True
                try:
                    self.index = self._kept() or (self._make() if self.worth else None)
                    self.known = self._numbers(self.index["files"]) if self.index else None
                except OSError:
                    self.index = None
        return self.index is not None

    def learned(self):
        """Whether it is known what the headers say, too: found out once, while files compile."""
        with self.learning:
            if self.is_learned is None:
                try:
                    self.is_learned = self._learn()
                except OSError:
                    self.is_learned = False
        return self.is_learned

    def _learn(self):
        index = self.index
        if "macros" in index:
            return True
        index["macros"] = {}
        if not self.trusted:
            status, said = self.compiler.run(["clang-19", "-include-pch", self.path, *self.options,
                                              "-w", "-E", "-dM", "-x", "c", os.devnull])
            if status:
                return False
            judging.learn(index, said)
        # A header this young may have changed since: then it serves this build only.
        if max(changed for _, changed, _ in index["stamps"]) < self.began - RACY_NS:
            write_whole(self.path + ".json", json.dumps(index))
        return True

    def _kept(self):
        try:
            with open(self.path + ".json", encoding="utf-8") as f:
                index = json.load(f)
            if index["stamps"] != self._stamps(index["files"]) or \
                    not os.path.exists(self.path[:-4] + ".h") or \
                    not all(self.store.used("precompiled", self.key + end) for end in ENDS):
                return None
            return self._numbered(index)
        except (OSError, ValueError, KeyError, TypeError):
            return None

    @staticmethod
    def _stamps(files):
        stats = map(os.stat, files)
        return [[s.st_mtime_ns, s.st_ctime_ns, s.st_size] for s in stats]

    def _make(self):
        source, deps, new = self.path[:-4] + ".h", self.path + ".d.new", self.path + ".new"
        self.began = time.time_ns()
        try:
            remove(self.path + ".json")
            write_whole(source, self.text)
            status, said = self.compiler.run(["clang-19", *self.options, "-w", *SAY, "-MD", "-MF",
                                              deps, "-x", "c-header", source, "-o", new])
            if status:
                return None
            files = sorted({f for f in self.compiler.read_deps(deps) if f != source})
            index = {"files": files, "stamps": self._stamps(files), "edges": self._edges(files, said)}
            os.replace(new, self.path)
            return self._numbered(index)
        finally:
            remove(new)
            remove(deps)

    def _edges(self, files, said):
        """For each file those that it includes."""
        known, stack, edges = self._numbers(files), [], [[] for _ in files]
        for depth, path in judging.visits(said, self.compiler.cwd):
            stack = stack[:depth - 1]
            number = known.get(path)
            if stack and number is not None and stack[-1] is not None:
                edges[stack[-1]].append(number)
            stack.append(number)
        return edges

    @staticmethod
    def _numbers(files):
        return {path: number for number, path in enumerate(files)}

    def _numbered(self, index):
        """With the numbers of what all include; None if it does not include that."""
        known = self._numbers(index["files"])
        firsts = (os.path.normpath(os.path.join(self.compiler.cwd, f)) for f in self.firsts)
        index["always"] = [known.get(f) for f in firsts]
        return index if None not in index["always"] else None

    # --- judging ---

    def judge(self, source, files, said, made):
        """The precompiled headers that the object depends on; None: it is not to be used."""
        if not self.learned():
            return None
        with open(made, "rb") as f:
            content = f.read()
        if any(trace in content for trace in TRACES):
            return None
        order = judging.Order(self.index["edges"], self.index["always"])
        order.walk(self._visits(source, said, made), self.known, source.path)
        if not self.trusted:
            texts = {path: self._text(path) for path in files if not path.endswith(".txt")}
            given = [w[0][2:] for w in paired(source.flags)
                     if w[0][:2] in ("-D", "-U") and w not in self.base]
            own = judging.Own(self.index, given, texts)
            if own.changes(order) or own.borrows(order):
                return None
        return [self.index["files"][number] for number in sorted(order.came)]

    def _visits(self, source, said, made):
        if not self.own_firsts(source.flags):
            return judging.visits(said, self.compiler.cwd)
        with open(made + EVERY, encoding="utf-8", errors="surrogateescape") as f:
            firsts = {self.hidden, *self.own_firsts(source.flags)}
            return judging.all_visits(said, f.read(), firsts, self.compiler.cwd)

    def _text(self, path):
        if path not in self.texts:
            self.texts[path] = read_text(path)
        return self.texts[path]


