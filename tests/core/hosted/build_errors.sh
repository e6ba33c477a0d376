# SPDX-License-Identifier: GPL-2.0-only
# `kernel build`: whatever cannot be built is one line (a compiler's text before
# it), leaves what was there, and never touches the tree.
. "$(dirname "$0")/lib.sh"
[ "$FLAVOUR" = lab ] || [ "$FLAVOUR" = bench ] || exit 77

MAIN=drivers/iommu/iommufd/main.c
tree_state() { find "$TREE/" -printf '%P %s %T@ %C@\n' | sort | md5sum; }
build() { "$IOMMULAB" kernel build --tree "$TREE" --work "$CACHE" --flavour "$FLAVOUR" "$@"; }
untouched() {
	cmp -s "$OLD" "$WORK/old.so" || fail "$1: the old object is gone"
	[ -z "$(find "$WORK" -maxdepth 1 -name '*.new')" ] || fail "$1: half an object is left"
}

before=$(tree_state)
# What a build that was killed has left goes.
mkdir -p "$CACHE/objects"
touch "$CACHE/objects/killed-1a2b3c4d.new.tmp" "$CACHE/objects/killed.new" "$CACHE/hashes.json.1.new"
expect 0 '' hosted_build
for left in objects/killed-1a2b3c4d.new.tmp objects/killed.new hashes.json.1.new; do
	[ ! -e "$CACHE/$left" ] || fail "$left of a killed build is still there"
done
OLD=$WORK/k.so
cp "$KERNEL" "$OLD" && cp "$KERNEL" "$WORK/old.so"

# Tools that are not there.
mkdir "$WORK/bin"
IFS=: read -ra folders <<<"$PATH"
for folder in "${folders[@]}"; do
	find "$folder/" -maxdepth 1 ! -type d -exec ln -s -t "$WORK/bin" {} + 2>/dev/null
done
for tool in flex bison bc clang-19; do
	mv "$WORK/bin/$tool" "$WORK/away"
	expect_one_line 2 "$tool missing: sudo apt-get install $tool" \
		env PATH="$WORK/bin" "$IOMMULAB" kernel build --tree "$TREE" --work "$CACHE"
	mv "$WORK/away" "$WORK/bin/$tool"
done

