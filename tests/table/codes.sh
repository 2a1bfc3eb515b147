#!/usr/bin/env bash
# usage: codes.sh VMAPRUN REPOSITORY. Every error code that the sources raise has its page in `vmaprun explain`.
set -euo pipefail
missing=0
for code in $(grep -rhoE '"E[1-6][0-9]{2}"' "$2/src" --include='*.cpp' --include='*.hpp' | tr -d '"' | sort -u); do
    "$1" explain "$code" > /dev/null 2>&1 || { echo "no page for $code"; missing=1; }
done
exit $missing
