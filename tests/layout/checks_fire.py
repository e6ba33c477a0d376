# SPDX-License-Identifier: GPL-2.0-only
"""Plants one violation after another in a small clean tree; each must be named."""

import os
import subprocess
import sys
import tempfile

TOOLS = os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../tools")
SPDX_C = "// SPDX-License-Identifier: GPL-2.0-only\n"
SPDX_H = "/* SPDX-License-Identifier: GPL-2.0-only */\n#pragma once\n"
CLEAN = {
    "tools/rooms.txt": "sim/low | low_ | low.h | below\n"
                       "core/high | high_ | high.h | above\n",
    "sim/low/low.h": SPDX_H + "int low_get(void);\n",
    "sim/low/low_priv.h": SPDX_H + "#define LOW_SECRET 4\n",
    "sim/low/low.c": SPDX_C + '#include "sim/low/low.h"\n\n#include "sim/low/low_priv.h"\n\n'
                     "int low_get(void)\n{\n\treturn LOW_SECRET;\n}\n",
    "core/high/high.h": SPDX_H + "int high_get(void);\n",
    "core/high/high.c": SPDX_C + '#include "core/high/high.h"\n\n#include "sim/low/low.h"\n\n'
                        "int high_get(void)\n{\n\treturn low_get();\n}\n",
}
BODY = "".join(f"\tx += {i};\n" for i in range(70))


def function(body, parameters="int x"):
    head = f"int low_f({parameters})"
    return SPDX_C + f"{head};\n{head}\n{{\n{body}\treturn x;\n}}\n"


# check, file, its text instead (None: added to the clean one), what the check must say
PLANTED = (
    ("rooms", "sim/low/up.c", SPDX_C + '#include "core/high/high.h"\n', "is above"),
    ("rooms", "core/high/in.c", SPDX_C + '#include "sim/low/low_priv.h"\n', "not a public header"),
    ("rooms", "core/high/gone.c", SPDX_C + '#include "high.h"\n', "not a path from the root"),
    ("rooms", "sim/attic/a.c", SPDX_C, "is no room"),
    ("rooms", "sim/low/twice.h", SPDX_H.split("\n")[0] + "\n", "#pragma once"),
    ("rooms", "sim/low/late.c", SPDX_C + '#include <stdio.h>\n#include "sim/low/low.h"\n',
     "before system headers"),
    ("rooms", "tools/rooms.txt", CLEAN["tools/rooms.txt"] + "sim/empty | e_ | - | nothing\n",
     "has no file"),
    ("rooms", "tools/rooms.txt", CLEAN["tools/rooms.txt"] + "sim/low | low_\n", "expected `folder"),
    ("style", "sim/low/f.c", function(BODY), "function of"),
    ("style", "sim/low/f.c", function("", "int x, int a, int b, int c, int d, int e, int f"),
     "7 parameters"),
    ("style", "sim/low/f.c", function("\tfor (;;) {\n\t\tfor (;;) {\n\t\t\tfor (;;) {\n"
                                      "\t\t\t\tfor (;;) {\n\t\t\t\t\tfor (;;) {\n"
                                      "\t\t\t\t\t}\n\t\t\t\t}\n\t\t\t}\n\t\t}\n\t}\n"), "nested 5"),
    ("style", "sim/low/f.c", function("\tx = rand();\n"), "rand is banned here: use sim/choice"),
    ("style", "sim/low/f.c", function("\tx = (int)time(0);\n"), "time is banned"),
    ("style", "sim/low/f.c", function('\tprintf("%d", x);\n'), "printf is banned"),
    ("style", "sim/low/f.c", function("\tdouble y = x;\n"), "double is banned"),
    ("style", "sim/low/f.c", function("\tpthread_create(0, 0, 0, 0);\n"), "pthread_create is"),
    ("style", "sim/low/f.c", function('\tx = getenv("A") != 0;\n'), "getenv is banned"),
    ("style", "sim/low/f.c", function("\tsignal(1, 0);\n"), "signal is banned"),
    ("style", "core/high/f.c", function("\tfree(0);\n"), "free is banned here: use kmalloc"),
    ("style", "sim/low/f.c", function("\t/* TO" "DO */\n"), "a doubt is"),
    ("style", "sim/low/f.c", function("        x++;\n"), "indent with tabs"),
    ("style", "sim/low/f.c", function("\tx++; \n"), "blanks at the end"),
    ("style", "sim/low/f.c", function(f"\t/* {'long ' * 20}*/\n"), "longer than 100"),
    ("style", "sim/low/f.c", "int low_x;\n", "has to begin with"),
    ("style", "sim/low/f.c", SPDX_C + "\n" * 1001, "split it by idea"),
    ("headers", "sim/low/alone.h", SPDX_H + "size_t low_size(void);\n", "does not compile alone"),
    ("symbols", "sim/low/low.c", CLEAN["sim/low/low.c"].replace("low_get", "get"),
     "none of the prefixes"),
    ("symbols", "core/high/high.c", CLEAN["core/high/high.c"] + "static int n[4];\n"
     "int *high_n(void);\nint *high_n(void)\n{\n\treturn n;\n}\n", "mutable file-level state"),
)
# Things that look like violations and are not.
ALLOWED = (
    ("style", "sim/low/f.c", function(BODY).replace("\nint low_f(int x)\n{",
                                                    "\n/* flat table */\nint low_f(int x)\n{")),
    ("style", "sim/low/f.c", function('\t/* rand() and time() */ x += sizeof("printf(");\n')),
    ("style", "tools/cli/f.c", function('\tprintf("%d", x);\n')),
    ("symbols", "core/high/high.c", CLEAN["core/high/high.c"] +
     "static const char *const names[] = {\"a\", \"b\"};\nconst char *high_name(int i);\n"
     "const char *high_name(int i)\n{\n\treturn names[i];\n}\n"),
)