# Trees that are none.
fake() {
	mkdir -p "$WORK/$1"/{include/linux,drivers/iommu,arch/um}
	printf 'VERSION = %s\nPATCHLEVEL = %s\nSUBLEVEL = 1\n' "$2" "$3" >"$WORK/$1/Makefile"
	touch "$WORK/$1/Kconfig"
}
fake_build() { "$IOMMULAB" kernel build --work "$WORK/w" --tree "$WORK/$1"; }
fake old 5 10
fake part 6 12
fake nothing '' ''
expect_one_line 2 'not a kernel tree' fake_build .
expect_one_line 2 'Linux 5\.10 is too old, expected 6\.6' fake_build old
expect_one_line 2 'not a complete kernel tree \(drivers/iommu/iommufd/main.c' fake_build part
expect_one_line 2 'Makefile names no version' fake_build nothing
mkdir "$WORK/used" && ln -s "$TREE"/* "$WORK/used/" && touch "$WORK/used/.config"
expect_one_line 2 'is configured in place.*mrproper' fake_build used

# Where results go is looked at first.
expect_one_line 2 'there is no folder' build --out "$WORK/none/k.so"
expect_one_line 2 'is a folder' build --out "$WORK"
mkfifo "$WORK/pipe"
expect_one_line 2 'is a device or a pipe' build --out "$WORK/pipe"
[ -p "$WORK/pipe" ] || fail "a file stands where the pipe was"
expect_one_line 2 'there is no folder' build --json "$WORK/none/k.json"
expect_one_line 2 'lies in the tree' build --work "$TREE/work"
expect_one_line 2 "'lob', expected lab, bench, asan, fuzz" build --flavour lob
expect_one_line 2 "jobs: 'many', expected a number" build --jobs many
expect_one_line 2 'No space left on device' build --out "$OLD" --json /dev/full
small() { (ulimit -f 500 && build --out "$OLD"); }
expect_one_line 2 'k\.so: File too large' small
untouched 'a full disk'
ln -s k2.so "$WORK/link.so"
expect 0 'k2\.so|link\.so' build --out "$WORK/link.so"
[ -L "$WORK/link.so" ] && cmp -s "$WORK/k2.so" "$OLD" || fail "a link is not followed"

# Patches.
hosted_patch $MAIN '$ s/$/\nint broken(;/' >"$WORK/broken.diff"
expect 2 'main\.c:[0-9]+:[0-9]+: error' build --patch "$WORK/broken.diff" --out "$OLD"
expect 2 'iommufd/main\.c does not compile' build --patch "$WORK/broken.diff" --out "$OLD"
untouched 'a compile error'
# A header of the tree: only what is wrong with it is said, not what we ask of it.
hosted_patch include/linux/iommu.h '/^struct iommu_domain {/ s/$/ int broken broken;/' >"$WORK/bad.diff"
expect 2 'iommu\.h:[0-9]+:[0-9]+: error' build --patch "$WORK/bad.diff" --out "$OLD"
! grep -q 'probe-' "$WORK/said" || fail "the compiler's text is about our probes"
untouched 'a broken header'
sed 's/^ /  /' "$WORK/broken.diff" >"$WORK/bad.diff"
expect_one_line 2 'iommufd/main\.c: hunk 1 \(line [0-9]+\) does not apply' \
	build --patch "$WORK/bad.diff" --out "$OLD"
sed 's,[ab]/drivers,&/none,' "$WORK/broken.diff" >"$WORK/bad.diff"
expect_one_line 2 'none/iommu/iommufd/main.c: No such file' build --patch "$WORK/bad.diff" --out "$OLD"
sed 's,[ab]/drivers,&/../..,' "$WORK/broken.diff" >"$WORK/bad.diff"
expect_one_line 2 'is no file of a tree' build --patch "$WORK/bad.diff" --out "$OLD"
expect_one_line 2 'no patch, expected' build --patch "$TREE/Makefile" --out "$OLD"
expect_one_line 2 'No such file' build --patch "$WORK/none.diff" --out "$OLD"
untouched 'a bad patch'

# A tree whose user-space headers say something else than core/uapi's table.
hosted_patch include/uapi/linux/iommufd.h \
	'/^struct iommu_ioas_map {/,/^}/ s/__u32 ioas_id;/__u32 more;\n\t&/' >"$WORK/uapi.diff"
expect_one_line 2 'another layout or number of .*iommu_ioas_map\.ioas_id' \
	build --patch "$WORK/uapi.diff" --out "$OLD"
hosted_patch include/uapi/linux/iommufd.h \
	's/\(IOMMU_IOAS_MAP_READABLE = 1 <<\) 2/\1 5/' >"$WORK/uapi.diff"
expect_one_line 2 'another layout or number of IOMMU_IOAS_MAP_READABLE$' \
	build --patch "$WORK/uapi.diff" --out "$OLD"

# Stopped in the middle: a header's patch makes much to compile.
hosted_patch drivers/iommu/iommufd/iommufd_private.h "\$ s/\$/\n\/* $$ *\//" >"$WORK/much.diff"
for signal in INT TERM; do
	touch "$WORK/before"
	in_background "$IOMMULAB" kernel build --tree "$TREE" --work "$CACHE" --flavour "$FLAVOUR" \
		--patch "$WORK/much.diff" --out "$OLD"
	for ((i = 0; i < 3000; i++)); do
		sleep 0.1
		[ -z "$(find "$CACHE/objects" -name '*.new' -newer "$WORK/before" -print -quit)" ] || break
	done
	kill -$signal $PID
	wait $PID
	code=$?
	[ "$code" = 130 ] || fail "exit $code after SIG$signal, expected 130: $(cat "$WORK/said")"
	untouched "SIG$signal"
done

# Said twice, as timeout(1) does: the second comes while the first is attended to.
cat >"$WORK/twice.py" <<'EOF'
import os, signal, sys
sys.path.insert(0, "core/hosted/build")
import build
tell = build.say
def asked(progress):
    os.kill(os.getpid(), signal.SIGTERM)
def asked_again(text):
    os.kill(os.getpid(), signal.SIGTERM)
    tell(text)
build.main, build.say = asked, asked_again
sys.exit(build.run())
EOF
expect_one_line 130 'kernel build: interrupted' python3 -B "$WORK/twice.py"

# One build at a time in a folder.
exec 9>>"$CACHE/lock"
flock 9
build --out "$OLD" >"$WORK/waits" 2>&1 9>&- &
PID=$!
: >>"$WORK/waits"
until grep -q 'waiting for another build' "$WORK/waits" || ! kill -0 $PID 2>/dev/null; do sleep 0.1; done
grep -q 'waiting for another build' "$WORK/waits" || fail "two builds at a time: $(cat "$WORK/waits")"
cmp -s "$OLD" "$WORK/old.so" || fail "a build that waits has written"
exec 9>&-
wait $PID || fail "a build that waited: exit $?: $(cat "$WORK/waits")"

# Blanks in the tree's path; the same content, so nothing is compiled.
mkdir "$WORK/my tree" && ln -s "$TREE"/* "$WORK/my tree/"
expect 0 '0 compiled' "$IOMMULAB" kernel build --tree "$WORK/my tree" --work "$CACHE" \
	--flavour "$FLAVOUR" --out "$WORK/blank.so"
cmp -s "$WORK/blank.so" "$OLD" || fail "the same tree elsewhere is another object"

# What it says, and where.
build --out "$OLD" --json - >"$WORK/json" 2>"$WORK/said" || fail "no JSON"
python3 - "$WORK/json" <<'EOF' || fail "JSON is not as documented"
import json, sys
d = json.load(open(sys.argv[1]))
assert d["schema"] == 1 and d["version"].startswith("6.12.") and d["compiled"] == 0
assert 100 < d["files"] < d["objects"] and 1000 < d["shim_lines"] < 20000 and not d["patched"]
assert d["uapi_compared"] > 1250 and len(d["uapi_absent"]) < 80
assert isinstance(d["absent_functions"], list) and isinstance(d["absent_data"], list)
EOF
[ ! -s "$WORK/said" ] || fail "a progress line in a pipe: $(head -c 100 "$WORK/said")"
[ "$before" = "$(tree_state)" ] || fail "the tree was touched"
finish
