# SPDX-License-Identifier: GPL-2.0-only
"""precompiled.py of `kernel build`, on headers and files of a few lines."""
import os
import re
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "../../../core/hosted/build"))
# pylint: disable=wrong-import-position,import-error
from compiler import Compiler, Source
from store import RACY_NS, Store
from tree import Failure

HEADERS = {
    "prefix.h": "#pragma once\n#define PREFIX 1\n",
    "hidden.h": "#pragma GCC visibility push(hidden)\n",
    "linux/print.h": '#pragma once\n#ifndef pr_fmt\n#define pr_fmt(fmt) fmt\n#endif\n'
                     'void say(const char *);\n#define pr_warn(x) say(pr_fmt(x))\n',
    "linux/many.h": "#pragma once\n#include <linux/deep.h>\n#ifdef TUNED\n#define SIZE 2\n#else\n"
                    "#define SIZE 1\n#endif\nstatic inline int many(int x) { return deep(x) * SIZE; }\n",
    "linux/deep.h": "#pragma once\nextern int shared;\n"
                    "static inline int deep(int x) { return x + shared; }\n",
    "linux/other.h": "#pragma once\n#define OTHER 7\nint other(int);\n"
                     "static inline int unrelated(int x) { return x - 1; }\n",
    "linux/warns.h": '#pragma once\n#include <linux/print.h>\n'
                     'static inline void warns(int x) { if (x) pr_warn("x\\n"); }\n',
    "linux/wrap.h": "#pragma once\n#define WRAP(x) INNER(x)\n#define LONELY(x) OUTER(x)\n"
                    "struct has { int shared; };\n",
    "linux/wraps.h": "#pragma once\n#include <linux/wrap.h>\n#ifdef INNER\n"
                     "static inline int wraps(int x) { return WRAP(x); }\n#endif\n#ifndef LONELY\n#endif\n"
                     "static inline int wrapped(struct has *h, int x) { return h->shared + x; }\n"
                     "#ifndef TELL\n#define TELL(x) (x)\n#endif\n"
                     "static inline int tells(int x) { return TELL(x); }\n",
    "guarded.h": "#ifndef PREFIX\n#define TUNED 1\n#endif\n#ifdef NOT_THERE\n#define TUNED 1\n"
                 "#elif defined(PREFIX) && !defined(NOT_THERE)\n#else\n#define TUNED 1\n#endif\n",
    "behind.h": "#include <linux/many.h>\n#define TUNED 1\n",
    "late.h": "#include <linux/many.h>\n#undef TUNED\n#define TUNED 1\n",
}
ALL = ["linux/print.h", "linux/many.h", "linux/other.h", "linux/warns.h", "linux/wraps.h"]
# (source, whether the precompiled headers serve it, precompiled headers that it depends on)
FILES = {
    "plain": ("#include <linux/many.h>\nint f(int x) { return many(x); }", True,
              "prefix many deep"),
    "extern": ("#include <linux/many.h>\nextern int mine;\nint f(int x) { return many(x) + mine; }",
               True, "prefix many deep"),
    "two": ("#include <linux/many.h>\n#include <linux/other.h>\n"
            "int f(int x) { return many(OTHER) + other(x); }", True, "prefix many deep other"),
    "none": ("int f(int x) { return x; }", True, "prefix"),
    "late": ('#include "late.h"\nint f(int x) { return many(x) + TUNED; }', True,
             "prefix many deep late"),
    "own_late": ("#include <linux/many.h>\n#define TUNED 1\nint f(int x) { return many(x) + TUNED; }",
                 True, "prefix many deep"),
    "prints": ('#define pr_fmt(fmt) "mine: " fmt\n#include <linux/print.h>\n'
               'int f(int x) { pr_warn("y"); return x; }', True, "prefix print"),
    # It tunes a header; it does so in a header of its own; it is told to by its command.
    "tunes": ("#define TUNED 1\n#include <linux/many.h>\nint f(int x) { return many(x); }", False, ""),
    "tunes_late": ('#include <linux/other.h>\n#undef TUNED\n#define TUNED 1\n#include "late.h"\n'
                   "int f(int x) { return many(x); }", False, ""),
    "told": ("#include <linux/many.h>\nint f(int x) { return many(x); }", False, ""),
    # Its own macro, in what a header compiled.
    "warns": ('#define pr_fmt(fmt) "mine: " fmt\n#include <linux/warns.h>\n'
              "int f(int x) { warns(x); return x; }", False, ""),
    # A name of its own that a header it does not include has.
    "OTHER": ("#ifndef OTHER\nint f(int x) { return x; }\n#endif", False, ""),
    # It would define TUNED where it does not.
    "guarded": ('#include "guarded.h"\n#include <linux/many.h>\nint f(int x) { return many(x); }', True,
                "prefix many deep guarded"),
    # Between two headers; behind one that its command includes.
    "between": ("#include <linux/many.h>\n#define TUNED 1\n#include <linux/other.h>\n"
                "int f(int x) { return many(x) + other(TUNED); }", True, "prefix many deep other"),
    "behind": ("#include <linux/many.h>\nint f(int x) { return many(x) + TUNED; }", True,
               "prefix many deep behind"),
    "behind_too": ("int f(int x) { return many(x) + TUNED; }", True, "prefix many deep behind"),
    # With parameters, where a header has the name without; and where it does not.
    "bare": ("#define shared(x) 3\n#include <linux/wraps.h>\n"
             "int f(struct has *h) { return wrapped(h, shared(1)); }", True, "prefix wrap wraps"),
    "calls": ("#define TELL(x) 3\n#include <linux/wraps.h>\nint f(int x) { return tells(x); }", False, ""),
    # Where a header's own macro has it: used by a header, asked for by it, used by the file.
    "wrapped": ("#include <linux/wrap.h>\n#define INNER(x) ((x) + 2)\n#include <linux/wraps.h>\n"
                "int f(int x) { return wraps(x); }", False, ""),
    "lonely": ("#define OUTER(x) ((x) + 2)\n#include <linux/wraps.h>\nint f(int x) { return LONELY(x); }",
               True, "prefix wrap wraps"),
    # The name of what another header has: quoted, in macros that nothing uses, uses, puts together.
    "quotes": ('const char *f(void) { return "OTHER"; } // OTHER', True, "prefix"),
    "unused": ("#define MINE OTHER\nint f(int x) { return x; }", True, "prefix"),
    "uses": ("#define TEXT(x) #x\n#define TEXT_OF(x) TEXT(x)\n#define MINE OTHER\n"
             "const char *f(void) { return TEXT_OF(MINE); }", False, ""),
    "pasted": ("#define TEXT(x) #x\n#define TEXT_OF(x) TEXT(x)\n#define MY_OWN OTHER\n"
               "#define PASTED(x) TEXT_OF(MY_##x)\nconst char *f(void) { return PASTED(OWN); }", False, ""),
    "asks": ("#ifndef OTHER\n#define OTHER 9\n#endif\nint f(void) { return OTHER; }", False, ""),
    "clash": ("static long other(void) { return 1; }\nlong f(void) { return other(); }", False, ""),
}
FLAGS = ["-O2", "-fPIC", "-g", "-fdebug-compilation-dir=."]
WRONG = []


