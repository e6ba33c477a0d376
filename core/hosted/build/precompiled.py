# SPDX-License-Identifier: GPL-2.0-only
"""Headers compiled once for the many files that include them; what a file means stays the same.

Most of a file's compilation is reading the kernel's headers again. Here those that
most files include are read once, before the first line of each. A file's object is kept only
if it is the one that it would be without: of the files that it read itself (N) and the
precompiled ones that it includes, directly or not (R),
 - N defines no macro that R mentions: R reads the same before N as after;
 - N uses no macro, and calls no function, that only a precompiled header outside R has;
 - no inline function in it expanded a macro that each file gives a meaning of its own (pr_fmt).
All else, and what does not compile, is compiled the long way. So an object depends on N and
R only, not on what else was precompiled, and whether it was made so or so is no part of its key.
"""
import collections
import json
import os
import re
import threading
import time

from store import RACY_NS, digest, remove, write_whole

SAY = ("-H", "-fshow-skipped-includes")
PAIRED = ("-include", "-mllvm", "-Xclang")
FEW = 6             # files for which nothing is precompiled
MOST = 0.75         # of the files have a flag that all are to have
ENDS = (".pch", ".pch.json")   # the source beside them is as old as the compiler saw it
MARK = "iommulab-each-file-its-own "
# What files define before their first header; expanded in an inline function it leaves a mark.
OWN = ("pr_fmt", "dev_fmt")
# Words of a file's command that name it: a header that expands one does not compile without.
NAMED = ("-DKBUILD_", "-D__KBUILD_")
TRACES = (MARK.encode(), b"KBUILD_MODNAME", b"KBUILD_MODFILE", b"KBUILD_BASENAME")
COMMENT = re.compile(r"/\*.*?\*/|//[^\n]*", re.S)
DEFINED = re.compile(r"^[ \t]*#[ \t]*(?:define|undef)[ \t]+(\w+)", re.M)
INCLUDED = re.compile(r"^[ \t]*#[ \t]*include\b", re.M)
CALLED = re.compile(r"\b([A-Za-z_]\w*)[ \t]*\(")
WORD = re.compile(r"[A-Za-z_]\w*")


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


class Text:
    """What the rules above ask of a file; `early`: the names that it defines before it includes all."""

    def __init__(self, text):
        text = COMMENT.sub(" ", text.replace("\\\n", " "))
        last = max((m.start() for m in INCLUDED.finditer(text)), default=0)
        defined = [(m[1], m.start() < last) for m in DEFINED.finditer(text)]
        self.early = {name for name, is_early in defined if is_early}
        self.late = {name for name, _ in defined} - self.early
        self.defined = self.early | self.late
        self.called = set(CALLED.findall(text))
        self.words = set(WORD.findall(text))


def read_text(path):
    with open(path, encoding="utf-8", errors="surrogateescape") as f:
        return Text(f.read())


def visits(said, cwd):
    """(depth, path) of each #include that the compiler met, from what -H made it say."""
    for dots, path in re.findall(r"^(\.+) (.+)$", said, re.M):
        yield len(dots), os.path.normpath(os.path.join(cwd, path))


