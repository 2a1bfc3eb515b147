#!/bin/bash
# The scripts of a page (its ```vm blocks) hold: their tests pass, and those that need no input run.
#   usage: snippets.sh VMAPRUN PAGE
vmaprun=$1
page=$2
folder=$(mktemp -d) || exit 1
trap 'rm -rf "$folder"' EXIT
awk -v folder="$folder" '
    /^```vm$/ { file = sprintf("%s/line%04d.vm", folder, NR); next }
    /^```/    { file = ""; next }
    file      { print > file }' "$page"
status=0
count=0
for script in "$folder"/*.vm; do
    count=$((count + 1))
    "$vmaprun" test "$script" >/dev/null && "$vmaprun" check "$script" || { echo "$page: ${script##*/}"; status=1; }
    grep -q '^input' "$script" || "$vmaprun" "$script" >/dev/null || { echo "$page: ${script##*/}"; status=1; }
done
echo "$count scripts in $page"
[ "$count" -gt 0 ] || status=1
exit $status
