# SPDX-License-Identifier: GPL-2.0-only
"""Whether a file that was compiled on precompiled headers is as it would be without.

It is, if of the files that its compilation read itself (N) and the precompiled ones that it
includes, directly or not (R),
 - N defines no macro that R mentions where it is read behind that: R reads the same before N;
 - N uses no macro, and calls no function, that only a precompiled header outside R has;
 - no inline function in it expanded a macro that each file gives a meaning of its own (pr_fmt).
R mentions a macro in its code and its #ifs, or by macros of which that is true. Parts of N and R
count where they may be compiled: what an #if says is known where no file but those that all
include first, whatever it says, defines what it asks for.
"""
import itertools
import os
import re

from reading import Unknown, read_text

# What files define before their first header; expanded in an inline function it leaves a mark.
OWN = ("pr_fmt", "dev_fmt")
# Words of a file's command that name it: a header that expands one does not compile without.
NAMED = ("KBUILD_", "__KBUILD_")
KINDS = ("words", "given", "called", "expanded")
INDEX = ("words", "given", "called", "asked", "mentioned", "in_macros", "given_in_macros", "defined")
IN_MACROS = {"words": "in_macros", "given": "given_in_macros"}


def visits(said, cwd):
    """(depth, path) of each #include that the compiler met, from what -H made it say."""
    for dots, path in re.findall(r"^(\.+) (.+)$", said, re.M):
        yield len(dots), os.path.normpath(os.path.join(cwd, path))


def all_visits(said, every, firsts, cwd):
    """The same with those of the files that a command includes, of which -H says nothing.

    `every`: all in order, without depth. What a first file includes counts as its own.
    """
    rows = list(visits(said, cwd))
    every = [os.path.normpath(os.path.join(cwd, line)) for line in every.splitlines()]
    n = next((n for n, (row, path) in enumerate(zip(rows, every)) if row[1] != path), len(rows))
    middle = every[n:len(every) - (len(rows) - n)]
    return rows[:n] + [(1 if path in firsts else 2, path) for path in middle] + rows[n:]


class Order:
    """When a file's compilation came to which precompiled headers (R), and when to its own (N)."""

    def __init__(self, edges, always):
        self.edges, self.now, self.came, self.own = edges, 0, {}, {}
        self.parts = {}     # of each own file, what it includes: [(path, when that was over)]
        self._reach(always)

    def _reach(self, numbers):
        todo = set(numbers)
        while todo:
            number = todo.pop()
            if number not in self.came:
                self.came[number] = self.now
                todo |= set(self.edges[number])

    def walk(self, rows, known, source):
        """The source itself is left when nothing comes any more."""
        stack = [(0, source)]
        self.own[source] = [0, None]
        for depth, path in rows:
            self.now += 1
            while stack[-1][0] >= depth:
                self._leave(stack)
            if path in known:
                self._reach([known[path]])
                self._over(stack[-1][1], path)
            else:
                self.own.setdefault(path, [self.now, None])
                stack.append((depth, path))
        while stack:
            self._leave(stack)

    def _leave(self, stack):
        path = stack.pop()[1]
        if self.own[path][1] is None:
            self.own[path][1] = self.now
        if stack:
            self._over(stack[-1][1], path)

    def _over(self, parent, path):
        self.parts.setdefault(parent, []).append((path, self.now))

    def when(self, path, piece):
        """When a macro of an own file is defined; rather too early."""
        came, left = self.own.get(path, (0, 0))
        if not piece.more:
            return left
        for name in reversed(piece.behind):
            for part, over in self.parts.get(path, ()):
                if part.endswith("/" + name):
                    return over
        return came

    def after(self, holders, when):
        """Whether one of the headers was reached only then."""
        return any(self.came.get(number, -1) > when for number in holders)

    def has(self, holders):
        return any(number in self.came for number in holders)


def learn(index, macros):
    """Words to the files that have them outside of macros, and to the macros that have them.

    `macros`: what is defined at the end of all, as the compiler tells it.
    """
    rows = re.findall(r"^#define (\w+)(\(?)(.*)$", macros, re.M)
    index["macros"] = {name: text.strip() if not takes and text.strip().isdecimal() else "?"
                       for name, takes, text in rows}
    texts = [read_text(path) for path in index["files"]]
    for kind in INDEX:
        index[kind] = {}
    for number, text in enumerate(texts):
        for name in text.defined:
            index["defined"].setdefault(name, []).append(number)
    known = Known(index)
    for number, text in enumerate(texts):
        found = {kind: set() for kind in (*KINDS, "mentioned")}
        # What all include first decides what it is told of only while it is read.
        known.touched = index["defined"].keys() if number in known.always else ()
        for piece in text.alive(known.text):
            found["mentioned"] |= piece.words | ({piece.macro} if piece.macro else set())
            if not piece.macro:
                found["given"] |= piece.tested
                for kind in KINDS:
                    found[kind] |= getattr(piece, kind)
                continue
            for kind in ("words", "given"):
                found[kind].add(piece.macro)
                for word in getattr(piece, kind):
                    index[IN_MACROS[kind]].setdefault(word, {})[piece.macro] = 1
        found["asked"] = found["words"] - found.pop("expanded")
        for kind, words in found.items():
            for word in words:
                index[kind].setdefault(word, []).append(number)
    index["mentioned"] = {w: index["mentioned"][w] for w in index["called"]}


