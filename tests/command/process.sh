#!/usr/bin/env bash
# What only a real process shows: exit codes, standard streams, signals, the disk. Each test is a sentence, a command and
# what is expected of it; whole messages are tested in tests/cases.
#   usage: process.sh VMAPRUN EXAMPLES
set -uo pipefail
vmaprun=$(realpath "$1")
examples=$(realpath "$2")
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
PATH=$(dirname "$vmaprun"):$PATH
export LC_ALL=C.UTF-8
passed=0 failed=0

verdict() { # SENTENCE OK DETAIL
    if (($2)); then passed=$((passed + 1)); else failed=$((failed + 1)); echo "FAILED: $1: $3"; fi
}
# exits SENTENCE CODE COMMAND: the command ends with that code.
exits() {
    bash -c "$3" </dev/null >out 2>err
    local code=$?
    verdict "$1" $((code == $2)) "exit $code instead of $2; $(head -c 300 err)"
}
# prints SENTENCE TEXT COMMAND: the command succeeds, and prints exactly that.
prints() {
    local text
    text=$(bash -c "$3" </dev/null 2>err)
    local code=$?
    verdict "$1" $((code == 0)) "exit $code; $(head -c 300 err)"
    [[ $text == "$2" ]]
    verdict "$1" $(($? == 0)) "printed $(head -c 300 <<<"$text")"
}
# says SENTENCE TEXT: the last command wrote something like that to standard error.
says() { grep -qF -- "$2" err; verdict "$1" $(($? == 0)) "$(head -c 300 err)"; }
is() { eval "$2"; verdict "$1" $(($? == 0)) "not so: $2"; }

cat >sum.vm <<'END'
input x: f32[n]
output sum(x)
END
echo 'input x: f32[n]
output y = x + 1
output total = sum(x)' >two.vm
echo 'input x = 1
output x + y' >wrong.vm
echo 'assert_eq(1, 2)' >assertion.vm
echo 'output loop i = 0 while i >= 0 limit 5 { i + 1 }' >limit.vm
echo 'output loop i = 0 while i >= 0 { i % 7 }' >endless.vm
echo 'test "right" { assert_eq(1, 1) }' >right.vm
echo 'test "right" { assert_eq(1, 1) }
test "false" { assert_eq(1, 2) }' >false.vm

# ---- exit codes
exits "a good run is 0" 0 "echo '[1, 2]' | vmaprun sum.vm"
exits "no arguments are a usage error" 2 "vmaprun"
exits "an unknown option is a usage error" 2 "vmaprun sum.vm --zork"
exits "an option without its value is a usage error" 2 "vmaprun sum.vm -o"
exits "a value that an option does not know is a usage error" 2 "vmaprun sum.vm --nan never"
exits "threads are a number" 2 "vmaprun sum.vm --threads many"
exits "a binding without = is a usage error" 2 "vmaprun sum.vm -i x"
exits "an input given twice is a usage error" 2 "vmaprun sum.vm --set x=[1] --set x=[2]"
exits "an output of unknown ending is a usage error" 2 "vmaprun sum.vm --set x=[1] -o y.txt"
exits "an unknown output is a usage error" 2 "vmaprun two.vm --set x=[1] -o z=y.npy"
exits "one npy file for two outputs is a usage error" 2 "vmaprun two.vm --set x=[1] -o y.npy"
exits "a wrong script is 3" 3 "vmaprun wrong.vm"
exits "a script that is no script is 3" 3 "vmaprun -e 'let let'"
exits "bytes that are no text are 3" 3 "printf 'output \\377' > bad.vm; vmaprun bad.vm"
exits "a missing script is 4" 4 "vmaprun nowhere.vm"
exits "a missing input is 4" 4 "vmaprun sum.vm"
says "a missing input is named" "\`x\`: f32[n]"
exits "an unknown input is 4" 4 "vmaprun sum.vm --set y=1"
exits "empty stdin counts as absent" 4 "printf '' | vmaprun sum.vm"
exits "broken JSON is 4" 4 "echo '[1, 2' | vmaprun sum.vm"
exits "data of another rank is 4" 4 "echo '[[1, 2]]' | vmaprun sum.vm"
exits "a file of unknown ending is 4" 4 "echo 1 > x.txt; vmaprun sum.vm -i x=x.txt"
exits "a truncated npy file is 4" 4 "head -c 140 '$examples/data/logits.npy' > cut.npy; vmaprun sum.vm cut.npy"
exits "a failed assertion is 1" 1 "vmaprun assertion.vm"
exits "a loop past its limit is 5" 5 "vmaprun limit.vm"
exits "NaN under --nan error is 5" 5 "vmaprun -e '0.0 / 0.0' --nan error"
exits "passed tests are 0" 0 "vmaprun test right.vm"
exits "a failed test is 1" 1 "vmaprun test right.vm false.vm"
exits "check needs no data" 0 "vmaprun check sum.vm two.vm"
exits "check of a wrong script is 3" 3 "vmaprun check sum.vm wrong.vm"
exits "help is 0" 0 "vmaprun --help"
exits "version is 0" 0 "vmaprun --version"
exits "an unknown code is 2" 2 "vmaprun explain E999"
exits "an unknown builtin is 2" 2 "vmaprun ops zork"
is "help begins with examples" '[[ $(vmaprun --help | head -1) == Examples: ]]'

