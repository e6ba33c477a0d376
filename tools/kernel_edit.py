#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""Edits a kernel tree by structure, on a private copy or as a unified diff.

A recipe is plain text, one edit a line; it says where and what by the names of
functions and calls, so that it holds no line of the tree it edits:

    file drivers/iommu/iommufd/main.c
    function iommufd_object_remove
    replace call iommufd_object_dec_wait_shortterm 2/2 with 0

    file PATH                                  what follows is in this file
    function NAME | struct NAME                ... inside these braces
    everywhere                                 ... or in any function of the file
    delete call NAME [N/M]                     the statement that is this call
    delete statement REGEX [N/M]               a statement without braces
    delete if REGEX [N/M]                      an `if` whose condition matches, with all below it
    unwrap if REGEX [N/M]                      its body stays, the condition goes
    replace call NAME [N/M] with TEXT          $0 is the call, $1.. are its arguments
    replace word NAME [N/M] with TEXT
    replace condition REGEX [N/M] with TEXT    of an if or a while
    insert before|after call NAME [N/M] TEXT   beside the statement that holds the call
    insert before|after statement REGEX [N/M] TEXT
    insert first TEXT                          behind the opening brace
    insert top TEXT                            a line above the file's first; needs only `file`

Every edit must meet as many places as it says: N/M is the N-th of M, all/M all
of them, and nothing is 1/1. Another number is an error that names the file and
the recipe's line. REGEX has no blanks; it is searched in the code without
blanks and comments (between two words stays one: `.` matches it). Lines keep
their numbers, so reports fit the tree.

The copy is a farm of symbolic links with real files where the edits are: the
tree itself is never written into. Made again, it is made anew; a file whose
text did not change keeps its time, so that a build of it stays incremental.
"""
import argparse
import difflib
import os
import re
import sys

TOKEN = re.compile(r'[A-Za-z_]\w*|\d[\w.]*|"(?:\\.|[^"\\])*"|\'(?:\\.|[^\'\\])*\'|->|&&|\|\||[^\s\w]')
BLANK = re.compile(r"(?:\s+|//[^\n]*|/\*.*?\*/|(?<=\n)[ \t]*#(?:\\\n|[^\n])*)+", re.S)
HEADS = {"if", "while", "for", "switch"}
MARK = ".kernel_edit"
OPEN, CLOSE = {"(": ")", "[": "]", "{": "}"}, {")", "]", "}"}


class Failure(Exception):
    pass


def tokens_of(text, start, end):
    """[(word, from, to)]; comments and preprocessor lines are blanks."""
    found, at = [], start
    while at < end:
        blank = BLANK.match(text, at, end)
        if blank:
            at = blank.end()
            continue
        word = TOKEN.match(text, at, end)
        if not word:
            at += 1
            continue
        found.append((word.group(), at, word.end()))
        at = word.end()
    return found


class Node:
    """A statement: its tokens [first, last], its head's condition, its parts."""

    def __init__(self, kind, first):
        self.kind, self.first, self.last = kind, first, first
        self.condition = None  # (first, last) tokens between the parentheses
        self.parts = []