class Order:
    """When a file's compilation came to which precompiled headers (R), and when to its own (N)."""

    def __init__(self, edges, always):
        self.edges, self.now, self.came, self.own = edges, 0, {}, {}
        self._reach(always)

    def _reach(self, numbers):
        todo = set(numbers)
        while todo:
            number = todo.pop()
            if number not in self.came:
                self.came[number] = self.now
                todo |= set(self.edges[number])

    def walk(self, rows, known):
        stack = []
        for depth, path in rows:
            self.now += 1
            while stack and stack[-1][0] >= depth:
                self._leave(stack.pop()[1])
            if path in known:
                self._reach([known[path]])
            else:
                self.own.setdefault(path, [self.now, None])
                stack.append((depth, path))
        while stack:
            self._leave(stack.pop()[1])

    def _leave(self, path):
        if self.own[path][1] is None:
            self.own[path][1] = self.now

    def after(self, holders, when):
        """Whether one of the headers was reached only then."""
        return any(self.came.get(number, -1) > when for number in holders)

    def has(self, holders):
        return any(number in self.came for number in holders)


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
            [f'#define {name}(fmt) "{MARK}" fmt\n' for name in OWN] +
            [f"#include <{name}>\n" for name in headers] +
            [f"#undef {name}\n#define {name}(fmt) fmt\n" for name in OWN])
        self.options = flat(w for w in base if w[0] != "-include")
        self.key = digest(compiler.version, compiler.names, self.text, *self.options)
        self.path = store.path("precompiled", self.key + ".pch")
        self.trusted = False    # files of ours, which keep to the rules
        self.index = None   # what it holds, when it can be used
        self.worth = False  # making it
        self.guard, self.asked, self.texts = threading.Lock(), False, {}

    # --- commands ---

    def is_own(self, path):
        """Whether a file's compilation read that itself, of the files that the compiler names."""
        return path not in self.index["known"] and \
            path not in (self.path, self.path[:-4] + ".h", self.hidden)

    def fits(self, flags):
        """The command for use with it, or None; the names that it defines besides."""
        words = paired(flags)
        if not set(self.base) <= set(words):
            return None
        for option in ("-I", "-include"):
            of_this = [w in self.base for w in words if w[0].startswith(option)]
            if False in of_this[:sum(of_this)]:
                return None
        rest = [w for w in words if w[0] != "-include" or w not in self.base]
        return ["-include-pch", self.path, "-include", self.hidden, *flat(rest), *SAY]

    def named(self, flags):
        """Macros of the command line that are not those of all."""
        return {re.match(r"\w+", w[0][2:])[0] for w in paired(flags)
                if w[0].startswith("-D") and w not in self.base and not w[0].startswith(NAMED)}

    # --- making ---

    def ready(self):
        """Made when first asked for; whether it can be used."""
        with self.guard:
            if not self.asked:
                self.asked = True
                try:
                    self.index = self._kept() or (self._make() if self.worth else None)
                except OSError:
                    self.index = None
        return self.index is not None

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
        return [[s.st_mtime_ns, s.st_size] for s in stats]

    def _make(self):
        source, deps = self.path[:-4] + ".h", self.path + ".d.new"
        new, began = self.path + ".new", time.time_ns()
        try:
            remove(self.path + ".json")
            write_whole(source, self.text)
            status, said = self.compiler.run(["clang-19", *self.options, "-w", *SAY, "-MD", "-MF",
                                              deps, "-x", "c-header", source, "-o", new])
            if status:
                return None
            files = [f for f in self.compiler.read_deps(deps) if f != source]
            index = self._read(sorted(set(files)), said)
            # A header this young may have changed since: then it serves this build only.
            if max(when for when, _ in index["stamps"]) < began - RACY_NS:
                write_whole(self.path + ".json", json.dumps(index))
            os.replace(new, self.path)
            return self._numbered(index)
        finally:
            remove(new)
            remove(deps)

    def _read(self, files, said):
        index = {"files": files, "stamps": self._stamps(files), "edges": [[] for _ in files],
                 "words": {}, "called": {}, "defined": {}}
        known, stack = {path: number for number, path in enumerate(files)}, []
        for depth, path in visits(said, self.compiler.cwd):
            stack = stack[:depth - 1]
            number = known.get(path)
            if stack and number is not None and stack[-1] is not None:
                index["edges"][stack[-1]].append(number)
            stack.append(number)
        for number, path in enumerate(files):
            text = read_text(path)
            for kind in ("words", "called", "defined"):
                for word in getattr(text, kind):
                    index[kind].setdefault(word, []).append(number)
        return index

    def _numbered(self, index):
        index["known"] = {path: number for number, path in enumerate(index["files"])}
        firsts = (os.path.normpath(os.path.join(self.compiler.cwd, f)) for f in self.firsts)
        index["always"] = [index["known"].get(f) for f in firsts]
        return index if None not in index["always"] else None

    # --- judging ---

    def judge(self, source, files, said, made):
        """The precompiled headers that the object depends on; None: it is not to be used."""
        with open(made, "rb") as f:
            content = f.read()
        if any(trace in content for trace in TRACES):
            return None
        known, order = self.index["known"], Order(self.index["edges"], self.index["always"])
        order.walk(visits(said, self.compiler.cwd), known)
        # The source itself is left when nothing comes any more.
        order.own[source.path] = [0, order.now]
        names = self.named(source.flags)
        texts = {path: self._text(path) for path in files
                 if path.endswith((".c", ".h"))}
        if not self.trusted and (self._changes(names, texts, order) or
                                 self._borrows(names, list(texts.values()), order)):
            return None
        return [self.index["files"][number] for number in sorted(order.came)]

    def _text(self, path):
        if path not in self.texts:
            self.texts[path] = read_text(path)
        return self.texts[path]

    def _changes(self, names, texts, order):
        """A name that a precompiled header mentions which would have been read behind it."""
        rows = [(names, 0)]
        for path, text in texts.items():
            came, left = order.own.get(path, (0, 0))
            rows += [(text.early, came), (text.late, left)]
        words = self.index["words"]
        return [name for some, when in rows for name in some
                if name not in OWN and order.after(words.get(name, ()), when)]

    def _borrows(self, names, texts, order):
        """A name that it has only from what it does not include."""
        own = set(names).union(*(text.defined for text in texts))
        words, called = (set().union(*(getattr(text, kind) for text in texts)) - own
                         for kind in ("words", "called"))
        index = self.index
        return [word for word in words & index["defined"].keys()
                if not order.has(index["defined"][word])] + \
            [word for word in called & index["called"].keys()
             if not order.has(index["words"][word])]