# ---- inputs and outputs
prints "a lone value binds the only input" "6.0" "echo '[1, 2, 3]' | vmaprun sum.vm"
prints "an object binds by key" "6.0" "echo '{\"x\": [1, 2, 3]}' | vmaprun sum.vm"
prints "a lone value binds the input that nothing else claims" "[3, 6]" "echo '[1, 2]' | vmaprun -e 'x * y' --set y=3 -c"
prints "an object of dtype, shape and data is a tensor" "[]" "echo '{\"dtype\": \"f32\", \"shape\": [0], \"data\": []}' | vmaprun -e 'x * 2'"
prints "-i picks a member" "3.0" "echo '{\"a\": {\"b\": 1}, \"x\": [1, 2]}' > d.json; vmaprun sum.vm -i x=d.json:x"
prints "-i reads stdin" "3.0" "echo '[1, 2]' | vmaprun sum.vm -i x=-"
prints "named outputs are an object in script order" '{"y": [2.0, 3.0], "total": 3.0}' "echo '[1, 2]' | vmaprun two.vm -c"
prints "run may be written" "3.0" "echo '[1, 2]' | vmaprun run sum.vm"
prints "a script may come from stdin" "3" "echo 'output 1 + 2' | vmaprun -"
prints "a file may have the name of a verb" "3.0" "cp sum.vm check; echo '[1, 2]' | vmaprun run check"
prints "npy goes through a pipe" "5.0" "vmaprun -e '[2.0, 3.0]' -f npy | vmaprun sum.vm"
prints "-o silences stdout" "" "echo '[1, 2]' | vmaprun sum.vm -o y.json"
prints "a json file holds what stdout would" "3.0" "cat y.json"
prints "-f brings stdout back" "3.0" "echo '[1, 2]' | vmaprun sum.vm -o y.json -f json"
prints "outputs go to files by name" "y.npy: f32[2], 8 bytes, C order, npy 1.0" "echo '[1, 2]' | vmaprun two.vm -o y=y.npy -o total=t.json && vmaprun info y.npy"
prints "a script without outputs prints nothing" "" "vmaprun -e 'let x = 1'"
prints "--nan null" "[null, 1.0]" "vmaprun -e '[nan, 1.0]' --nan null"
prints "values that look like options or lists are values" "[-1, 2]" "vmaprun -e '[x, 2]' --set x=-1"
exits "an unknown key is a warning with the nearest name" 4 "echo '{\"xs\": [1]}' | vmaprun sum.vm"
exits "an unknown key beside the right one is a warning alone" 0 "echo '{\"x\": [1], \"zork\": 2}' | vmaprun sum.vm"
says "the key is named" zork
exits "--quiet keeps warnings back" 0 "echo '{\"x\": [1], \"zork\": 2}' | vmaprun sum.vm --quiet"
is "nothing was said" '[[ ! -s err ]]'
exits "diagnostics as JSON" 3 "vmaprun wrong.vm --diagnostics json"
says "they have their code" '"code":"E201"'
exits "colours are asked for" 3 "vmaprun wrong.vm --color always"
is "colours are there" "grep -q \$'\\033' err"
exits "NO_COLOR is honoured by auto" 3 "NO_COLOR=1 vmaprun wrong.vm"
is "no colours are there" "! grep -q \$'\\033' err"