class Scope:
    """The inside of one pair of braces, as tokens and, if code, as statements."""

    def __init__(self, text, start, end, code):
        self.text = text
        self.start, self.end = start, end
        self.tokens = tokens_of(text, start, end)
        self.words = [t[0] for t in self.tokens]
        self.all = []
        if code:
            self.block(0, len(self.tokens))

    def close(self, i):
        """The token that closes the one at i."""
        depth = 0
        for j in range(i, len(self.words)):
            if self.words[j] in OPEN:
                depth += 1
            elif self.words[j] in CLOSE:
                depth -= 1
                if not depth:
                    return j
        raise Failure("unbalanced brackets")

    def block(self, i, end):
        parts = []
        while i < end:
            node = self.statement(i)
            parts.append(node)
            i = node.last + 1
        return parts

    def head(self, node, i):
        """The condition in parentheses at i; gives the token behind it."""
        last = self.close(i)
        node.condition = (i + 1, last - 1)
        return last + 1

    def statement(self, i):
        while self.label(i):
            i = self.label(i)
        word, node = self.words[i], Node("simple", i)
        self.all.append(node)
        if word == "{":
            node.kind, node.last = "block", self.close(i)
            node.parts = self.block(i + 1, node.last)
        elif word in HEADS or word == "do" or self.iterates(i):
            node.kind = word if word in HEADS or word == "do" else "iterator"
            body = i + 1 if word == "do" else self.head(node, i + 1)
            node.parts.append(self.statement(body))
            node.last = node.parts[0].last
            after = self.words[node.last + 1] if node.last + 1 < len(self.words) else ""
            if word == "if" and after == "else":
                node.parts.append(self.statement(node.last + 2))
                node.last = node.parts[1].last
            elif word == "do":
                node.last = self.head(node, node.last + 2)
        else:
            node.last = self.semicolon(i)
        return node

    def label(self, i):
        """The token behind a label at i, or None."""
        if self.words[i] == "case":
            while self.words[i] != ":":
                i += 1
            return i + 1
        if i + 1 < len(self.words) and self.words[i + 1] == ":" and re.match(r"[A-Za-z_]", self.words[i]):
            return i + 2
        return None

    def iterates(self, i):
        """A macro that stands before a statement, as list_for_each_entry() does."""
        if not re.match(r"[A-Za-z_]", self.words[i]) or self.words[i + 1:i + 2] != ["("]:
            return False
        after = self.close(i + 1) + 1
        return after < len(self.words) and (self.words[after] == "{" or
                                            bool(re.match(r"[A-Za-z_]", self.words[after])))

    def semicolon(self, i):
        while i < len(self.words) and self.words[i] != ";":
            i = (self.close(i) if self.words[i] in OPEN else i) + 1
        if i == len(self.words):
            raise Failure("a statement does not end")
        return i

    def line(self, first, last):
        text = " ".join(self.words[first:last + 1])
        return re.sub(r"(?<!\w) | (?!\w)", "", text)

    def around(self, i):
        """The smallest statement that holds token i."""
        holds = [n for n in self.all if n.first <= i <= n.last and n.kind != "block"]
        return min(holds, key=lambda n: n.last - n.first)

    def span(self, first, last):
        return self.tokens[first][1], self.tokens[last][2]

    def in_block(self, node):
        """Whether a statement may stand beside it without braces around both."""
        for outer in self.all:
            if node in outer.parts:
                return outer.kind == "block"
        return True


def braces(text, at):
    """The span inside the braces whose opening one is the first at or behind `at`."""
    words = tokens_of(text, at, len(text))
    depth = 0
    for word, start, end in words:
        if word == "{":
            begin = end if not depth else begin
            depth += 1
        elif word == "}":
            depth -= 1
            if not depth:
                return begin, start
    return None


def find_scopes(text, kind, name):
    """Scopes of this name: a function's definition, a struct's, or all functions."""
    found = []
    if kind == "struct":
        places = re.finditer(r"^struct\s+%s\s*\{" % re.escape(name), text, re.M)
        return [Scope(text, *braces(text, m.start()), False) for m in places]
    wanted = r"\w+" if kind == "everywhere" else re.escape(name)
    for m in re.finditer(r"^(?![\s#/*])[^\n;={]*?(?<!\w)%s\s*\(" % wanted, text, re.M):
        words = tokens_of(text, m.end() - 1, min(len(text), m.end() + 2000))
        depth = 0
        for i, (word, _, _) in enumerate(words):
            depth += (word == "(") - (word == ")")
            if not depth:
                if words[i + 1:] and words[i + 1][0] == "{":
                    found.append(Scope(text, *braces(text, words[i + 1][1]), True))
                break
    return found


def keep_lines(old, new):
    """`new` in the place of `old`, with as many line ends."""
    return new + "\n" * (old.count("\n") - new.count("\n"))


