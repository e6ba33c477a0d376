# SPDX-License-Identifier: GPL-2.0-only
# Shared by the tests of clients: their programs, compiled as they are.
. "$(dirname "${BASH_SOURCE[0]}")/../../core/hosted/lib.sh"
[ "$FLAVOUR" = lab ] || exit 77
hosted_build >/dev/null || fail "the tree is not built"

CLIENTS=$(realpath "$(dirname "${BASH_SOURCE[0]}")")

# client NAME: the program of NAME.c here.
client() {
	gcc -O1 -w -pthread -o "$WORK/$1" "$CLIENTS/$1.c" || fail "$1.c"
}

# served CODE PATTERN NAME [ARGS]: runs it as a client.
served() {
	local code=$1 pattern=$2 name=$3
	shift 3
	expect "$code" "$pattern" timeout 600 "$IOMMULAB" exec --kernel "$KERNEL" -- "$WORK/$name" "$@"
}