# ---- the disk
exits "a full disk is 5" 5 "vmaprun -e 'zeros((1000,))' > /dev/full"
exits "a full disk under -o is 5" 5 "vmaprun -e 'zeros((1000,))' -o /dev/full"
exits "so is it for what test says in the end" 5 "vmaprun test sum.vm > /dev/full"
says "that is no bug of ours" "error[E520]: cannot write \`stdout\`: No space left on device"
exits "so is it for --help" 5 "vmaprun --help > /dev/full"
exits "so is it for what fmt --check says" 5 "echo 'let  x=1' > unlaid.vm; vmaprun fmt --check unlaid.vm > /dev/full"
exits "a folder that is not there is 5" 5 "vmaprun -e 1 -o nowhere/y.json"
exits "a folder as output is 5" 5 "mkdir -p d.json.d/y.json; vmaprun -e 1 -o d.json.d/y.json"
exits "an output may be the input" 0 "vmaprun -e '[1.0, 2.0]' -o same.npy; vmaprun -e 'x * 2' -i x=same.npy -o same.npy"
prints "it was read before it was replaced" "[2.0, 4.0]" "vmaprun -e x -i x=same.npy"
exits "a failing run leaves the old output" 5 "echo old > kept.json; vmaprun -e 'nan' --nan error -o kept.json"
prints "it is the old one" "old" "cat kept.json"
is "no temporary file stays" '[[ -z $(find . -name "*.json.*" -o -name ".*tmp*" | grep -v "d.json.d") ]]'

exits "a link as output stays a link" 0 "ln -sf real.json link.json; vmaprun -e 1 -o link.json"
is "and its target is written" '[[ -L link.json && $(cat real.json) == 1 ]]'
exits "a link to nowhere is 5" 5 "ln -sf nowhere/real.json broken.json; vmaprun -e 1 -o broken.json"
exits "a folder that may not be written is 5" 5 "[[ $(id -u) == 0 ]] && exit 5; mkdir -p shut; chmod a-w shut; vmaprun -e 1 -o shut/y.json"
exits "stdout is empty when a file can't be written" 5 "vmaprun -e 1 -o nowhere/y.json -f json"
is "nothing was printed" '[[ ! -s out ]]'
exits "a file is not put in place when stdout can't be written" 5 "vmaprun -e 1 -o apart.json -f json > /dev/full"
is "it is not there" '[[ ! -e apart.json ]]'
exits "a result beyond the memory is refused before it is allocated" 5 "vmaprun -e 'arange(100000000000000)'"
says "with its size" "800000000000000 bytes"