class Edit:
    """One line of a recipe, applied to one scope."""

    FORMS = [
        (r"delete call (\w+)( \S+/\d+)?$", "delete_call"),
        (r"delete statement (\S+)( \S+/\d+)?$", "delete_statement"),
        (r"delete if (\S+)( \S+/\d+)?$", "delete_if"),
        (r"unwrap if (\S+)( \S+/\d+)?$", "unwrap_if"),
        (r"replace call (\w+)( \S+/\d+)? with (.+)$", "replace_call"),
        (r"replace word (\w+)( \S+/\d+)? with (.+)$", "replace_word"),
        (r"replace condition (\S+)( \S+/\d+)? with (.+)$", "replace_condition"),
        (r"insert (before|after) call (\w+)( \S+/\d+)? (.+)$", "insert_call"),
        (r"insert (before|after) statement (\S+)( \S+/\d+)? (.+)$", "insert_statement"),
        (r"insert first (.+)$", "insert_first"),
    ]

    def __init__(self, line):
        for pattern, method in self.FORMS:
            m = re.match(pattern, line)
            if m:
                self.args, self.method = m.groups(), method
                return
        raise Failure(f"'{line}': expected one of delete, unwrap, replace, insert (see the head "
                      "of tools/kernel_edit.py)")

    def apply(self, scopes):
        """[(from, to, text)]: what to put where."""
        return getattr(self, self.method)(scopes, *self.args)

    @staticmethod
    def choose(what, places, count):
        """Those of the places that `N/M` means."""
        which, _, total = (count or " 1/1").strip().partition("/")
        if len(places) != int(total):
            raise Failure(f"{what} is there {len(places)} times, expected {total}")
        if which == "all":
            return places
        if not which.isdigit() or not 1 <= int(which) <= len(places):
            raise Failure(f"'{which}/{total}': expected a number from 1 to {total}, or all")
        return [places[int(which) - 1]]

    def calls(self, scopes, name, count):
        places = [(s, i) for s in scopes for i, w in enumerate(s.words)
                  if w == name and s.words[i + 1:i + 2] == ["("]]
        return self.choose(f"a call of {name}", places, count)

    def statements(self, scopes, regex, count):
        places = [(s, n) for s in scopes for n in s.all if n.kind == "simple" and
                  re.search(regex, s.line(n.first, n.last))]
        return self.choose(f"a statement with {regex}", places, count)

    def heads(self, scopes, kinds, regex, count):
        places = [(s, n) for s in scopes for n in s.all if n.kind in kinds and
                  re.search(regex, s.line(*n.condition))]
        return self.choose(f"a condition with {regex}", places, count)

    @staticmethod
    def put(scope, first, last, text):
        start, end = scope.span(first, last)
        return start, end, keep_lines(scope.text[start:end], text)

    def delete_call(self, scopes, name, count):
        edits = []
        for scope, i in self.calls(scopes, name, count):
            node = scope.around(i)
            end = scope.close(i + 1)
            while scope.words[end + 1:end + 2] == ["("]:  # guard(mutex)(&lock)
                end = scope.close(end + 1)
            if node.kind != "simple" or i != node.first or end + 1 != node.last:
                raise Failure(f"the call of {name} is a part of a statement, expected a statement "
                              "of its own (use `replace call`)")
            edits.append(self.put(scope, node.first, node.last, ";"))
        return edits

    def delete_statement(self, scopes, regex, count):
        return [self.put(s, n.first, n.last, ";") for s, n in self.statements(scopes, regex, count)]

    def delete_if(self, scopes, regex, count):
        return [self.put(s, n.first, n.last, ";") for s, n in self.heads(scopes, {"if"}, regex, count)]

    def unwrap_if(self, scopes, regex, count):
        places = self.heads(scopes, {"if"}, regex, count)
        if any(len(n.parts) > 1 for _, n in places):
            raise Failure(f"the condition with {regex} has an else, expected none")
        return [self.put(s, n.first, n.condition[1] + 1, "") for s, n in places]

    def replace_call(self, scopes, name, count, text):
        edits = []
        for scope, i in self.calls(scopes, name, count):
            last = scope.close(i + 1)
            start, end = scope.span(i, last)
            whole = [scope.text[start:end], *self.arguments(scope, i + 2, last)]
            new = re.sub(r"\$(\d)", lambda m, whole=whole: self.argument(whole, int(m[1])), text)
            edits.append(self.put(scope, i, last, new))
        return edits

    @staticmethod
    def arguments(scope, at, last):
        """The texts between the commas from token `at` to the parenthesis `last`."""
        args, depth = [], 0
        for j in range(at, last + 1):
            word = scope.words[j]
            if j == last or word == "," and not depth:
                start, end = scope.span(at, j - 1) if j > at else (0, 0)
                args.append(scope.text[start:end])
                at = j + 1
            depth += (word in OPEN) - (word in CLOSE)
        return args

    @staticmethod
    def argument(whole, n):
        if n >= len(whole):
            raise Failure(f"${n}: the call has {len(whole) - 1} arguments")
        return whole[n]

    def replace_word(self, scopes, name, count, text):
        places = [(s, i) for s in scopes for i, w in enumerate(s.words) if w == name]
        return [self.put(s, i, i, text)
                for s, i in self.choose(f"the word {name}", places, count)]

    def replace_condition(self, scopes, regex, count, text):
        return [self.put(s, *n.condition, text)
                for s, n in self.heads(scopes, {"if", "while"}, regex, count)]

    @staticmethod
    def beside(scope, node, where, text):
        start, end = scope.span(node.first, node.last)
        if scope.in_block(node):
            return [(start, start, text + " ") if where == "before" else (end, end, " " + text)]
        if where == "before":
            return [(start, start, "{ " + text + " "), (end, end, " }")]
        return [(start, start, "{ "), (end, end, " " + text + " }")]

    def insert_call(self, scopes, where, name, count, text):
        return [e for s, i in self.calls(scopes, name, count)
                for e in self.beside(s, s.around(i), where, text)]

    def insert_statement(self, scopes, where, regex, count, text):
        return [e for s, n in self.statements(scopes, regex, count)
                for e in self.beside(s, n, where, text)]

    def insert_first(self, scopes, text):
        if len(scopes) != 1:
            raise Failure("insert first: expected a function, not everywhere")
        return [(scopes[0].start, scopes[0].start, " " + text)]


