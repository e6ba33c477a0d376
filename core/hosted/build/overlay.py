# SPDX-License-Identifier: GPL-2.0-only
"""Headers and wrappers made from the tree at build time, never committed."""
import os


# Nothing but the exported symbol is visible.
HIDDEN = "#pragma GCC visibility push(hidden)"


def write_if_changed(path, text):
    """Keeps the time of a file that would not change: nothing is rebuilt."""
    os.makedirs(os.path.dirname(path), exist_ok=True)
    if os.path.exists(path):
        with open(path, encoding="utf-8") as f:
            if f.read() == text:
                return
    with open(path + ".new", "w", encoding="utf-8") as f:
        f.write(text)
    os.rename(path + ".new", path)


def config(tree):
    """What Kconfig refuses, as macros."""
    lines = [HIDDEN]
    for name, value in tree.forced:
        lines.append(f"#undef {name}")
        if value != "n":
            lines.append(f"#define {name} {'1' if value == 'y' else value}")
    lines += ["#ifdef IOMMULAB_HOOKS", "#define CONFIG_KCSAN 1", "#endif", ""]
    return "\n".join(lines)


def write(tree, folder):
    write_if_changed(os.path.join(folder, "hosted_config.h"), config(tree))
    write_if_changed(os.path.join(folder, "hosted_hidden.h"), HIDDEN + "\n")


def wrapper(tree, host, files, folder):
    """A file with the headers of `host`, and of the .c files it includes only `files`.

    Headers beside the host are named from the top of the tree, so that no folder has to be searched
    before those that all files' commands have.
    """
    includes = [line.strip() for line in tree.text(host).split("\n") if line.startswith("#include")]
    headers = [line for line in includes if not line.endswith('.c"')]
    wanted = [f'#include "{name}"' for name in map(os.path.basename, files)
              if f'#include "{name}"' in includes]
    beside = os.path.dirname(host) + "/"
    lines = [f'#include "{beside}{name}"' if name and tree.has(beside + name) else line
             for line in headers + wanted for name in [line.partition('"')[2][:-1]]]
    path = os.path.join(folder, "hosted_" + host.replace("/", "_"))
    write_if_changed(path, "\n".join(lines) + "\n")
    return path