# ---- hostile data
exits "JSON of 600 nested lists is 4" 4 "printf '[%.0s' {1..600} | vmaprun sum.vm"
exits "a byte order mark is skipped" 0 "printf '\\357\\273\\277[1, 2]' | vmaprun sum.vm"
exits "a NUL after the document is 4" 4 "printf '[1]\\0' | vmaprun sum.vm"
exits "bytes after the document are 4" 4 "echo '[1] x' | vmaprun sum.vm"
exits "a key given twice is 4" 4 "echo '{\"x\": [1], \"x\": [2]}' | vmaprun sum.vm"
exits "text that is not UTF-8 is 4" 4 "printf '[1, \\377]' | vmaprun sum.vm"
exits "1e400 is 4" 4 "echo '[1e400]' | vmaprun sum.vm"
exits "a number of 100,000 digits is 4" 4 "{ echo -n '['; head -c 100000 /dev/zero | tr '\\0' 9; echo ']'; } | vmaprun -e x"
exits "a hundred thousand brackets in a script are 3" 3 "head -c 100000 /dev/zero | tr '\\0' '(' > deep.vm; vmaprun deep.vm"
exits "an unroll of 1e12 is 3" 3 "vmaprun -e 'unroll(x => x, axis_size=1000000000000, in_axes=none)(1)'"

# ---- pipes and signals
vmaprun -e 'zeros((3000000,))' 2>err | head -c 10 >/dev/null
code=${PIPESTATUS[0]}
verdict "a closed pipe is 141" $((code == 141)) "exit $code"
is "and quiet" '[[ ! -s err ]]'
exits "closed standard streams are no crash" 0 "vmaprun -e 'let x = 1' <&- >&- 2>&-"

interrupted() { # SENTENCE SIGNAL CODE
    setsid --wait bash -c 'exec env --default-signal=INT "$@"' _ "$vmaprun" endless.vm </dev/null >out 2>err &
    local shell=$!
    local process=
    for _ in $(seq 50); do
        process=$(pgrep -f "$vmaprun endless.vm" 2>/dev/null | tail -1)
        [[ -n $process ]] && break
        sleep 0.05
    done
    sleep 0.2
    [[ -n $process ]] && kill "-$2" "$process"
    wait "$shell"
    local code=$?
    verdict "$1" $((code == $3)) "exit $code instead of $3; $(head -c 300 err)"
    is "$1, quietly" '[[ ! -s err ]]'
}
exits "--timeout ends an endless loop" 5 "vmaprun endless.vm --timeout 0.3"
says "and says so" "--timeout"
if command -v pgrep >/dev/null && command -v setsid >/dev/null; then
    interrupted "SIGINT is 130" INT 130
    interrupted "SIGTERM is 143" TERM 143
fi

# ---- debug
echo 'output loop s = 0 while s >= 0 { debug(s, "step"); if s > 2 { loop t = 0 while t >= 0 { t % 7 } } else { s + 1 } }' >steps.vm
exits "debug lines appear while the run goes on" 5 "vmaprun steps.vm --timeout 1"
says "the steps that are over were told" "step: 2"

# ---- streams of records
coproc stream { vmaprun sum.vm --ndjson 2>err; }
echo '[1, 2]' >&"${stream[1]}"
answer=
read -r -t 20 -u "${stream[0]}" answer
[[ $answer == 3.0 ]]
verdict "a stream gives a result while it is open" $(($? == 0)) "it gave ${answer:-nothing}"
printf '[4]\n[' >&"${stream[1]}"
read -r -t 20 -u "${stream[0]}" answer
[[ $answer == 4.0 ]]
verdict "and what is half a line keeps nothing back" $(($? == 0)) "it gave $answer"
printf '5]' >&"${stream[1]}"
eval "exec ${stream[1]}>&-"
read -r -t 20 -u "${stream[0]}" answer
[[ $answer == 5.0 ]]
verdict "the last line needs no end" $(($? == 0)) "it gave $answer"
wait "$stream_PID"
code=$?
verdict "and the end of the stream is 0" $((code == 0)) "exit $code"
yes '[1, 2]' | vmaprun sum.vm --ndjson 2>err | head -n 1 >/dev/null
code=${PIPESTATUS[1]}
verdict "a stream that nobody reads any more is 141" $((code == 141)) "exit $code"
is "and quiet" '[[ ! -s err ]]'
prints "a stream of 100,000 records is in order" "100000 100000" "seq 100000 | vmaprun -e 'x' --ndjson | cmp - <(seq 100000) && echo 100000 100000"
exits "a stream whose output can't be written is 5" 5 "seq 10 | vmaprun -e x --ndjson -o nowhere/out.ndjson"
exits "of a stream that fails no file appears" 4 "printf '1\nx\n' | vmaprun -e x --ndjson -o half.ndjson"
is "whatever was written" '[[ ! -e half.ndjson ]]'

