# SPDX-License-Identifier: GPL-2.0-only
# What the tree compares arrives at libFuzzer, from where the tree does it: its hooks are
# called with return addresses that lie in the object.
. "$(dirname "$0")/lib.sh"
[ "$IOMMULAB_FLAVOUR" = fuzz ] || exit 77
command -v gdb >/dev/null || {
	echo "gdb is missing"
	exit 77
}
target=$IOMMULAB_BUILD/fuzz_hosted_ops

expect 0 '' hosted_build
cat >"$WORK/watch.gdb" <<'EOF'
set pagination off
set confirm off
handle SIGSEGV nostop noprint pass
break LLVMFuzzerTestOneInput
run -runs=20 -seed=3 >/dev/null 2>&1
delete
break *__sanitizer_cov_trace_const_cmp4 if (*(unsigned long *)$rsp >> 32) == 0x2fff
break *__sanitizer_cov_trace_const_cmp8 if (*(unsigned long *)$rsp >> 32) == 0x2fff
continue
printf "compared at %#lx\n", *(unsigned long *)$rsp
continue
printf "compared at %#lx\n", *(unsigned long *)$rsp
kill
EOF
expect 0 'compared at 0x2fff' env IOMMULAB_KERNEL="$KERNEL" gdb -batch -x "$WORK/watch.gdb" "$target"
finish
