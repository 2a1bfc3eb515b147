#!/usr/bin/env bash
# Reads every #include of src/ and holds it to the layers: a folder includes itself and the folders before it in the list;
# a few heavy or dangerous headers have the only places where they may stand. Prints each breach; fails if there is one.
set -euo pipefail
cd "${1:?usage: check.sh REPOSITORY}/src"
layers=(base array syntax ir ops transform trace exec io)
breaches=0
breach() { echo "$1"; breaches=$((breaches + 1)); }

rank_of() {
    local i
    for i in "${!layers[@]}"; do [[ ${layers[i]} == "$1" ]] && { echo "$i"; return; }; done
    case $1 in vmaprun.hpp | session) echo 100 ;; cli) echo 101 ;; *) echo -1 ;; esac
}
# `exec` runs graphs whatever language they came from.
forbidden() { [[ $1 == exec && ($2 == syntax || $2 == trace) ]]; }

while IFS=: read -r file line include; do
    from=${file%%/*}
    included=$(sed 's/^[^"]*"\([^"]*\)".*/\1/' <<<"$include")
    [[ $included == */* || $included == vmaprun.hpp ]] || continue # generated text beside its only user
    to=${included%%/*}
    if (($(rank_of "$to") < 0)); then breach "$file:$line: \`$to\` is no layer"; continue; fi
    if (($(rank_of "$from") < 0)); then breach "$file:$line: \`$from\` is no layer"; continue; fi
    if (($(rank_of "$to") > $(rank_of "$from"))) || forbidden "$from" "$to"; then breach "$file:$line: $from may not include $included"; fi
done < <(grep -rn --include='*.cpp' --include='*.hpp' '^ *# *include *"' . | sed 's#^\./##')

# only_in PATTERN WHERE...: headers that match may stand in these files or folders alone.
only_in() {
    local pattern=$1 found place allowed
    shift
    while IFS=: read -r found _; do
        allowed=0
        for place in "$@"; do [[ $found == $place* ]] && allowed=1; done
        ((allowed)) || breach "$found: $pattern may stand only in $*"
    done < <(grep -rnE --include='*.cpp' --include='*.hpp' "^ *# *include *<($pattern)" . | sed 's#^\./##')
}
only_in 'CLI/' cli/arguments.cpp
only_in 'nlohmann/' io/ syntax/diagnostics.cpp
only_in 'xtensor/|xtl/' array/ io/ ops/
only_in 'xsimd/' ops/kernels/ exec/kernels/
only_in 'fstream' io/

[[ $(grep -c '^# *include *"' vmaprun.hpp) == 0 ]] || breach "vmaprun.hpp: the public header includes the standard library alone"
((breaches == 0)) && echo "every include keeps to its layer"
exit $((breaches > 0))