exits "a record that does not end ends the stream" 5 "printf '[1]\n[1, 2]\n' | vmaprun -e 'input x: f64[n]; if n > 1 { loop c = sum(x) while c == c { c } } else { sum(x) }' --ndjson --timeout 1"
is "after what came before it" '[[ $(cat out) == 1.0 ]]'
exits "the repl keeps to a timeout" 0 "printf 'loop c = 0 while c >= 0 { c % 7 }\n' | timeout 20 vmaprun repl --timeout 0.3; [[ \$? != 124 ]]"
exits "a file that may not grow so large is 5" 5 "mkdir grown; ulimit -f 100; vmaprun -e 'arange(1000000)' -o grown/big.npy"
is "and leaves nothing" '[[ -z $(ls -A grown) ]]'

# ---- batches
mkdir data
for i in 1 2 3; do vmaprun -e "[$i.0, 1.0]" -o "data/part$i.npy"; done
exits "a batch runs the script once a file" 0 "vmaprun sum.vm 'data/*.npy' -o 'results/{stem}.json' -j 2"
prints "every file has its output" "2.0 3.0 4.0" "cat results/part1.json results/part2.json results/part3.json | xargs"
prints "without -o the results come in the order of the files" "2.0 3.0 4.0" "vmaprun sum.vm data/part1.npy data/part2.npy data/part3.npy -j 3 | xargs"
head -c 130 data/part2.npy >data/broken.npy
exits "a failed file leaves the others alone" 1 "rm -rf results; vmaprun sum.vm 'data/*.npy' -o 'results/{stem}.json'"
says "it is named" "data/broken.npy"
is "the others are there" '[[ $(ls results | xargs) == "part1.json part2.json part3.json" ]]'
exits "a wrong script is said once" 3 "vmaprun wrong.vm 'data/*.npy' -o 'results/{stem}.json'"
exits "a batch needs an output for each file" 2 "vmaprun sum.vm 'data/*.npy' -o out.json"
exits "two files for one output are refused" 2 "mkdir -p other; cp data/part1.npy other; vmaprun sum.vm data/part1.npy other/part1.npy -o 'results/{stem}.json'"
exits "a pattern without files is 4" 4 "vmaprun sum.vm 'data/*.zork' -o 'results/{stem}.json'"
echo 'input x: f32[n]
input scale: f32
output sum(x) * scale' >scaled.vm
prints "stdin is there for every file of a batch" "20.0 30.0 40.0" "echo '{\"scale\": 10}' | vmaprun scaled.vm data/part1.npy data/part2.npy data/part3.npy -j 2 | xargs"