def wrong(what):
    print(f"FAIL: {what}")
    WRONG.append(what)


def code_of(path):
    text = subprocess.run(["llvm-objdump-19", "-dr", "-s", "-j", ".text", "-j", ".rodata",
                           "-j", ".rodata.str1.1", path], capture_output=True, text=True,
                          check=True).stdout
    return text.partition("elf64")[2]


class Place:
    def __init__(self, top):
        self.top, self.when = top, 1_000_000_000
        for name, text in HEADERS.items():
            self.write(name, text)
        for name, (text, _, _) in FILES.items():
            self.write(name + ".c", text + "\n")

    def write(self, name, text):
        path = os.path.join(self.top, name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "w", encoding="ascii") as f:
            f.write(text)
        # The compiler looks at whole seconds.
        self.when += 1
        os.utime(path, (self.when, self.when))

    def flags(self, name):
        prefixes = ["-include", os.path.join(self.top, "hidden.h"),
                    "-include", os.path.join(self.top, "prefix.h")]
        own = {"told": ["-DTUNED=1"]}.get(name, [])
        if name.startswith("behind"):
            own = ["-include", os.path.join(self.top, "behind.h")]
        return [*FLAGS, "-I" + self.top, *prefixes, *own]

    def build(self, work, with_headers, names=tuple(FILES)):
        """(the compiler, its sources, how many were compiled)."""
        store = Store(os.path.join(self.top, work), print)
        store.place("TOP", self.top)
        compiler = Compiler(store, self.top, 2, lambda *_: None)
        sources = [Source(n, os.path.join(self.top, n + ".c"), self.flags(n)) for n in names]
        if with_headers:
            compiler.precompile(sources, ALL, os.path.join(self.top, "hidden.h"), False)
        n = compiler.compile(sources)
        store.close()
        store.lock.close()
        return compiler, sources, n


