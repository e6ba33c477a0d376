# SPDX-License-Identifier: GPL-2.0-only
# What `kernel build` keeps is named by the innermost place of a file: with kbuild's folder below
# our sources, as in our tests, an object made with another configuration is not taken for it.
. "$(dirname "${BASH_SOURCE[0]}")/../../tools/cli/lib.sh"

python3 -B - "$IOMMULAB_SOURCE/core/hosted/build" "$WORK" <<'EOF' || fail 'names of files'
import os
import sys
import time

sys.path.insert(0, sys.argv[1])
from store import Store, say

root = os.path.realpath(sys.argv[2])
header = "build/kbuild/%s/autoconf.h"
for number, text in (("1", "old"), ("2", "new")):
    os.makedirs(os.path.join(root, "build/kbuild", number))
    with open(os.path.join(root, header % number), "w", encoding="ascii") as f:
        f.write(text)


def store(kbuild):
    s = Store(os.path.join(root, "build/store"), say)
    s.place("ROOT", root)
    s.place("KBUILD", os.path.join(root, "build/kbuild", kbuild))
    return s


def names(s, number):
    return [s.name(os.path.join(root, header % number)), s.name(os.path.join(root, "x.c"))]


first = store("1")
assert names(first, "1") == ["@KBUILD@/autoconf.h", "@ROOT@/x.c"], names(first, "1")
assert first.marked(f"-I{root}/build/kbuild/1/a") == "-I@KBUILD@/a"
made = first.add("key", names(first, "1"))
open(first.path("objects", made), "w", encoding="ascii").close()
assert first.find("key", "objects") == made
first.lock.close()
second = store("2")
assert second.find("key", "objects") is None, "made with another configuration"

# Another content of the same size and date is another content.
path = os.path.join(root, "dated.c")
stamp = (10**18, 10**18)


def content_of(text):
    with open(path, "w", encoding="ascii") as f:
        f.write(text)
    os.utime(path, ns=stamp)
    time.sleep(2.5)  # a hash is kept of what has been as it is for two seconds
    second.seen.clear()
    return second.content(path)


assert content_of("int a;") != content_of("int b;"), "a file of the same size and date"
assert second.hashes, "no hash is kept"
EOF
finish
