# SPDX-License-Identifier: GPL-2.0-only
"""core/uapi's table against the tree's own user-space headers.

Each struct's size, each field's place, each ioctl's number and each flag's value is a line of C
that the compiler proves wrong or not; its error carries the row's name. What a
tree does not have is no error: such calls are unknown there.
"""
import os
import re
import subprocess

import overlay
from tree import Failure

HEADERS = ("linux/iommufd.h", "linux/vfio.h")
TEST_HEADER = "drivers/iommu/iommufd/iommufd_test.h"
EMPTY = ("linux/compiler.h", "linux/compiler_types.h")
INCLUDES = ("@TREE@/include/uapi", "@KBUILD@/include/generated/uapi", "@TREE@/arch/x86/include/uapi",
            "@KBUILD@/arch/um/include/generated/uapi", "@KBUILD@/arch/x86/include/generated/uapi",
            "@TREE@/arch/um/include/uapi")
ROW = re.compile(r"^(STRUCT|TEST_CMD|FIELD|EXTRA|TAIL|IOCTL\w*|FLAGSET|VALUE)\((.*)", re.M)


def rows(root):
    """(kind, arguments) of each line of the table that can be checked."""
    for name in ("structs.def", "calls.def", "flags.def"):
        with open(os.path.join(root, "core/uapi", name), encoding="utf-8") as f:
            text = re.sub(r"/\*.*?\*/|(?<=,)\n", "", f.read(), flags=re.S)
        for kind, args in ROW.findall(text):
            yield kind, [a.strip().rstrip(")") for a in args.split(",")]


def check(name, condition):
    return [f'#line 1 "uapi-{name}"', f'_Static_assert({condition}, "");']


def source(root, test_header):
    lines = [f"#include <{name}>" for name in HEADERS] + [f'#include "{test_header}"']
    here, is_ours, seen = None, False, set()
    for kind, a in rows(root):
        if kind == "FLAGSET":
            is_ours = a[1] != "NULL"    # else the host's
        elif kind == "VALUE":
            # Several sets may have a name.
            if is_ours and tuple(a) not in seen:
                lines += check(a[0], f"(__u64)({a[0]}) == (__u64)({a[1]})")
            seen.add(tuple(a))
        elif kind == "STRUCT":
            here = None if a[2] == "NULL" else f"struct {a[1]}"
            if here:
                lines += check(a[1], f"sizeof({here}) >= {a[3]} || sizeof({here}) == {a[4]}")
        elif kind.startswith("IOCTL") and a[2] != "NULL":
            lines += check(a[2], f"{a[2]} == {a[3]}")
        elif kind == "TEST_CMD":
            here = "struct iommu_test_cmd"
        elif here and not kind.startswith("IOCTL"):
            member, offset = a[1], a[2]
            lines += check(f"{here[7:]}.{member}", f"__builtin_offsetof({here}, {member}) == {offset}")
            if kind != "TAIL":
                lines += check(f"{here[7:]}.{member}", f"sizeof((({here} *)0)->{member}) == {a[3]}")
    return "\n".join(lines) + "\n"


def ask(compiler, tree, root, folder):
    """(names of rows that this tree does not have, how many were compared)."""
    for name in EMPTY:
        overlay.write_if_changed(os.path.join(folder, "uapi", name), "")
    text = source(root, os.path.join(tree.seen, TEST_HEADER))
    c = os.path.join(folder, "uapi.c")
    overlay.write_if_changed(c, text)
    flags = ["-I" + os.path.join(folder, "uapi")]
    flags += ["-I" + compiler.store.real(place) for place in INCLUDES]
    run = subprocess.run(["clang-19", "-fsyntax-only", "-nostdinc", "-D__user=", "-ferror-limit=0",
                          "-fno-spell-checking", "-w", *compiler.extra, *flags, c], cwd=compiler.cwd,
                         capture_output=True, text=True, errors="replace", check=False)
    errors = re.findall(r"^(\S+?):\d+:\d+: (?:fatal )?error: (.*)$", run.stderr, re.M)
    if any(not place.startswith("uapi-") for place, _ in errors):
        raise Failure(f"{tree.path}: its user-space headers do not compile (the compiler's text is "
                      "above)", run.stderr)
    differ = sorted({place[5:] for place, why in errors if "static assertion failed" in why})
    if differ:
        raise Failure(f"{tree.path}: core/uapi has another layout or number of {' '.join(differ)}")
    lacks = {place[5:] for place, _ in errors}
    # Of a struct that is not there its name is enough.
    lacks = [n for n in lacks if "." not in n or n.partition(".")[0] not in lacks]
    return sorted(lacks), text.count("_Static_assert")