class Recipe:
    """A recipe's edits: {file: (old text, new text)}."""

    def __init__(self, path, tree):
        self.path, self.tree = path, tree
        self.texts = {}
        with open(path, encoding="utf-8") as f:
            lines = f.read().splitlines()
        where = {}
        for number, line in enumerate(lines, 1):
            line = line.split("#")[0].strip() if not line.lstrip().startswith("insert") else line.strip()
            if not line:
                continue
            try:
                self.line(where, line)
            except Failure as failure:
                raise Failure(f"{path}:{number}: {where.get('file', 'no file yet')}: "
                              f"{failure}") from None
        if all(old == new for old, new in self.texts.values()):
            raise Failure(f"{path}: edits nothing")

    def line(self, where, line):
        word, _, rest = line.partition(" ")
        if word == "file":
            where.clear()
            where["file"] = rest
            self.load(rest)
        elif "file" not in where:
            raise Failure(f"'{line}': expected `file PATH` first")
        elif word in ("function", "struct") or line == "everywhere":
            where["scope"] = (word, rest)
            self.scopes(where)
        elif line.startswith("insert top "):
            self.top(where["file"], line[len("insert top "):])
        elif "scope" not in where:
            raise Failure(f"'{line}': expected `function NAME`, `struct NAME` or `everywhere` first")
        else:
            edits = Edit(line).apply(self.scopes(where))
            old, text = self.texts[where["file"]]
            for start, end, new in sorted(edits, reverse=True):
                text = text[:start] + new + text[end:]
            self.texts[where["file"]] = (old, text)

    def top(self, name, text):
        """Lines above the first, which is line 1 all the same."""
        old, new = self.texts[name]
        mark = f'#line 1 "{name}"\n'
        above, found, below = new.partition(mark)
        if not found:
            above, below = "", new
        self.texts[name] = (old, f"{above}{text}\n{mark}{below}")

    def load(self, name):
        path = os.path.join(self.tree, name)
        if os.path.isabs(name) or ".." in name.split("/"):
            raise Failure("expected a path inside the tree")
        if name not in self.texts:
            try:
                with open(path, encoding="utf-8", errors="surrogateescape") as f:
                    text = f.read()
            except OSError as e:
                raise Failure(e.strerror) from None
            self.texts[name] = (text, text)

    def scopes(self, where):
        kind, name = where["scope"]
        found = find_scopes(self.texts[where["file"]][1], kind, name)
        if len(found) != 1 and kind != "everywhere":
            raise Failure(f"{kind} {name} is defined {len(found)} times, expected once")
        return found

    def diff(self):
        text = ""
        for name, (old, new) in sorted(self.texts.items()):
            text += "".join(difflib.unified_diff(
                old.splitlines(True), new.splitlines(True), "a/" + name, "b/" + name))
        return text


