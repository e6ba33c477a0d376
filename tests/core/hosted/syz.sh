# SPDX-License-Identifier: GPL-2.0-only
# Programs of syzkaller run on the tree: async calls as tasks, all calls as
# tasks, results by name, and what is wrong with a program is one line.
. "$(dirname "$0")/lib.sh"
[ "$FLAVOUR" = lab ] || exit 77

expect 0 '' hosted_build
prog=tests/core/hosted/map_and_destroy.syz
expect 0 'clean, 300 runs' "$IOMMULAB" run --kernel "$KERNEL" --runs 300 $prog
expect 0 'clean, 300 runs' "$IOMMULAB" run --kernel "$KERNEL" --runs 300 --threads all $prog
expect 0 'clean, 100 runs' "$IOMMULAB" run --kernel "$KERNEL" --runs 100 --threads all \
	tests/core/hosted/verbs.yaml
expect 0 '"r2":2' "$IOMMULAB" run --kernel "$KERNEL" --runs 1 --json - $prog
expect 0 'clean, 10 runs' sh -c "'$IOMMULAB' run --kernel '$KERNEL' --runs 10 - <$prog"

expect 0 'clean, 300 runs' "$IOMMULAB" run --runs 300 $prog
expect 0 'clean, 300 runs' "$IOMMULAB" run --runs 300 --threads all $prog
sed 's/^r0 = .*/&\nioctl$NO_SUCH(r0, 0x1, 0x0)/' $prog >"$WORK/odd.syz"
expect 0 'odd.syz:3: unknown variant' "$IOMMULAB" run --kernel "$KERNEL" --runs 1 "$WORK/odd.syz"
expect 2 'odd.syz:3:' "$IOMMULAB" run --kernel "$KERNEL" --strict "$WORK/odd.syz"
printf 'r0 = openat$iommufd(0xf' >"$WORK/cut.syz"
expect 2 'cut.syz:1:' "$IOMMULAB" run --kernel "$KERNEL" "$WORK/cut.syz"
: >"$WORK/empty.syz"
expect 2 'empty' "$IOMMULAB" run --kernel "$KERNEL" "$WORK/empty.syz"
expect 2 "expected all" "$IOMMULAB" run --kernel "$KERNEL" --threads some $prog
expect 2 "is no system call" "$IOMMULAB" run --kernel "$KERNEL" --threads all \
	tests/core/hosted/one_task.yaml
finish
