# SPDX-License-Identifier: GPL-2.0-only
"""What was made before, found again by content.

Nothing is keyed by a path or a time: an object is named by a hash of its
command and of every file that its compiler read, so two trees that differ in
one file have all other objects in common. Times and inodes only save reading a
file again whose content is known.

`name` of a file is its path with the tree, kbuild's folder and our sources
replaced by `@TREE@` and so on: the same in each copy of a tree.
"""
import fcntl
import hashlib
import json
import os
import shutil
import sys
import time

ABSENT = "-" * 40
RACY_NS = 2_000_000_000  # a file this young may change again within one tick
LISTS_MAX = 8
KEPT = ("objects", "lists", "linked", "precompiled")  # as long as there is room
BYTES_MAX = 4 << 30


def digest(*parts):
    h = hashlib.sha1()
    for part in parts:
        data = part if isinstance(part, bytes) else str(part).encode()
        h.update(b"%d:" % len(data) + data)
    return h.hexdigest()


def write_whole(path, text):
    """Readers see the old or the new file, never half."""
    new = f"{path}.{os.getpid()}.new"
    try:
        with open(new, "w", encoding="utf-8") as f:
            f.write(text)
        os.replace(new, path)
    except OSError:
        remove(new)
        raise


def copy_whole(source, path):
    new = f"{path}.{os.getpid()}.new"
    try:
        shutil.copyfile(source, new)
        os.replace(new, path)
    except OSError:
        remove(new)
        raise


def remove(path):
    try:
        os.unlink(path)
    except OSError:
        pass


class Store:
    """A folder of ours; one build at a time in it."""

    def __init__(self, work, say):
        self.work = work
        self.hashes, self.seen, self.places, self.instead = {}, {}, [], {}
        self.changed = False
        for folder in ("", "objects", "lists", "kbuild", "linked", "overlay", "probes", "precompiled"):
            os.makedirs(os.path.join(work, folder), exist_ok=True)
        self._lock(say)
        self._clean()
        try:
            with open(os.path.join(work, "hashes.json"), encoding="utf-8") as f:
                kept = json.load(f)
            self.hashes = kept if isinstance(kept, dict) else {}
        except (OSError, ValueError):
            pass

    def _lock(self, say):
        self.lock = open(os.path.join(self.work, "lock"), "w", encoding="ascii")
        try:
            fcntl.flock(self.lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            say(f"iommulab: kernel build: waiting for another build in {self.work}")
            fcntl.flock(self.lock, fcntl.LOCK_EX)

    def _clean(self):
        """What a killed build left; then the oldest, when there is too much."""
        rows = []
        for folder in ("", "objects", "lists", "linked", "overlay", "probes", "precompiled"):
            for entry in os.scandir(os.path.join(self.work, folder)):
                # Ours, and the compiler's own beside them (".new.tmp").
                if entry.name.endswith((".new", ".new.tmp")):
                    remove(entry.path)
                elif folder in KEPT and not entry.name.endswith(".h"):
                    st = entry.stat()
                    rows.append((st.st_mtime_ns, st.st_size, entry.path))
        total = sum(size for _, size, _ in rows)
        for _, size, path in sorted(rows):
            if total <= BYTES_MAX:
                break
            remove(path)
            total -= size

    def close(self):
        if self.changed:
            write_whole(os.path.join(self.work, "hashes.json"), json.dumps(self.hashes))

    def path(self, folder, name):
        return os.path.join(self.work, folder, name)

    def used(self, folder, name):
        """The path of what is kept under this name, or None; it is young again."""
        path = self.path(folder, name)
        try:
            os.utime(path)
        except OSError:
            return None
        return path

    # --- names and contents of files ---

    def place(self, mark, path):
        """A place in another (kbuild's folder in our sources' own) is not the outer one's."""
        self.places.append((f"@{mark}@", path))
        self.places.sort(key=lambda row: -len(row[1]))

    def name(self, path):
        for mark, place in self.places:
            if path == place or path.startswith(place + "/"):
                return mark + path[len(place):]
        return path

    def marked(self, word):
        for mark, place in self.places:
            word = word.replace(place, mark)
        return word

    def real(self, name):
        for mark, place in self.places:
            if name.startswith(mark):
                return place + name[len(mark):]
        return name

    def content(self, name):
        """A hash of the file's content, as the compiler will see it."""
        if name not in self.seen:
            path = self.real(name)
            self.seen[name] = self._hash(self.instead.get(path, path))
        return self.seen[name]

    def _hash(self, path):
        try:
            st = os.stat(path)
            key = f"{st.st_dev}:{st.st_ino}"
            row = self.hashes.get(key)
            # Not when it was modified: touch(1) and cp -p set that as they like.
            if row and row[0] == st.st_ctime_ns and row[1] == st.st_size:
                return row[2]
            with open(path, "rb") as f:
                value = hashlib.sha1(f.read()).hexdigest()
        except OSError:
            return ABSENT
        if time.time_ns() - st.st_ctime_ns > RACY_NS:
            self.hashes[key] = [st.st_ctime_ns, st.st_size, value]
            self.changed = True
        return value

    # --- results: the files that decided one are known only after it was made ---

    def lists(self, key):
        try:
            with open(self.path("lists", key + ".json"), encoding="utf-8") as f:
                kept = json.load(f)
            return kept if isinstance(kept, list) else []
        except (OSError, ValueError):
            return []

    def find(self, key, folder):
        """What was made of `key` and the files that it read then; None, or its name."""
        for names in self.lists(key):
            made = digest(key, *map(self.content, names))
            if self.used(folder, made):
                return made
        return None

    def add(self, key, names):
        """The name for a result that read these files."""
        names = sorted(set(names))
        kept = [names] + [other for other in self.lists(key) if other != names]
        write_whole(self.path("lists", key + ".json"), json.dumps(kept[:LISTS_MAX]))
        return digest(key, *map(self.content, names))


def say(text):
    print(text, file=sys.stderr, flush=True)
