#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
# Breaks the VT-d model in one place after the other: the vectors have to notice
# each. What a change is to, and by what, is a row below.
set -euo pipefail
cd "${IOMMULAB_SOURCE:?}"
[ "${IOMMULAB_FLAVOUR:-lab}" = lab ] || exit 77
compiler=$(command -v clang-19 || command -v gcc) || exit 77
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
flags=(-std=gnu17 -D_GNU_SOURCE -DIOMMULAB_HOOKS=0 -I. -O1 -march=x86-64-v2)

cat >"$dir/main.c" <<'END'
#include "tests/kit/vectors.h"
#include <stdio.h>
int main(void)
{
	static struct vectors_report r;

	vectors_run_dir(&hw_vtd_ops, "tests/conformance/vtd", &r);
	printf("%u of %u fail%s\n", r.failed, r.vectors, r.bad ? ", malformed" : "");
	return r.bad ? 2 : r.failed != 0;
}
END

compile() { "$compiler" "${flags[@]}" -c "$1" -o "$2"; }

for source in tests/kit/vectors*.c hw/vtd/*.c hw/iommu/*.c sim/base/assert.c "$dir/main.c"; do
	compile "$source" "$dir/$(echo "$source" | tr / _).o"
done
run() { "$compiler" "$dir"/*.o -o "$dir/run" && "$dir/run"; }

run || { echo "the vectors fail without any change"; exit 1; }

missed=0
# file @ what is there @ what is put in its place
while IFS='@' read -r file from to; do
	[ -n "$file" ] || continue
	object=$dir/hw_vtd_$file.o
	python3 - "hw/vtd/$file" "$dir/$file" "$from" "$to" <<'END'
import sys
source, target, old, new = sys.argv[1:]
text = open(source).read()
assert text.count(old) >= 1, f"{source}: there is no: {old}"
open(target, "w").write(text.replace(old, new, 1))
END
	cp "$object" "$dir/keep"
	compile "$dir/$file" "$object"
	if out=$(run); then
		echo "not noticed: $file: '$from' -> '$to'"
		missed=1
	else
		echo "noticed ($out): $file: '$from' -> '$to'"
	fi
	cp "$dir/keep" "$object"
done <<'END'
cache.c@drop_range(v->iotlb, ss, addr, last);@hw_cache_drop_tags(v->iotlb, TAG_DID, did);
cache.c@hw_cache_drop_tags(v->iotlb, TAG_DID | TAG_MODE, nested);@
cache.c@if (!hint)@if (true)
cache.c@return !w->pure && (w->epoch == w->v->inv_epoch@return !w->pure && (true
translate.c@if (denied || ((w->access & HW_WRITE) && !(flags & VTD_F_DIRTY)))@if (denied)
walk.c@bits = accessed@bits = VTD_FS_A
walk.c@if (now != *value) {@if (false) {
inv.c@return at == 0 && vtd_drained(v, c->stamp)@return at == 0
inv.c@~v->itags != 0 && !behind_iotlb(v, at)@~v->itags != 0
inv.c@v->cmd[i].type == VTD_INV_WAIT && (v->cmd[i].d[0] & VTD_WAIT_FN)@false
fault.c@(bits & ~old & STATUS_EVENTS) && !(old & STATUS_EVENTS)@bits & ~old & STATUS_EVENTS
ir.c@(i->sid & mask) == (want & mask)@true
prq.c@(vtd_get(v, VTD_PRS) & VTD_PRS_PRO) || next == head@next == head
context.c@!(word[0] & VTD_SCTX_PASIDE)@false
regs.c@if (!v->k.esrtps)@if (true)
root.c@w->req->sid & 0xff) * 16@w->req->sid & 0x7f) * 16
END
exit "$missed"