def write_if_changed(path, text):
    try:
        with open(path, encoding="utf-8", errors="surrogateescape") as f:
            if f.read() == text:
                return
    except OSError:
        pass
    with open(path + ".new", "w", encoding="utf-8", errors="surrogateescape") as f:
        f.write(text)
    os.replace(path + ".new", path)


def farm(tree, out, texts):
    """Folders are real where a file was or is ours below them; all else is a link."""
    if os.path.lexists(out) and not os.path.exists(os.path.join(out, MARK)):
        raise Failure(f"{out}: is there and is no copy made by kernel_edit.py")
    ours = {""}
    for name in texts:
        parts = name.split("/")
        ours |= {"/".join(parts[:i]) for i in range(1, len(parts))}
    for here, _, _ in os.walk(out):
        ours.add(os.path.relpath(here, out) if here != out else "")
    for folder in sorted(ours):
        here = os.path.join(out, folder)
        if os.path.islink(here):
            os.unlink(here)
        os.makedirs(here, exist_ok=True)
        if not folder:
            open(os.path.join(out, MARK), "w", encoding="ascii").close()
        for name in os.listdir(os.path.join(tree, folder)):
            inner = os.path.join(folder, name)
            if inner not in ours and inner not in texts:
                restore(os.path.join(tree, inner), os.path.join(out, inner))
    for name, (_, new) in texts.items():
        path = os.path.join(out, name)
        if os.path.islink(path):
            os.unlink(path)
        write_if_changed(path, new)


def restore(original, path):
    """A link; a copy where a file was edited before: a build must see that it is newer."""
    if os.path.islink(path) and os.readlink(path) == original:
        return
    if os.path.isfile(path) and not os.path.islink(path):
        with open(original, encoding="utf-8", errors="surrogateescape") as f:
            write_if_changed(path, f.read())
        return
    if os.path.lexists(path):
        os.unlink(path)
    os.symlink(original, path)


def main():
    p = argparse.ArgumentParser(description="Edits a kernel tree by structure.")
    p.add_argument("--tree", required=True, help="the tree; nothing is written into it")
    p.add_argument("--out", help="the edited copy, a folder of links")
    p.add_argument("--diff", action="store_true", help="prints the edits as a unified diff")
    p.add_argument("recipe")
    args = p.parse_args()
    if bool(args.out) == args.diff:
        raise Failure("expected --out DIR or --diff")
    tree = os.path.realpath(args.tree)
    recipe = Recipe(args.recipe, tree)
    if args.diff:
        sys.stdout.write(recipe.diff())
    else:
        farm(tree, os.path.abspath(args.out), recipe.texts)
        print(f"{args.out}: {', '.join(sorted(recipe.texts))} edited")


if __name__ == "__main__":
    try:
        main()
    except Failure as failure:
        print(f"kernel_edit: {failure}", file=sys.stderr)
        sys.exit(2)
    except OSError as error:
        print(f"kernel_edit: {error.filename or 'host'}: {error.strerror}", file=sys.stderr)
        sys.exit(2)
