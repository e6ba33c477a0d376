# SPDX-License-Identifier: GPL-2.0-only
# What the tree refers to and nobody has names itself when it is reached: functions,
# data that is read or written, and what lies near NULL.
. "$(dirname "$0")/lib.sh"
[ "$FLAVOUR" = lab ] || [ "$FLAVOUR" = bench ] || exit 77

MAIN=drivers/iommu/iommufd/main.c

# broken BODY: the tree's open of /dev/iommu begins with that.
broken() {
	hosted_patch $MAIN "/^static int iommufd_fops_open/i \\
extern unsigned long absent_words[];\\nint absent_call(void);
/^static int iommufd_fops_open/,/^}/ s/^{\$/{\\n\\t$1/" >"$WORK/absent.diff"
	KERNEL=$WORK/absent.so expect 0 'absent, a trap when reached:.* absent_' hosted_build \
		--patch "$WORK/absent.diff"
}

shows() {
	expect 1 "hosted kernel: $1 is absent" "$IOMMULAB" run --runs 10 \
		--no-shrink --kernel "$WORK/absent.so" tests/core/hosted/one_task.yaml
	grep -q ' iommufd_fops_open ' "$WORK/said" || fail "the stack of $1 does not name the function"
	grep -q 'crashed with' "$WORK/said" && fail "$1: a crash"
}

broken 'if (absent_words[3])\n\t\treturn -EIO;'
shows absent_words
grep -q 'reads or writes absent_words' "$WORK/said" || fail "nothing is said of the data"
grep -o "iommulab1:[^']*" "$WORK/said" | tail -1 >"$WORK/recipe"
expect 1 '5 of 5 replays identical' "$IOMMULAB" replay --times 5 "$WORK/recipe"
broken 'WRITE_ONCE(absent_words[5], 7);'
shows absent_words
broken 'if (absent_call())\n\t\treturn -EIO;'
shows absent_call

# A page that nobody has: announced by a hook, or found by the fault where nothing looks.
hosted_patch $MAIN '/^static int iommufd_fops_open/,/^}/ s/^{$/{\n\tstruct file *none = NULL;\n\n'\
'\tOPTIMIZER_HIDE_VAR(none);\n\tif (none->f_mode == 3)\n\t\treturn -EIO;/' >"$WORK/absent.diff"
KERNEL=$WORK/absent.so expect 0 . hosted_build --patch "$WORK/absent.diff"
expect 1 'KASAN: null-ptr-deref in iommufd_fops_open' "$IOMMULAB" run --runs 10 \
	--no-shrink --kernel "$WORK/absent.so" tests/core/hosted/one_task.yaml
expect 1 'unable to handle kernel NULL pointer dereference in iommufd_fops_open' "$IOMMULAB" run \
	--runs 10 --no-shrink --oracles none --kernel "$WORK/absent.so" tests/core/hosted/one_task.yaml
grep -o "iommulab1:[^']*" "$WORK/said" | tail -1 >"$WORK/recipe"
expect 1 '5 of 5 replays identical' "$IOMMULAB" replay --times 5 "$WORK/recipe"
finish
