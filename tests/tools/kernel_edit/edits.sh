# SPDX-License-Identifier: GPL-2.0-only
# tools/kernel_edit.py: edits go by structure, must fit as often as they say,
# and what they are applied to stays as it is.
. "$(dirname "$0")/../cli/lib.sh"
EDIT="python3 tools/kernel_edit.py"
T=$WORK/tree
mkdir -p "$T/drivers/a" "$T/drivers/b"
echo 'int b;' >"$T/drivers/b/b.c"
cat >"$T/drivers/a/a.c" <<'C'
/* f(x); in a comment */
static int used(int x);

int f(int x)
{
	int rc;

	lock(&l->mutex);
	rc = take(x,
		  other(1, 2));
	if (rc && x)
		goto out;
	list_for_each_entry(e, &head, item)
		visit(e);
#ifdef CONFIG_X
	take(3, 4);
#endif
	switch (x) {
	case 1:
		take(5, 6);
		break;
	}
out:
	unlock(&l->mutex);
	return rc;
}

static int g(void)
{
	guard(mutex)(&lock);
	lock(&l->mutex);
	while (more())
		used(1);
	return 0;
}
C

# says RECIPE-LINE... PATTERN: what the changed lines are together.
says() {
	local pattern=${*: -1}
	printf '%s\n' 'file drivers/a/a.c' "${@:1:$#-1}" >"$WORK/r.edit"
	expect 0 "$pattern" $EDIT --tree "$T" --diff "$WORK/r.edit"
	[ "$(sed -n 's/^@@ -[0-9]*,\([0-9]*\) +[0-9]*,\([0-9]*\) .*/\1 \2/p' "$WORK/said" |
		awk '$1 != $2')" = "" ] || fail "lines moved: $*"
}

# refuses RECIPE-LINE... PATTERN: one line, exit 2.
refuses() {
	local pattern=${*: -1}
	printf '%s\n' "${@:1:$#-1}" >"$WORK/r.edit"
	expect_one_line 2 "$pattern" $EDIT --tree "$T" --diff "$WORK/r.edit"
}

says 'function f' 'delete call unlock' '^-.*unlock\(&l->mutex\);'
says 'function f' 'replace call take 1/3 with ($2 + $1)' '^\+.*rc = \(other\(1, 2\) \+ x\)'
says 'function f' 'replace call take 3/3 with 0' '^\+.*	0;'
says 'function f' 'delete if rc&&x' '^-.*goto out;'
says 'function f' 'unwrap if ^rc&&x$' '^\+	 *$'
says 'function f' 'replace condition rc with x > 1' '^\+	if \(x > 1\)'
says 'function f' 'insert before call visit stop();' '^\+		\{ stop\(\); visit\(e\); \}'
says 'function f' 'insert after call lock stop();' '^\+	lock\(&l->mutex\); stop\(\);'
says 'function f' 'insert after statement ^return stop();' '^\+	return rc; stop\(\);'
says 'function f' 'insert first (void)x;' '^\+\{ \(void\)x;'
says 'function g' 'delete call guard' '^-	guard\(mutex\)\(&lock\);'
says 'function g' 'replace word used with unused' '^\+		unused\(1\)'
says 'everywhere' 'delete statement ^lock\(&l->mutex all/2' '^-	lock'

refuses 'file drivers/a/a.c' 'function f' 'delete call absent' \
	'r.edit:3: drivers/a/a.c: a call of absent is there 0 times, expected 1'
refuses 'file drivers/a/a.c' 'function f' 'delete call take' 'take is there 3 times, expected 1'
refuses 'file drivers/a/a.c' 'function f' 'delete call take 1/3' 'is a part of a statement'
refuses 'file drivers/a/a.c' 'function f' 'delete call take 4/3' 'expected a number from 1 to 3'
refuses 'file drivers/a/a.c' 'function f' 'replace call other with $3' 'the call has 2 arguments'
refuses 'file drivers/a/a.c' 'function h' 'delete call take' 'h is defined 0 times, expected once'
refuses 'file drivers/a/a.c' 'function used' 'delete call take' 'used is defined 0 times'
refuses 'file drivers/a/a.c' 'function f' 'shuffle' "'shuffle': expected one of delete"
refuses 'file drivers/a/a.c' 'delete call take' 'expected .function NAME'
refuses 'function f' 'expected .file PATH. first'
refuses 'file drivers/a/none.c' 'none.c: No such file'
refuses 'file ../a.c' 'expected a path inside the tree'
refuses '# nothing' 'edits nothing'

# A copy: only the edited file is one; another recipe restores it.
cp -a "$T" "$WORK/before"
printf '%s\n' 'file drivers/a/a.c' 'function f' 'delete call unlock' >"$WORK/1.edit"
printf '%s\n' 'file drivers/b/b.c' 'insert top #define B 1' >"$WORK/2.edit"
expect 0 edited $EDIT --tree "$T" --out "$WORK/copy" "$WORK/1.edit"
grep -q 'unlock(' "$WORK/copy/drivers/a/a.c" && fail "the edit is not in the copy"
[ -L "$WORK/copy/drivers/b" ] || fail "drivers/b is no link"
expect 0 edited $EDIT --tree "$T" --out "$WORK/copy" "$WORK/2.edit"
cmp "$T/drivers/a/a.c" "$WORK/copy/drivers/a/a.c" || fail "a.c is not restored"
[ "$(head -2 "$WORK/copy/drivers/b/b.c" | tail -1)" = '#line 1 "drivers/b/b.c"' ] ||
	fail "lines of b.c have other numbers"
diff -r "$T" "$WORK/before" >"$WORK/said" || fail "the tree was written into"
mkdir "$WORK/mine"
expect_one_line 2 'is no copy made by' $EDIT --tree "$T" --out "$WORK/mine" "$WORK/1.edit"
finish
