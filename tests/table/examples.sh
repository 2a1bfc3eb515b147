#!/usr/bin/env bash
# usage: examples.sh VMAPRUN. Makes a script with one test for each documented example `EXPRESSION => VALUE`, and runs it.
# A builtin without an example fails, but for the checks.
set -euo pipefail
tool=$1
script=$(mktemp --suffix=.vm)
trap 'rm -f "$script"' EXIT
"$tool" ops --all | awk '
    /^[a-z]/ { name = $0; sub(/\(.*/, "", name); seen[name] = 0 }
    /^    Example: / {
        line = substr($0, 14)
        at = 0
        for (i = 1; i <= length(line) - 3; ++i) if (substr(line, i, 4) == " => ") at = i
        if (at == 0) printf "test \"%s\" { %s }\n", name, line # a check is its own example
        else printf "test \"%s\" { assert_close(%s, %s, tol=1e-12) }\n", name, substr(line, 1, at - 1), substr(line, at + 4)
        seen[name] = 1
    }
    END { for (name in seen) if (!seen[name] && name !~ /^(assert_|debug)/) printf "test \"%s has an example\" { assert_eq(1, 0) }\n", name }
' > "$script"
"$tool" test "$script" | { grep -v '^ok' || true; }
