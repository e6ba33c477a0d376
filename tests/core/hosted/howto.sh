# SPDX-License-Identifier: GPL-2.0-only
# What docs/howto/host-your-kernel.md promises: its program and its C reproducer
# show the race of a broken tree, which replays, in gdb too, and bisects.
. "$(dirname "$0")/lib.sh"
[ "$FLAVOUR" = lab ] || exit 77

HOWTO=docs/howto/map-and-destroy
BROKEN=$WORK/broken.so
expect 0 '' hosted_build
python3 tools/kernel_edit.py --tree "$TREE" --diff tests/core/hosted/mutants/destroy-no-wait.edit \
	>"$WORK/broken.diff" || fail "no patch"
expect 0 '' "$IOMMULAB" kernel build --tree "$TREE" --work "$CACHE" --flavour "$FLAVOUR" \
	--patch "$WORK/broken.diff" --out "$BROKEN"

expect 0 'clean, 5000 runs' "$IOMMULAB" run --kernel "$KERNEL" --runs 5000 $HOWTO.syz
# Not in the helper that counts references, but in who calls it.
expect 1 'slab-use-after-free in iommufd_' "$IOMMULAB" run --kernel "$BROKEN" --runs 20000 $HOWTO.syz
cp "$WORK/said" "$WORK/report.txt"
expect 1 '100 of 100 replays identical' "$IOMMULAB" replay --times 100 "$WORK/report.txt"
expect 0 'shown by bad' "$IOMMULAB" bisect --bad "$BROKEN" --good "$KERNEL" --runs 1000 "$WORK/report.txt"
cp "$WORK/report.txt" "$WORK/report"
expect 0 'shown by bad' "$IOMMULAB" bisect --bad "$BROKEN" --good "$KERNEL" --runs 1000 "$WORK/report"
if command -v gdb >/dev/null; then
	timeout 600 "$IOMMULAB" replay --gdb "$WORK/report.txt" </dev/null >"$WORK/gdb" 2>&1
	grep -q ' in iommufd_ioas_map (' "$WORK/gdb" || fail "gdb does not know the tree"
fi

gcc -o "$WORK/repro" $HOWTO.c -pthread || fail "$HOWTO.c does not compile"
"$IOMMULAB" exec --kernel "$KERNEL" -- "$WORK/repro" </dev/null || fail "the client does not run"
expect 1 'KASAN: slab-use-after-free' "$IOMMULAB" exec --kernel "$BROKEN" \
	--record "$WORK/repro.syz" --explore --threads all --runs 20000 -- "$WORK/repro"
expect 1 'switch 1' "$IOMMULAB" run --kernel "$BROKEN" --threads all --runs 20000 "$WORK/repro.syz"
grep -q '> ioctl$IOMMU_IOAS_MAP(.*iova=0x1000000})' "$WORK/said" || fail "a cell of four tasks is cut"

# A reproducer with threads: each is a task, nothing has to be said.
gcc -o "$WORK/race" tests/tools/exec/repro_race.c -pthread || fail "repro_race.c does not compile"
expect 1 'KASAN: slab-use-after-free' "$IOMMULAB" exec --kernel "$BROKEN" \
	--record "$WORK/race.syz" --explore --runs 20000 -- "$WORK/race"
grep -q 'thread2' "$WORK/said" || fail "no task has the name of a thread"
cp "$WORK/said" "$WORK/race.txt"
expect 1 '100 of 100 replays identical' "$IOMMULAB" replay --kernel "$BROKEN" --times 100 "$WORK/race.txt"

# Trees are kernels wherever a kernel is named.
XDG_CACHE_HOME=$WORK/cache expect 2 'not a kernel tree' "$IOMMULAB" diff --kernel "$KERNEL" \
	--against "$WORK" $HOWTO.syz
expect 0 'kernel selftest --tree' "$IOMMULAB" kernel --help
finish