def build(root):
    """Objects where CMake would leave them."""
    for folder, _, names in os.walk(root):
        for name in names:
            source = os.path.relpath(os.path.join(folder, name), root)
            if not name.endswith(".c"):
                continue
            out = os.path.join(root, "build/CMakeFiles/iommulab_all.dir", source + ".o")
            os.makedirs(os.path.dirname(out), exist_ok=True)
            subprocess.run(["gcc", "-fPIC", "-I", root, "-c", source, "-o", out], cwd=root,
                           check=True)


def run(check, changed):
    """(exit status, output) of a check on the clean tree with one file changed."""
    with tempfile.TemporaryDirectory() as root:
        for name, text in {**CLEAN, **changed}.items():
            path = os.path.join(root, name)
            os.makedirs(os.path.dirname(path), exist_ok=True)
            with open(path, "w", encoding="utf-8") as file:
                file.write(text)
        command = [sys.executable, os.path.join(TOOLS, f"check_{check}.py"), "--root", root]
        if check == "symbols":
            build(root)
            command += ["--build", os.path.join(root, "build")]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        return done.returncode, done.stdout + done.stderr


def main():
    bad = 0
    for check in ("rooms", "style", "headers", "symbols"):
        status, output = run(check, {})
        if status:
            bad += 1
            print(f"{check}: complains of the clean tree:\n{output}")
    for check, name, text, wanted in PLANTED:
        status, output = run(check, {name: text})
        if status != 1 or wanted not in output:
            bad += 1
            print(f"{check}: did not say '{wanted}' of {name} (exit {status}):\n{output}")
    for check, name, text in ALLOWED:
        status, output = run(check, {name: text})
        if status:
            bad += 1
            print(f"{check}: complains of what is allowed:\n{output}")
    print(f"{len(PLANTED)} violations planted, {len(ALLOWED)} look-alikes, {bad} wrong answers")
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