def read_by(compiler, source):
    names = compiler.store.lists(source.key)[0]
    return sorted(re.sub(r".*/|\.h$", "", n) for n in names
                  if n.endswith(".h") and not n.endswith("hidden.h"))


def same_objects(place):
    plain, slow, _ = place.build("without", False)
    fast, quick, _ = place.build("with", True)
    if fast.n_plain != sum(not serves for _, serves, _ in FILES.values()):
        wrong(f"{fast.n_plain} files were compiled without precompiled headers")
    for a, b in zip(slow, quick):
        if a.key != b.key or os.path.basename(a.object) != os.path.basename(b.object):
            wrong(f"{a.label}: has another name in the store")
        if code_of(a.object) != code_of(b.object):
            wrong(f"{a.label}: is other code")
        depends = read_by(fast, b)
        if depends != read_by(plain, a):
            wrong(f"{a.label}: depends on {depends}, expected {read_by(plain, a)}")
        if FILES[a.label][1] and depends != sorted(FILES[a.label][2].split()):
            wrong(f"{a.label}: depends on {depends}, expected {FILES[a.label][2]}")


def alone(place, name):
    """Whether the precompiled headers served this one."""
    place.write(name + ".c", FILES[name][0] + "\n/* again */\n")
    compiler, _, n = place.build("with", True, ("plain", "extern", "two", "none", name))
    if n != 1:
        wrong(f"{name}: {n} files compiled, expected it alone")
    return compiler.n_plain == 0


def one_header_changes(place):
    place.write("linux/other.h", HEADERS["linux/other.h"].replace("7", "8"))
    _, _, n = place.build("with", True)
    if n != 3:
        wrong(f"{n} files compiled after a change of other.h, expected the three that include it")


def does_not_compile(place):
    place.write("plain.c", "int f(int x) { return many(x); }\n")
    try:
        place.build("with", True)
        wrong("a file that lacks an #include compiles")
    except Failure as failure:
        if "many" not in failure.text:
            wrong(f"the compiler's text is not there: {failure.text}")


def main():
    with tempfile.TemporaryDirectory() as top:
        place = Place(top)
        # Until then a header may still change within one tick of the clock, and nothing is kept.
        time.sleep(RACY_NS / 1e9 + 0.1)
        same_objects(place)
        for name, (_, serves, _) in FILES.items():
            if name not in ("plain", "extern", "two", "none") and alone(place, name) != serves:
                wrong(f"{name}: served {not serves}")
        one_header_changes(place)
        does_not_compile(place)
    print(f"{len(FILES)} files, {len(WRONG)} failures")
    return bool(WRONG)


if __name__ == "__main__":
    sys.exit(main())
