# SPDX-License-Identifier: GPL-2.0-only
"""What a C file says before it is preprocessed: its words, its macros, under which #if each stands.

Enough to tell that a macro can make no difference to a text; never that it does. Conditions have
three values: where it is not known whether a part is compiled, it counts.
"""
import re

# Comments, and what is between quotes, where no macro is expanded.
BLANK = re.compile(r"""/\*.*?\*/|//[^\n]*|"(?:\\.|[^"\\\n])*"|'(?:\\.|[^'\\\n])*'""", re.S)
QUOTED = re.compile(r'^([ \t]*#[ \t]*include[ \t]*)"([^"\n]*)"', re.M)
DIRECTIVE = re.compile(r"^[ \t]*#[ \t]*(\w+)(.*)$", re.M)
WORD = re.compile(r"[A-Za-z_]\w*")
CALLED = re.compile(r"\b([A-Za-z_]\w*)\s*\(")
# Where a macro with parameters may begin, or be given to another that begins it.
GIVEN = re.compile(r"\b([A-Za-z_]\w*)\s*(?:[(),]|\Z)")
MEMBER = re.compile(r"(?:->|\.)\s*[A-Za-z_]\w*\b(?!\s*\()")
ASKED = re.compile(r"\bdefined\s*\(?\s*\w+")
TOKEN = re.compile(r"\s*(defined\b|\w+|&&|\|\||[!()]|\S)")


class Unknown(Exception):
    pass


class Condition:
    """The expression of an #if: True, False, or None where that is not known."""

    def __init__(self, text):
        self.tokens = TOKEN.findall(text)

    def value(self, macros):
        """`macros(name)`: its text, None if there is no such macro; raises Unknown."""
        self.rest, self.macros = self.tokens[:], macros
        try:
            value = self._either()
            return None if self.rest else value
        except (Unknown, IndexError):
            return None

    def _next(self, wanted=None):
        token = self.rest.pop(0)
        if wanted and token != wanted:
            raise Unknown
        return token

    def _is_next(self, token):
        return bool(self.rest) and self.rest[0] == token

    def _either(self):
        value = self._both()
        while self._is_next("||"):
            self._next()
            other = self._both()
            value = True if value or other else None if None in (value, other) else False
        return value

    def _both(self):
        value = self._one()
        while self._is_next("&&"):
            self._next()
            other = self._one()
            value = False if False in (value, other) else None if None in (value, other) else True
        return value

    def _one(self):
        token = self._next()
        if token == "!":
            value = self._one()
            return None if value is None else not value
        if token == "(":
            value = self._either()
            self._next(")")
            return value
        if token == "defined":
            name = self._name()
            return self._ask(name, lambda text: text is not None)
        if token == "IS_ENABLED":
            name = self._name()
            values = [self._ask(name + end, lambda text: text == "1") for end in ("", "_MODULE")]
            return True if True in values else None if None in values else False
        if token.isdecimal():
            return token != "0"
        if self._is_next("(") or not token.isidentifier():
            raise Unknown
        return self._ask(token, lambda text: self._number(text or "0"))

    def _name(self):
        in_parens = self._is_next("(")
        if in_parens:
            self._next()
        name = self._next()
        if in_parens:
            self._next(")")
        return name

    def _ask(self, name, test):
        try:
            return test(self.macros(name))
        except Unknown:
            return None

    @staticmethod
    def _number(text):
        if not text.isdecimal():
            raise Unknown
        return text != "0"


class Piece:
    """Of a file, what stands under the same conditions: code, or one #define or #undef."""

    def __init__(self, under, text, macro=None):
        self.under, self.macro = under, macro
        self.words, self.called = set(WORD.findall(text)), set(CALLED.findall(text))
        self.given = set(GIVEN.findall(MEMBER.sub(" ", text)))
        self.tested = set()     # by an #if
        self.expanded = self.words
        self.takes = None       # of a #define, its parameters; None: it has none
        self.behind, self.more = (), False  # the #includes before it; whether others come after it


class Text:
    """A file."""

    def __init__(self, text):
        text = BLANK.sub(" ", QUOTED.sub(r"\1<\2>", text.replace("\\\n", " ")))
        self.pieces, self.stack = [], []    # for each #if around, its branches up to here
        lines = list(DIRECTIVE.finditer(text))
        last = max((m.start() for m in lines if m[1] == "include"), default=0)
        at, code, self.behind = 0, [], ()
        for m in lines:
            code.append(text[at:m.start()])
            at = m.end()
            if m[1] in ("define", "undef"):
                self._macro(m[1], m[2], m.start() < last)
            elif m[1] == "include" and "<" in m[2]:
                self.behind = (*self.behind, m[2].strip(" \t<>"))
            elif m[1] in ("if", "ifdef", "ifndef", "elif", "else", "endif"):
                self._code("".join(code))
                code = []
                self._branch(m[1], m[2])
            else:
                code.append(m[2])
        self._code("".join(code) + text[at:])
        self.defined = {piece.macro for piece in self.pieces if piece.macro}

    def _under(self):
        return [(branches[:-1], branches[-1]) for branches in self.stack]

    def _code(self, text):
        if not text.isspace():
            self.pieces.append(Piece(self._under(), text))

    def _macro(self, kind, rest, more):
        m = re.match(r"\s+(\w+)(\([^)]*\))?(.*)", rest, re.S)
        if m:
            piece = Piece(self._under(), m[3] if kind == "define" else "", m[1])
            piece.takes = m[2] if kind == "define" else None
            piece.behind, piece.more = self.behind, more
            self.pieces.append(piece)

    def _branch(self, kind, rest):
        branches = self.stack.pop() if self.stack and kind in ("elif", "else", "endif") else []
        if kind == "endif":
            return
        if kind != "else":
            # What is asked is asked where the #if stands.
            piece = Piece(self._under(), rest)
            piece.tested = piece.words - {"defined"}
            piece.expanded = set() if kind in ("ifdef", "ifndef") else \
                set(WORD.findall(ASKED.sub(" ", rest)))
            self.pieces.append(piece)
        text = {"ifdef": f"defined({rest})", "ifndef": f"!defined({rest})", "else": "1"}
        self.stack.append([*branches, Condition(text.get(kind, rest))])

    def alive(self, macros):
        """The pieces that may be compiled, for all that is known of macros."""
        values = {}

        def value(condition):
            if condition not in values:
                values[condition] = condition.value(macros)
            return values[condition]

        return [piece for piece in self.pieces
                if all(value(own) is not False and not any(map(value, others))
                       for others, own in piece.under)]


def read_text(path):
    with open(path, encoding="utf-8", errors="surrogateescape") as f:
        return Text(f.read())
