# SPDX-License-Identifier: GPL-2.0-only
# Bash completion of iommulab: subcommands, their options, and what the
# program itself can list.

_iommulab_list() {
	"${COMP_WORDS[0]}" list "$1" 2>/dev/null | awk '{ print $1 }'
}

_iommulab_options() {
	local of=("$1")

	[ "$1" != kernel ] || of+=("${COMP_WORDS[2]:-build}")
	"${COMP_WORDS[0]}" "${of[@]}" --help 2>/dev/null | grep -oE -- '--[a-z][a-z-]*' | sort -u
}

_iommulab() {
	local word=${COMP_WORDS[COMP_CWORD]} previous=${COMP_WORDS[COMP_CWORD - 1]}
	local command=${COMP_WORDS[1]:-} words

	if [ "$COMP_CWORD" -eq 1 ]; then
		words="run replay shrink hunt fuzz bench exec kernel diff bisect list topo help version"
	else
		case $previous in
		-b | --bug) words=$(_iommulab_list bugs) ;;
		-p | --policy) words=$(_iommulab_list policies) ;;
		--oracles) words=$(_iommulab_list oracles) ;;
		--memory) words=sc ;;
		--kernel | --against | --good | --bad)
			mapfile -t COMPREPLY < <(compgen -W "model model-7.3" -- "$word"; compgen -f -- "$word")
			return
			;;
		--flavour) words="lab bench asan fuzz" ;;
		--config) words="um x86" ;;
		--threads) words=all ;;
		kernel) words="build selftest" ;;
		list) words="scenarios bugs oracles policies machines operations calls" ;;
		*)
			if [[ $word == -* ]]; then
				words=$(_iommulab_options "$command")
			else
				mapfile -t COMPREPLY < <(compgen -f -- "$word")
				return
			fi
			;;
		esac
	fi
	mapfile -t COMPREPLY < <(compgen -W "$words" -- "$word")
}
complete -o filenames -F _iommulab iommulab
