// Examples are whole wrong scripts or parts of one; what follows `#` in them says what is wrong, or what to write.
#include "trace/codes.hpp"

namespace vmaprun {
namespace {

constexpr CodeExplanation explanations[] = {
    // ---- names and calls ---------------------------------------------------------------------------------------------
    {"E201", "a name that nothing defines",
     "No binding in reach and no builtin has this name. Where a known name is near, the message offers it.\n"
     "    let y = sofmax(x)              # softmax\n"
     "Bindings are in order: a `let` or an `input` is known below its own line only. A `fn` may be used anywhere in its file.\n"
     "    let b = a + 1                  # `a` is defined on the next line: swap the two\n"
     "    let a = 2\n"
     "A name bound inside a block ends with the block; let it be part of the block's value instead. Names of builtins are those of\n"
     "the Python Array API (concat, permute_dims, pow); `vmaprun ops` lists them all.\n"},
    {"E202", "a name that is defined twice at one level",
     "Bindings don't change, so one level binds a name once.\n"
     "    let x = 1\n"
     "    let x = x + 1                  # give the new value a name of its own, or carry it through a `loop`\n"
     "The same holds for the fields of one record, the names in one pattern, the outputs of a script, and for what imports bring in:\n"
     "    import \"nn.vm\" as nn           # its names are nn.layer, nn.loss, … and meet no others\n"
     "An inner block, a parameter or a function may use a name of the outside anew.\n"},
    {"E203", "a function that calls itself",
     "Calls are written out while the graph is built, before any value is known, so a recursion would have no end. That holds\n"
     "for a circle of several functions as well.\n"
     "    fn factorial(n) = if n < 2 { 1 } else { n * factorial(n - 1) }\n"
     "Repeat with `loop`, which carries a value from step to step, or with `scan` and `fold`, which go along an axis:\n"
     "    loop product = 1 for i in 1 .. n + 1 { product * i }\n"
     "    loop (a, b) = (48, 18) while b != 0 { (b, a % b) }\n"},
    {"E204", "a call with too many or too few arguments",
     "Every parameter without a default needs an argument, and every argument a parameter.\n"
     "    fn scale(x, by) = x * by\n"
     "    let y = scale(2.0)             # `by` is missing\n"
     "A tuple that is the only argument is spread over the parameters if and only if the function has two or more required ones:\n"
     "scale((2.0, 3.0)) is scale(2.0, 3.0). Through a pipe the value comes first: `x |> scale(3.0)` is scale(x, 3.0).\n"
     "The settings of `context(…)` are all given by name.\n"},
    {"E205", "an unknown keyword argument, or one given twice",
     "A keyword is the name of a parameter, and each parameter gets one argument, by place or by name.\n"
     "    sum(x, axes=0)                 # the parameter is called `axis`\n"
     "    sum(x, 0, axis=1)              # the second argument is `axis` already\n"
     "`vmaprun ops sum` shows the parameters of a builtin. What vmap makes of f has the parameters of f; the keywords of vmap\n"
     "itself go to vmap: vmap(f, in_axes=1)(x), not vmap(f)(x, in_axes=1).\n"},
    {"E206", "a type, a dtype or a size that is not known",
     "A type is a dtype (bool i8 i16 i32 i64 u8 u16 u32 u64 f32 f64 c64 c128), a kind (float, int, num, any), `key`, the name of\n"
     "a `type` item, or a tuple or record of types. The sizes in brackets are made of numbers, names, + - * and //.\n"
     "    input x: float32[n]            # f32[n]\n"
     "    fn halves(x: f32[2 * n]) = …   # is solved for n where x has an even size\n"
     "    fn product(x: f32[a * b]) = …  # one size does not settle two names: give a or b a place of its own\n"},
    {"E207", "a value of the wrong sort",
     "Tensors, tuples, records, functions, texts and words such as `f32` are different sorts of values. The message says which\n"
     "sort is needed and which one stands there.\n"
     "    (1, 2) + 1                     # operators work on tensors, and this is a tuple: [1, 2] + 1\n"
     "    vmap(x)                        # vmap takes a function\n"
     "    [x => x]                       # a list is a tensor; a tuple holds anything: (x => x,)\n"
     "`stack(t)` makes a tensor of a tuple of equal shapes, `unroll(x)` a tuple of the slices of a tensor.\n"},
    {"E208", "no such field or member",
     "A record has the fields that it was made with. A tensor has .T .mT .shape .ndim .size .dtype and .at, and x.at[index] has\n"
     ".set .add .mul .min .max. The items of a tuple have no names: t[0], or `let (a, b) = t`.\n"
     "    let p = {w: 1.0, b: 0.0}\n"
     "    p.weight                       # p.w\n"
     "    x.sum()                        # functions stand before their arguments: sum(x)\n"
     "A record with one more field is {..p, weight: 2.0}.\n"},
    {"E209", "a computed value where a constant is needed",
     "Shapes, axes, sizes and shifts are fixed while the graph is built, before any data is read: that is how everything is\n"
     "checked beforehand, and how a whole batch runs as one.\n"
     "    zeros((sum(mask),))            # the length would depend on the data\n"
     "A constant is a literal, the size of an axis (x.shape[0], or a dim name of the signature), arithmetic on these, and a scalar\n"
     "int `input`, which is read early for it. Computed positions go through indexing, window(x, start, size=w) and\n"
     "dynamic_slice; a selection gets a fixed size: compress(mask, x, size=n).\n"},
    {"E210", "a pattern that does not fit its value",
     "A pattern in parentheses takes a tuple with as many items apart, level by level.\n"
     "    let (a, b) = (1, 2, 3)         # three items: (a, b, c), or (a, b, _) to pass the last one by\n"
     "    let (first, second) = x        # a tensor is no tuple: unroll(x) is the tuple of its slices\n"
     "The function of a scan gives such a pair, (carry, y); one that gives the carry alone goes with `fold`.\n"},
    {"E211", "imports that go in a circle",
     "A file imports itself, perhaps by way of others; the note shows the way.\n"
     "    # model.vm:  import \"train.vm\"\n"
     "    # train.vm:  import \"model.vm\"\n"
     "Move what both need into a third file, and import that one in both. Paths are relative to the importing file.\n"},
    {"E212", "an unnamed output beside another one",
     "A single result is printed as it is. Several leave the run as one object by their names, so each needs a name.\n"
     "    output mean(x)                 # output center = mean(x)\n"
     "    output spread = std(x)\n"
     "`output y` of a plain name has that name, and `output {a, b: e}` makes every field an output. A bare expression as the last\n"
     "item of a script is an unnamed output too; a check such as assert_eq(…) is none.\n"},
    // ---- shapes and dtypes -------------------------------------------------------------------------------------------
    {"E301", "sizes that disagree",
     "Two sizes that have to be equal are not: a dim name that stands twice in one signature, the inner axes of a product, or\n"
     "axes that do not broadcast.\n"
     "    fn product(x: float[m, k], y: float[k, n]) = x @ y\n"
     "    product(ones((2, 3)), ones((4, 5)))      # `k` is 3 in one argument and 4 in the other\n"
     "    ones((3, 4)) + ones((3,))                # the last axes meet: 4 and 3; x[:, none] makes a column of a vector\n"
     "Broadcasting matches axes from the last one: two sizes are equal, or one of them is 1. The labels show where each size came\n"
     "from. Sizes are those of one sample, so a batch never hides or repairs a mismatch, and nothing is computed before they agree.\n"},
    {"E302", "dtypes that do not fit",
     "A function never converts: a value has the dtype of its annotation, or it is an error. Only literals, and what is computed\n"
     "from literals alone, take the dtype that they meet.\n"
     "    fn half(x: f32[n]) = x * 0.5\n"
     "    half([1.0, 2.0])               # a list of decimals is f64: half([1.0, 2.0] as f32)\n"
     "Operators widen within a kind (f32 with f64 is f64), and an integer with a float takes the float's dtype. u64 has no common\n"
     "dtype with a signed integer, and some operations are for one kind only: cast where it is meant, as in `x as i64`.\n"
     "A carry keeps its type from step to step; begin it with the dtype that a step gives.\n"},
    {"E303", "an axis that the tensor does not have",
     "A tensor of rank r has the axes 0 … r-1, counted from the end -1 … -r; a scalar has none.\n"
     "    sum(ones((3, 4)), axis=2)      # 0 and 1, or -2 and -1\n"
     "Inside a vmap the sample has one axis less than the batch: an axis that was counted outside is one less inside, and a\n"
     "negative one stays as it is. out_axes may name one axis more than the result of one sample has.\n"},
    {"E304", "an axis or index that is named twice",
     "A list of axes names each one once, and -1 may be the same axis as 2.\n"
     "    sum(x, axis=(0, 0))            # axis=0, or (0, 1)\n"
     "    permute_dims(x, (0, 1, 1))     # every axis of x stands in it exactly once\n"
     "In einsum, a letter stands at most once behind `->`.\n"},
    {"E305", "a number that its dtype does not hold",
     "A literal takes the dtype of what it meets, but never another value by that.\n"
     "    (x as u8) + 1000               # u8 holds 0 … 255: (x as u16) + 1000\n"
     "    full((3,), -1, dtype=u32)      # unsigned\n"
     "An integer literal beyond u64 has to be written as a float, as in 1e20. Values that are computed wrap around instead; a cast\n"
     "with `as` to a narrower integer wraps as well.\n"},
    {"E306", "a constant index that is out of range",
     "An axis of size n has the positions 0 … n-1 and, from the end, -n … -1. The index is a constant, so it is checked before\n"
     "anything runs, for one sample.\n"
     "    [10, 20, 30][3]                # 0, 1, 2, or -1 for the last\n"
     "Slices x[a:b] are cut to the axis and never out of range. An index that is computed is checked when it is known (E601).\n"},
    {"E307", "a wrong number of axes",
     "The rank of a value is not the one that the operation, the annotation or the index asks for.\n"
     "    fn norm2(x: float[n]) = sum(x * x)\n"
     "    norm2(ones((4, 3)))            # one sample is a vector: vmap(norm2)(ones((4, 3)))\n"
     "    x[0, 1, 2]                     # more indices than axes, where x is a matrix\n"
     "x[none] and expand_dims add axes of size 1; an integer index and squeeze take axes away; ravel makes one axis of all; a type\n"
     "f32[..., k] leaves the number of axes open.\n"},
    {"E308", "an index of the wrong sort",
     "Positions are whole numbers: an index is an integer, an integer tensor, a slice, `none` or `...`; the ends of a range are\n"
     "integers too.\n"
     "    x[x > 0]                       # how many that are depends on the data: compress(x > 0, x, size=n), or where(x > 0, x, 0)\n"
     "    x[n / 2]                       # `/` gives a float: x[n // 2]\n"
     "A mask is boolean: write `m != 0` for numbers.\n"},
    {"E309", "a reshape to another number of elements",
     "reshape keeps every element, so the sizes before and after have one product.\n"
     "    reshape(arange(6), (4, 2))     # 6 elements, not 8: (3, 2)\n"
     "One of the sizes may be -1: it is worked out from the others, which have to divide the number of elements and must not be 0.\n"
     "To repeat elements use broadcast_to or tile, to drop some a slice, to add some pad. Sizes are those of one sample.\n"},
    {"E310", "an argument with a value that is not allowed",
     "The argument is of the right sort, but the operation knows no such value; the message says what it knows.\n"
     "    arange(0, 10, 0)               # a step of 0 never arrives\n"
     "    pad(x, 1, mode=\"mirror\")       # \"constant\", \"edge\", \"reflect\" or \"wrap\"\n"
     "    zeros((-1,))                   # a size is not negative\n"
     "Such values are constants, so this is found before anything runs.\n"},
    {"E311", "a reduction of nothing",
     "There is no largest, smallest or middle element where there are no elements.\n"
     "    max(zeros((0,)))\n"
     "sum, prod, all and any of nothing are 0, 1, true and false; mean is NaN. Where an axis may be empty, put a least value\n"
     "before it: max(concat(([-inf], x))). Only the axes that are reduced count: max(zeros((0, 3)), axis=1) has no results, and\n"
     "is fine.\n"},
    // ---- transforms --------------------------------------------------------------------------------------------------
    {"E401", "mapped sizes that differ",
     "One vmap goes over one axis of lanes, so all mapped axes have one size (and axis_size, where it is given). The labels show\n"
     "both arguments and both axes.\n"
     "    vmap(f)(ones((8, 3)), ones((3,)))                       # 8 lanes or 3?\n"
     "    vmap(f, in_axes=(0, none))(ones((8, 3)), ones((3,)))    # every lane gets the second one whole\n"
     "An axis of size 1 is not stretched here: take it out (x[0]) and pass it with `none`. The leading axes of a scan have one\n"
     "length for the same reason.\n"},
    {"E402", "axes that do not fit the arguments",
     "in_axes is one int or `none` for all arguments, a tuple with one entry an argument, or a record by the names of parameters\n"
     "(those it does not name get 0).\n"
     "    vmap(f, in_axes=(0, 1))(x)                 # two entries, one argument\n"
     "    vmap(f, in_axes={w: none})(x, w)           # x along axis 0, w whole\n"
     "An entry for a tuple or record may be a tree that begins like it. The tree for a single parameter stands in a tuple of its\n"
     "own, because a plain record goes by the names of parameters:\n"
     "    vmap(f, in_axes=({w: 0, b: none},))(p)\n"
     "out_axes nests as the result does.\n"},
    {"E404", "nothing is mapped",
     "Every entry of in_axes is `none`, or there is no tensor to map, so the number of lanes is unknown.\n"
     "    vmap(f, in_axes=none)(x)\n"
     "Give one argument an axis, or say how many lanes there are: vmap(f, in_axes=none, axis_size=8)(x). A function that is the\n"
     "same in every lane needs no vmap at all. A scan without xs needs its `length`.\n"},
    {"E405", "an out axis of `none` on a result that varies",
     "out_axes=none says that all lanes have one and the same result, which is then given once. Here the result depends on a\n"
     "mapped argument, and no lane's value may stand for all.\n"
     "    vmap(x => x * 2, out_axes=none)(xs)\n"
     "Give the axis a place, as in out_axes=0, or reduce over it, outside, or inside by a collective:\n"
     "    vmap(x => psum(x, \"i\"), axis_name=\"i\", out_axes=none)(xs)\n"},
    {"E406", "a result that is no tensor",
     "Functions, texts, words and ranges exist while the graph is built and never while it runs. Outputs, mapped results, carries\n"
     "and the results of branches are tensors, or tuples and records of tensors.\n"
     "    output x => x + 1              # apply it: output (x => x + 1)(2)\n"
     "    vmap(x => y => x + y)(xs)      # take both at once: vmap((x, y) => x + y)(xs, ys)\n"
     "A function may well be an argument, a field or the value of a `let`.\n"},
    {"E407", "too many lanes to write out",
     "unroll writes one copy of the function, or takes one slice, for every lane. Beyond a million the graph alone would fill\n"
     "the memory.\n"
     "    unroll(f)(zeros((10000000, 3)))\n"
     "vmap(f) has the same results, bit for bit, and is one copy whatever the size; map(f) needs the memory of one item at a\n"
     "time.\n"},
    {"E408", "a collective under a condition that varies over its axis",
     "psum and its like wait for the value of every lane. Under an `if` or a `loop` whose condition differs from lane to lane,\n"
     "only some lanes arrive.\n"
     "    vmap(x => if x > 0 { psum(x, \"i\") } else { x }, axis_name=\"i\")(xs)\n"
     "Compute it in all lanes, and choose afterwards:\n"
     "    vmap(x => { let s = psum(x, \"i\"); if x > 0 { s } else { x } }, axis_name=\"i\")(xs)\n"
     "A condition that is the same in all lanes of that axis is no obstacle.\n"},
    {"E409", "an unknown name of a mapped axis",
     "A collective names a mapped axis that is around the place where it is called.\n"
     "    vmap(x => x / psum(x, \"i\"))(xs)                    # the axis has no name\n"
     "    vmap(x => x / psum(x, \"i\"), axis_name=\"i\")(xs)\n"
     "The name is a text in quotes, and holds in all that the mapped function calls. An inner vmap of the same name hides the\n"
     "outer one.\n"},
    {"E410", "the gradient of what is no single number",
     "grad and value_and_grad differentiate a function that gives one number (a tensor of rank 0): a loss.\n"
     "    grad(x => x ** 2)([1.0, 2.0])          # two results\n"
     "Three things may be meant: the derivative of every result by every argument, jacobian(x => x ** 2); the same function on\n"
     "each of several inputs, vmap(grad(x => x ** 2)); or the gradient of their sum, grad(x => sum(x ** 2)). What a function\n"
     "gives beside its value is let through with has_aux=true.\n"},
    {"E411", "reverse mode through a loop of unknown length",
     "To go back through a loop, reverse mode saves what every step was given, and so it must be known how many there can be.\n"
     "    grad(x => loop y = x while y < 10.0 { y * y })(2.0)\n"
     "Give the loop a limit, `while y < 10.0 limit 20`; count with constant ends, `for i in 0 .. 20`; use scan or fold, which go\n"
     "as far as their data; or differentiate forward, jvp(f, (x,), (1.0,)) or jacfwd(f), which saves nothing.\n"},
    {"E412", "no derivative by what is no float",
     "Derivatives are taken of floats by floats. A whole number or a bool doesn't change a little at a time.\n"
     "    grad(x => x ** 2)(3)                   # write 3.0\n"
     "    grad((n, x) => n * x)(2, 3.0)          # by x: grad(f, wrt=1), or wrt=\"x\"\n"},
    {"E413", "wrt that names no parameter",
     "wrt says by which arguments the derivative is taken: a position from 0, the name of a parameter in quotes, or a tuple of\n"
     "them, which gives a tuple.\n"
     "    grad(f, wrt=(0, \"w\"))(x, w)\n"
     "The argument must be given in the call: what a default stands for has no place to put a derivative.\n"},
    {"E414", "tangents or cotangents that do not fit",
     "jvp takes one tangent for each primal, of its shape and dtype; vjp takes a cotangent of the shape and dtype of the result.\n"
     "They nest as those do, and `none` stands for zero.\n"
     "    jvp((x, y) => x * y, (3.0, 4.0), (1.0, none))\n"},
    {"E415", "a derivative that is not known",
     "The function has values, but for these operands no derivative is known: the message says which are.\n"
     "Keep the operand out of the derivative with stop_gradient(x), or use a form that the message names.\n"},
    // ---- inputs, as the script declares them -------------------------------------------------------------------------
    {"E513", "an input that nothing is bound to",
     "The input has no default, and no data came for it. The message shows its type. There are four ways to give it:\n"
     "    vmaprun script.vm x.npy                      a data file goes to the first input that is still open\n"
     "    vmaprun script.vm -i x=data.json:points      a file by name, or a member of it\n"
     "    vmaprun script.vm --set 'x=[1, 2, 3]'        JSON on the command line\n"
     "    echo '{\"x\": [1, 2, 3]}' | vmaprun script.vm  JSON on stdin: an object binds by its keys, anything else the only input\n"
     "or write a default into the script: input x: f32[n] = zeros((3,)).\n"},
    {"E514", "data that does not fit its declaration",
     "Rank, size, dtype or structure of what arrived is not what the `input` item declares, or two inputs disagree about a dim\n"
     "name that both have: dim names of inputs hold for the whole script.\n"
     "    input x: f32[n, 3]             # [[1, 2], [3, 4]] arrives: axis 1 must be 3, but it is 2\n"
     "    input w: f32[n]                # as long as x\n"
     "Inputs convert once: integers to the declared float, floats to the declared integer where every value is whole. Rank and\n"
     "sizes are never changed: declare f32[...] for any shape, `_` for a size that does not matter.\n"},
};

} // namespace

std::span<const CodeExplanation> trace_codes() { return explanations; }

} // namespace vmaprun
