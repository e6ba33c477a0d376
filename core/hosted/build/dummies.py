# SPDX-License-Identifier: GPL-2.0-only
"""What the object needs and nobody defines: generated, trapping.

A function becomes a stub that tells the runtime its name and its caller. What
is never called directly is taken for data and lies in pages that may not be
touched at all; a table says what lies where.
"""
import re
import subprocess

ABSENT_SIZE = 512


def tool(*argv):
    return subprocess.run(argv, capture_output=True, text=True, check=True).stdout


def undefined(objects, script):
    """{symbol: [objects]} that neither an object nor the link script defines."""
    needs = {}
    with open(script, encoding="ascii") as f:
        has = set(re.findall(r"^\s*(\w+) = \.;", f.read(), re.M))
    has.add("_GLOBAL_OFFSET_TABLE_")
    for line in tool("llvm-nm-19", "-A", "--format=posix", *objects).splitlines():
        obj, name, kind = re.match(r"(.*?): (\S+) (\S)", line).groups()
        if kind == "U":
            needs.setdefault(name, []).append(obj)
        elif kind != "w" and kind.isupper():
            has.add(name)
    return {name: users for name, users in sorted(needs.items()) if name not in has}


def called(names, objects):
    """Those of names that some object calls or jumps to."""
    text = tool("llvm-readelf-19", "-rW", *objects)
    found = set(re.findall(r"R_X86_64_PLT32\s+\S+\s+(\S+)", text))
    return {name for name in names if name in found}


def assembly(names, functions):
    """Stubs for the functions, untouchable room for the others."""
    lines = ["\t.text"]
    for name in names:
        if name not in functions:
            continue
        lines += [f"\t.globl {name}", f"\t.hidden {name}", f"\t.type {name}, @function", f"{name}:",
                  "\tleaq 1f(%rip), %rdi", "\tmovq (%rsp), %rsi", "\tjmp hosted_absent",
                  f"\t.size {name}, . - {name}", "\t.section .rodata.str,\"aMS\",@progbits,1",
                  f"1:\t.asciz \"{name}\"", "\t.text"]
    data = [name for name in names if name not in functions]
    for name in data:
        lines += ["\t.section .rodata.str,\"aMS\",@progbits,1", f"1:\t.asciz \"{name}\"",
                  "\t.section .hosted_absent_names,\"aw\",@progbits",
                  f"\t.quad 1b, {name}, {ABSENT_SIZE}"]
    lines.append("\t.section .hosted_absent,\"a\",@nobits")
    for name in data:
        lines += ["\t.balign 16", f"\t.globl {name}", f"\t.hidden {name}", f"\t.type {name}, @object",
                  f"\t.size {name}, {ABSENT_SIZE}", f"{name}:", f"\t.skip {ABSENT_SIZE}"]
    lines.append("\t.section .note.GNU-stack,\"\",@progbits")
    return "\n".join(lines) + "\n"


def note(facts):
    """The lines that the loader compares before it maps anything."""
    text = "".join(f"{key} {value}\\n" for key, value in facts.items())
    return "\n".join([
        "\t.section .note.iommulab,\"a\",@note", "\t.balign 4",
        "\t.long 9, 2f - 1f, 1", "\t.asciz \"iommulab\"", "\t.balign 4",
        f"1:\t.asciz \"{text}\"", "2:\t.balign 4", ""])