# ---- files that are not in memory as a whole
echo 'input x: f32[n, 4]
let (y, total) = vmap(r => (r * 2.0 + sum(r), sum(r)))(x)
output y
output total' >rows.vm
exits "a large file to stream from" 0 "vmaprun -e 'reshape(arange(8000000, dtype=f32) % 1000, (2000000, 4))' -o large.npy"
exits "slices go from file to file" 0 "vmaprun rows.vm large.npy -o y=y.npy -o total=total.npy"
exits "whole arrays give the same" 0 "vmaprun rows.vm large.npy --mode eager -o y=y2.npy -o total=total2.npy && cmp y.npy y2.npy && cmp total.npy total2.npy"
exits "one thread gives the same" 0 "vmaprun rows.vm large.npy --threads 1 -o y=y2.npy -o total=total2.npy && cmp y.npy y2.npy && cmp total.npy total2.npy"
exits "less memory than the file is enough for slices" 0 "vmaprun rows.vm large.npy --memory 16M -o y=y2.npy -o total=total2.npy && cmp y.npy y2.npy"
exits "and too little for the whole" 5 "vmaprun -e 'cumulative_sum(x, axis=0)' -i x=large.npy --memory 16M -o z.npy"
says "that is said" "error[E602]: out of memory: 32000000 bytes"
is "and nothing is written" '[[ ! -e z.npy ]]'
slices_are_enough() { # what the script does, the script
    exits "less memory than the file is enough for $1" 0 "vmaprun -e '$2' -i x=large.npy --memory 16M -o slices.npy && vmaprun -e '$2' -i x=large.npy --mode eager -o whole.npy && cmp slices.npy whole.npy"
}
slices_are_enough "maps after maps" "vmap(vmap(v => v * v))(vmap(r => r - mean(r))(x))"
slices_are_enough "nested comprehensions" "[[v * 2.0 for v in r] for r in x]"
slices_are_enough "a scan in each slice" "vmap(r => scan((s, v) => (s + v, s * v), 0.0, r)[1])(x)"
slices_are_enough "a map, item by item" "map(r => sum(r * 2.0))(x)"
slices_are_enough "items that give arrays" "map(r => (sort(r), r[::-1]))(x)[1]"
slices_are_enough "what comes before and after a map" "exp(map(r => r - max(r))(x / 3.0))"
slices_are_enough "what comes before a vmap" "vmap(r => r - mean(r))(x / 255.0 + 1.0)"
slices_are_enough "what comes after a vmap" "exp(vmap(r => r - max(r))(x)) + x"
slices_are_enough "maps with work around them" "vmap(r => r * 2.0)(vmap(r => r - mean(r))(x / 3.0) * 2.0) + 1.0"
slices_are_enough "sums along the slices" "mean(exp(vmap(r => r - max(r))(x)), axis=0) + sum(x * 2.0)"
slices_are_enough "sums of the file itself" "{mean: mean(x), columns: sum(x, axis=0), gram: x.T @ x}.gram"
slices_are_enough "its mean" "mean(x, axis=0)"
exits "a fault of an item that is streamed" 5 "vmaprun -e 'map(r => debug(r[0], \"first\") + r[r[1] as i64])(x)' -i x=large.npy --memory 16M -o z.npy 2> streamed.txt"
exits "is that of the items one after another" 5 "vmaprun -e 'map(r => debug(r[0], \"first\") + r[r[1] as i64])(x)' -i x=large.npy --mode eager -o z.npy 2> whole.txt; code=\$?; cmp streamed.txt whole.txt && exit \$code"
slices_are_enough "batched code" "softmax(x) + sum(x, axis=1, keepdims=true)"
slices_are_enough "the input itself" "x"
slices_are_enough "a column" "x[:, 1]"
slices_are_enough "another look at each slice" "[r[::-1] for r in x]"
slices_are_enough "a reshape that keeps the slices" "reshape(x, (2000000, 2, 2))"
echo 'input x: f32[n, 4]
output a = vmap(r => r / (1.0 + sum(r)))(x)
output b = vmap(r => max(r))(x)
output c = vmap(r => sum(r * r))(a)' >several.vm
exits "several maps over one file read it once" 0 "vmaprun several.vm large.npy --memory 16M -o a=a.npy -o b=b.npy -o c=c.npy"
exits "and give what they give by themselves" 0 "vmaprun several.vm large.npy --mode eager -o a=a2.npy -o b=b2.npy -o c=c2.npy && cmp a.npy a2.npy && cmp b.npy b2.npy && cmp c.npy c2.npy"
exits "the output may be the input that is streamed" 0 "cp large.npy same.npy; vmaprun rows.vm same.npy -o y=same.npy && cmp same.npy y.npy"
exits "an output that is streamed and wanted twice is whole in both" 0 "vmaprun -e 'vmap(r => r * 2.0 + sum(r))(x)' -i x=large.npy -o y3.npy -o y4.json && cmp y.npy y3.npy"
exits "a folder that is not there is said after the script's own errors" 3 "vmaprun -e 'vmap(r => sqrt(r, 2, 3))(x)' -i x=large.npy -o nowhere/y.npy"
exits "and where there are none" 5 "vmaprun -e 'vmap(r => r * 2.0)(x)' -i x=large.npy -o nowhere/y.npy"
says "as ever" 'there is no folder `nowhere/`'
is "no temporary file stays" '[[ -z $(find . -name ".vmaprun-*") ]]'
exits "sizes have units" 2 "vmaprun rows.vm large.npy --memory 16X -o y=y2.npy -o total=t.npy"
says "which are named" "write bytes, or a number with K, M or G"

