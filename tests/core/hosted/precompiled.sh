# SPDX-License-Identifier: GPL-2.0-only
# Headers that are precompiled for many files change nothing in any: the same code, the same
# dependencies, and what would differ is compiled without them.
[ "${IOMMULAB_FLAVOUR:-}" = lab ] || exit 77
for tool in clang-19 llvm-objdump-19; do
	command -v $tool >/dev/null || exit 77
done
exec python3 -B "$IOMMULAB_SOURCE/tests/core/hosted/precompiled_rules.py"