class Known:
    """Macros that are the same wherever a file asks; `touched`: names of its own."""

    def __init__(self, index):
        self.index, self.touched = index, set()
        self.always = set(Order(index["edges"], index["always"]).came)

    def text(self, name):
        """As a number, or None where there is no such macro; raises Unknown."""
        holders = self.index["defined"].get(name, ())
        if name in self.touched or not self.always.issuperset(holders):
            raise Unknown
        text = self.index["macros"].get(name)
        if text is None and not holders and name.startswith("__"):
            raise Unknown   # the compiler's own need not be in a list
        return text


class Own:
    """What a file's compilation has that is not precompiled (N); `index`: what is."""

    def __init__(self, index, given, texts):
        """`given`: macros of the command line, as after -D; `texts`: {path: Text} of its files."""
        self.index, known = index, Known(index)
        known.touched = {re.match(r"\w+", word)[0] for word in given}
        self.named = {name for name in known.touched if not name.startswith(NAMED)}
        more = True
        while more:     # what is not compiled defines nothing, by which more may be known
            self.pieces = [(path, piece) for path, text in texts.items()
                           for piece in text.alive(known.text)]
            more = {piece.macro for _, piece in self.pieces if piece.macro} - known.touched
            known.touched |= more

    def changes(self, order):
        """A name that a precompiled header mentions which would have been read behind it."""
        rows = [(name, 0, "words") for name in self.named]
        macros = [(path, piece) for path, piece in self.pieces if piece.macro]
        plain = {piece.macro for _, piece in macros if not piece.takes}
        rows += [(piece.macro, order.when(path, piece), "words" if piece.macro in plain else "given")
                 for path, piece in macros]
        return [name for name, when, kind in rows
                if name not in OWN and self._is_read(name, kind, order, when)]

    def _is_read(self, name, kind, order, when):
        """Whether a header does that, itself or by a macro whose text has the name."""
        index, done = self.index, {name}
        if order.after(index[kind].get(name, ()), when):
            return True
        more = index[IN_MACROS[kind]].get(name, {}).keys() - done
        while more:
            done |= more
            for macro in more:
                asked = index["asked"].get(macro, ())
                if order.after((n for n in index["words"].get(macro, ()) if n not in asked), when):
                    return True
            more = set().union(*(index["in_macros"].get(macro, ()) for macro in more)) - done
        return False

    def borrows(self, order):
        """A name that it has only from what it does not include."""
        index, used = self.index, self._used()
        own = self.named.union(piece.macro for _, piece in self.pieces if piece.macro)
        tested = set().union(*(piece.tested for piece in used))
        words = set().union(*(piece.words for piece in used)) - own | tested
        called = set().union(*(piece.called for piece in used)) - own
        return [word for word in words & index["macros"].keys() & index["defined"].keys()
                if not order.has(index["defined"][word])] + \
            [word for word in called & index["called"].keys()
             if not order.has(index["mentioned"][word])]

    def _used(self):
        """Without the macros that nothing can expand."""
        used = [piece for _, piece in self.pieces if not piece.macro]
        macros = {}
        for _, piece in self.pieces:
            if piece.macro:
                macros.setdefault(piece.macro, []).append(piece)
        words = self.index["in_macros"].keys() | self.index["words"].keys()
        words = words.union(*(piece.words for _, piece in self.pieces))
        named = set().union(*(piece.words for piece in used)) | self.index["in_macros"].keys()
        todo = [name for name in macros if name in named or is_pasted(name, words)]
        while todo:
            pieces = macros.pop(todo.pop(), [])
            used += pieces
            todo += itertools.chain(*(piece.words & macros.keys() for piece in pieces))
        return used


def is_pasted(name, words):
    """Whether two words, or a word and a number, make it (##)."""
    return any(name[:at] in words and (name[at:] in words or name[at:].isdecimal())
               for at in range(1, len(name)))