# ---- the repl on a terminal
cat > typed.sh <<'END'
printf 'let a = 7\r'; sleep 0.3
printf 'loop c = 0.0 for i in 0 .. 20000000000 { c + 1.0 }\r'; sleep 1
printf '\003'; sleep 0.5
printf 'a + 1\r'; sleep 1
printf ':quit\r'
END
if command -v script > /dev/null; then
    # (exec: a shell that waited for the repl would be interrupted too)
    for terminal in xterm dumb; do
        exits "a run that ^C ends leaves the repl as it was ($terminal)" 0 "bash typed.sh | TERM=$terminal script -qec 'exec vmaprun repl' /dev/null > typed.txt"
        is "with what was defined before ($terminal)" 'grep -qE "^(> )?8" typed.txt'
    done
fi

# ---- the other verbs
prints "fmt writes the one layout" "output 1 + 2" "echo 'output   1+2' > f.vm; vmaprun fmt f.vm && cat f.vm"
exits "fmt --check of what is laid out is 0" 0 "vmaprun fmt --check f.vm"
exits "fmt --check of what is not is 1" 1 "echo 'output   1+2' > g.vm; vmaprun fmt --check f.vm g.vm"
prints "fmt --check changes nothing" "output   1+2" "cat g.vm"
exits "graph prints text" 0 "vmaprun graph sum.vm"
is "with a line for the output" 'grep -q "^output" out'
exits "graph prints dot" 0 "vmaprun graph sum.vm --format dot"
is "that begins as a graph" 'grep -q "^digraph" out'
exits "ops lists the builtins" 0 "vmaprun ops"
is "all of them" '[[ $(wc -l < out) -gt 150 ]]'
exits "info of what is no data is 4" 4 "vmaprun info sum.vm"
echo 'bench "a sum" { sum(arange(1000)) }' > bench.vm
exits "bench times the bench blocks" 0 "vmaprun bench bench.vm"
is "with a line for each" 'grep -Eq "^a sum: [0-9.]+ (s|ms|us) \[[0-9.]+ (s|ms|us) \.\. [0-9.]+ (s|ms|us)\], [0-9]+ runs$" out'
exits "bench --format json" 0 "vmaprun bench bench.vm --format json"
is "gives an object a line" 'grep -Eq "^\{\"script\": \"bench.vm\", \"name\": \"a sum\", \"median\": [0-9.e-]+, \"low\": [0-9.e-]+, \"high\": [0-9.e-]+, \"runs\": [0-9]+, \"warm_ups\": 3\}$" out'
printf 'input x: f64[n] = arange(1000000) * 1.0\nbench "sines" { sum(sin(x)) }\n' > bench_work.vm
exits "bench computes the value of a block" 0 "vmaprun bench bench_work.vm --format json"
is "which takes its time" '[[ $(grep -Eo "median\": [0-9.e-]+" out) =~ ([0-9.e-]+)$ ]] && awk "BEGIN { exit !(${BASH_REMATCH[1]} > 1e-4) }"'
echo 'bench "fault" { inv(zeros((40, 40))) }' > bench_fault.vm
printf 'let x = { let a = arange(3.0); debug(a, "around"); a }\nbench "inside" { debug(sum(x), "inside"); x }\n' > bench_once.vm
exits "bench runs a block again and again" 0 "vmaprun bench bench_once.vm"
is "and what the script binds around it once" '[[ $(grep -c around err) == 1 && $(grep -c inside err) -ge 18 ]]'
exits "a bench block that fails in the run is 5" 5 "vmaprun bench bench_fault.vm"
echo 'bench "wrong" { assert_eq(1, 2) }' > bench_wrong.vm
exits "a bench block whose check fails is 1" 1 "vmaprun bench bench_wrong.vm"

