#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""Checks what can be counted about the code's style.

Lengths, nesting and parameters of C functions (a function or table behind the
comment `/* flat table */` may be long; one behind `/* signature given */` is a
callback that may have more parameters), layout of lines, banned calls with
what replaces them, licence lines, and marks of doubt.
"""

import re

from check_lib import CODE, Complaints, main, read_text, tree_files

FILE_LINES = 1000
FUNCTION_LINES = 70
PARAMETERS = 6
NESTING = 4
COLUMNS = 100
LICENCE = "SPDX-License-Identifier: GPL-2.0-only"
SCRIPT = (".sh", ".py", ".cmake", ".bash")
DOUBT = re.compile(r"\b(TO" r"DO|FIX" r"ME|XX" r"X|HA" r"CK)\b")
FLAT = "/* flat table */"
GIVEN = "/* signature given */"  # a callback whose parameters another library chose

PRINTERS = ("tools/", "scenarios/explore/", "sim/trace/", "sim/host/", "tests/", "fuzz/",
            "sim/base/assert.c")
# Names, what to use instead, where they are at home, where the ban holds.
BANS = (
    (r"rand|srand|random|srandom|drand48|rand_r|arc4random", "sim/choice", (), ("",)),
    (r"time|gettimeofday|clock_gettime|clock", "clock_now() (sim/clock), host_*() for wall clock",
     ("sim/host/", "tools/preload/", "tests/"), ("",)),
    (r"pthread_\w+|thrd_\w+", "sched_spawn() (sim/sched)", ("sim/host/", "tools/preload/", "tests/tools/exec/"),
     ("",)),
    (r"getenv|setenv|putenv|secure_getenv", "an option of the program",
     ("sim/host/", "tools/preload/", "tests/"), ("",)),
    (r"signal|sigaction|sigaltstack|raise", "sim/host", ("sim/host/", "tools/preload/", "tests/"), ("",)),
    (r"printf|fprintf|vprintf|vfprintf|dprintf|puts|fputs|putchar|fputc|perror",
     "a fact (sim/fact) or a finding (sim/oracle)", PRINTERS, ("",)),
    (r"sprintf|vsprintf|strcat|gets|strtok", "snprintf()", ("tests/",), ("",)),
    (r"atoi|atol|atoll|atof", "strtoul() with its end checked", (), ("",)),
    (r"malloc|calloc|realloc|free|strdup", "kmalloc() and its family (sim/kapi)",
     ("core/hosted/",), ("core/",)),
    (r"float|double", "integers: results must not depend on rounding", (),
     ("core/", "hw/", "sim/", "scenarios/engine/")),
)
BANNED = [(re.compile(rf"(?<![\w.>])({names})(?=\s*\()" if "float" not in names
                      else rf"(?<!\w)({names})(?!\w)"), use, home, where)
          for names, use, home, where in BANS]

NOISE = re.compile(r'//[^\n]*|/\*.*?\*/|"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])*\'', re.S)
DIRECTIVE = re.compile(r"^[ \t]*#(?:\\\n|[^\n])*", re.M)


def blank(match):
    """The same text, all but its newlines blanked: places stay where they are."""
    return re.sub(r"[^\n]", " ", match.group(0))


def functions(code):
    """(start, open brace, end, text before the brace) of each function definition."""
    depth = 0
    head = start = 0
    for match in re.finditer(r"[{};]", code):
        mark, at = match.group(0), match.start()
        if mark == "{":
            if depth == 0:
                start = at
            depth += 1
            continue
        if mark == "}":
            depth -= 1
            if depth == 0 and code[head:start].rstrip().endswith(")"):
                yield head, start, at, code[head:start]
        if depth == 0:
            head = at + 1


def count_parameters(signature):
    """Commas of the last parenthesis group at its own depth, plus one."""
    depth = commas = 0
    for char in reversed(signature.rstrip()):
        depth += {")": 1, "(": -1}.get(char, 0)
        if depth == 0:
            break
        if char == "," and depth == 1:
            commas += 1
    return commas + 1


def check_functions(name, text, code, complaints):
    for head, start, end, signature in functions(code):
        head += len(signature) - len(signature.lstrip())
        first = code.count("\n", 0, head) + 1
        place = f"{name}:{first}"
        before = text[:head].rstrip()
        lines = code.count("\n", head, end) + 1
        if lines > FUNCTION_LINES and not before.endswith(FLAT):
            complaints.add(place, f"function of {lines} lines, at most {FUNCTION_LINES}")
        parameters = count_parameters(signature)
        if parameters > PARAMETERS and not before.endswith(GIVEN):
            complaints.add(place, f"{parameters} parameters, at most {PARAMETERS}: "
                                  "use a struct of options")
        depth = deepest = 0
        for char in code[start:end]:
            depth += {"{": 1, "}": -1}.get(char, 0)
            deepest = max(deepest, depth)
        if deepest - 1 > NESTING:
            complaints.add(place, f"nested {deepest - 1} deep, at most {NESTING}")


def check_calls(name, code, complaints):
    for pattern, use, home, where in BANNED:
        if name.startswith(home) or not name.startswith(where):
            continue
        for match in pattern.finditer(code):
            line = code.count("\n", 0, match.start()) + 1
            complaints.add(f"{name}:{line}", f"{match.group(1)} is banned here: use {use}")


def check_lines(name, text, complaints):
    lines = text.split("\n")
    if len(lines) > FILE_LINES and FLAT not in text:
        complaints.add(name, f"{len(lines)} lines, at most {FILE_LINES}: split it by idea")
    for number, line in enumerate(lines, 1):
        place = f"{name}:{number}"
        # Strings are not broken, so that they can be searched for.
        shown = re.sub(r'"(?:\\.|[^"\\])*"', '""', line.expandtabs(8))
        if len(shown) > COLUMNS and not name.endswith(".def"):
            complaints.add(place, f"longer than {COLUMNS} columns")
        if line != line.rstrip():
            complaints.add(place, "blanks at the end of the line")
        if name.endswith((".c", ".h")) and re.match(r" {8}.*\S[^\\]", line):
            complaints.add(place, "indent with tabs")


def check_licence(name, text, complaints):
    first = text.split("\n", 2)[:2]
    if name.endswith(".c"):
        good = first[0] == f"// {LICENCE}"
    elif name.endswith((".h", ".def")):
        good = first[0] == f"/* {LICENCE} */"
    else:
        good = f"# {LICENCE}" in first
    if not good:
        complaints.add(name, f"has to begin with the line {LICENCE}")


def check(args):
    complaints = Complaints("style")
    for name in tree_files(args.root):
        if name.endswith((".png", ".bin")) or name.startswith("fuzz/corpus/"):
            continue
        text = read_text(args.root, name)
        complaints.looked_at += 1
        if name != "LICENSE":
            for match in DOUBT.finditer(text):
                line = text.count("\n", 0, match.start()) + 1
                complaints.add(f"{name}:{line}",
                               f"{match.group(0)}: a doubt is an assertion, a caveat or an issue")
        if name.endswith(CODE + SCRIPT):
            check_lines(name, text, complaints)
            check_licence(name, text, complaints)
        if name.endswith((".c", ".h")):
            code = DIRECTIVE.sub(blank, NOISE.sub(blank, text))
            check_functions(name, text, code, complaints)
            check_calls(name, code, complaints)
    return complaints.finish()


if __name__ == "__main__":
    main(check, __doc__)