# ---- repl
prints "repl keeps definitions and prints expressions with their types" "[2.0, 3.0]
: f64[2]
6
: i64
f32[3]" "printf '%s\n' 'let x = [1.0, 2.0]' 'fn f(v) = v + 1' 'f(x)' 'sum([' '1, 5])' ':type ones((3,), dtype=f32)' | vmaprun repl"
prints "a name that is defined again takes the old one's place" "11
: i64" "printf '%s\n' 'let a = 1' 'let b = a + 10' 'let a = 1' 'b' ':quit' 'c' | vmaprun repl"
exits "an error in it is told as everywhere" 3 "printf '%s\n' 'let x = 1' 'x + y' | vmaprun repl"
says "with its place" "repl:2:5"
prints "and it goes on" "2
: i64" "printf '%s\n' '1 +' '2' | vmaprun repl 2> /dev/null || true"
exits "an input without data is told in it" 4 "printf '%s\n' 'input z: f32[n]' '1 + 1' | vmaprun repl"
is "once, as it is not kept" '[[ $(grep -c E513 err) == 1 && $(head -1 out) == 2 ]]'
exits "an unknown command of it is a usage error" 2 "echo ':frobnicate' | vmaprun repl"

# ---- traces
echo 'output vmap(x => sum(sort(x) @ x))(ones((5000, 64)) * arange(64))' > trace.vm
prints "--profile changes no result" "$(vmaprun trace.vm -c)" "vmaprun trace.vm -c --profile trace.json"
is "and writes a trace" 'head -c 100 trace.json | grep -q traceEvents && tail -c 60 trace.json | grep -q "spans left out.*}}"'
is "with blocks, operations and their places" 'grep -q "\"cat\": \"block\"" trace.json && grep -q "\"name\": \"sort\", \"args\": {\"place\": \"trace.vm:1\"" trace.json'
is "and reading and writing" 'grep -q "write the outputs" trace.json && grep -q "read the inputs" trace.json'
exits "a trace of a run that fails is written too" 5 "vmaprun limit.vm --profile failed.json"
is "whole" 'tail -c 60 failed.json | grep -q "spans left out.*}}"'
exits "a batch has no trace" 2 "vmaprun sum.vm 'data/*.npy' -o 'results/{stem}.json' --profile t.json"

# ---- completion
exits "completions are for known shells" 2 "vmaprun --completions tcsh"
for shell in bash zsh fish; do exits "completions for $shell" 0 "vmaprun --completions $shell"; done
cat > complete.sh <<'END'
eval "$(vmaprun --completions bash)"
COMP_WORDS=("$@") COMP_CWORD=$(($# - 1))
_vmaprun
printf '%s\n' "${COMPREPLY[@]}"
END
prints "bash completes verbs" "explain" "bash complete.sh vmaprun expl"
prints "options of a verb" "--check" "bash complete.sh vmaprun fmt --ch"
prints "and the words that an option takes" "eager" "bash complete.sh vmaprun s.vm --mode e"
prints "and files" "sum.vm" "bash complete.sh vmaprun run su"

echo "$passed checks passed, $failed failed"
exit $((failed > 0))
