/* The grammar of the vmaprun language: the normative one. README.md beside it tells how text becomes its tokens.

   It is LALR(1) without conflicts and without precedence declarations:
       bison -Wall -Wcounterexamples -Werror vmaprun.y
   The tool parses with a parser of its own, written by hand for the sake of its messages. Bison's parser for this file is
   a recognizer for tests, which check that the two accept the same scripts (tests/grammar). */

%require "3.8"
%language "c++"
%header
%define api.namespace {vmaprun::grammar}
%define api.parser.class {Recognizer}
%define api.value.type {int}
%define api.token.prefix {TOKEN_}
%param {Feed& feed}

%code requires {
namespace vmaprun::grammar {
class Feed; // where the tokens come from
}
}
%code {
namespace vmaprun::grammar {
int yylex(int* value, Feed& feed);
}
}

%token END 0 "end of script"
%token NAME NUMBER STRING
/* reserved words */
%token IMPORT "import" AS "as" LET "let" FN "fn" IF "if" ELSE "else" LOOP "loop" WHILE "while" FOR "for" IN "in"
%token AND "and" OR "or" NOT "not" TRUE "true" FALSE "false" NONE "none"
/* words that are keywords only where README.md says so, and names elsewhere */
%token TYPE "type" INPUT "input" OUTPUT "output" TEST "test" BENCH "bench" CONTEXT "context" LIMIT "limit"
/* a newline that separates, and brackets by what they open */
%token NEWLINE "newline" LAMBDA_PAREN "( of parameters before =>" BLOCK_BRACE "{ of a block" RECORD_BRACE "{ of a record"
%token UNDERSCORE "_" RANGE ".." REST "..." ARROW "->" FAT_ARROW "=>" PIPE "|>"
%token POWER "**" DOUBLE_SLASH "//" SHIFT_LEFT "<<" SHIFT_RIGHT ">>"
%token EQUAL "==" NOT_EQUAL "!=" LESS_EQUAL "<=" GREATER_EQUAL ">="

%start script

%%

/* ---- the script ------------------------------------------------------------------------------------------------ */

script: %empty | separators | items | items separators;
items: item | items separators item;

separators: separator | separators separator;
separator: "newline" | ';';

item:
    "import" STRING
  | "import" STRING "as" NAME
  | "type" NAME '=' type
  | "input" NAME type_opt value_opt
  | "output" expr
  | "output" NAME '=' expr
  | "test" STRING block
  | "bench" STRING block
  | "context" '(' args ')'
  | function
  | let
  | expr
  ;

function: attributes "fn" NAME '(' parameters_opt ')' result_opt body;
attributes: %empty | attributes '@' NAME attribute_args newline_opt;
attribute_args: %empty | '(' args ')';
newline_opt: %empty | "newline";
parameters_opt: %empty | parameters;
parameters: parameter | parameters ',' parameter;
parameter: pattern type_opt value_opt;
result_opt: %empty | "->" type;
body: '=' expr | block;

let: "let" pattern type_opt '=' expr;
type_opt: %empty | ':' type;
value_opt: %empty | '=' expr;

/* The value of a block is its last expression, so a block ends in one. */
block: "{ of a block" leading expr '}' | "{ of a block" leading expr separators '}';
leading: %empty | leading let separators | leading expr separators;

/* ---- patterns and types ---------------------------------------------------------------------------------------- */

pattern: NAME | "_" | '(' patterns ')';
patterns: pattern | patterns ',' pattern;

type: NAME | NAME '[' dims ']' | '(' types ')' | "{ of a record" type_fields '}';
types: type | types ',' type;
type_fields: type_field | type_fields ',' type_field;
type_field: NAME ':' type;
dims: dim | dims ',' dim;
dim: "..." | "_" | sum;

/* ---- expressions, loosest first -------------------------------------------------------------------------------- */

expr: lambda | pipe;
lambda:
    NAME "=>" expr
  | "( of parameters before =>" ')' "=>" expr
  | "( of parameters before =>" patterns ')' "=>" expr
  ;

pipe: or | pipe "|>" postfix;
or: and | or "or" and;
and: not | and "and" not;
not: comparison | "not" not;
comparison: bits | bits comparison_operator bits; /* does not chain */
comparison_operator: "==" | "!=" | '<' | "<=" | '>' | ">=";
bits: shift | bits '&' shift | bits '|' shift;
shift: range | shift "<<" range | shift ">>" range;
range: sum | sum ".." sum; /* does not chain */
sum: product | sum '+' product | sum '-' product;
product:
    cast
  | product '*' cast
  | product '/' cast
  | product "//" cast
  | product '%' cast
  | product '@' cast
  ;
cast: unary | cast "as" NAME;
unary: power | '-' unary | '+' unary | '~' unary;
power: postfix | postfix "**" unary; /* -x ** 2 is -(x ** 2), x ** -y ** z is x ** (-(y ** z)) */

postfix: atom | postfix '(' args ')' | postfix '[' indices ']' | postfix '.' NAME;

args: %empty | positionals | positionals ',' | keywords | keywords ',';
positionals: expr | positionals ',' expr;
keywords: keyword | positionals ',' keyword | keywords ',' keyword;
keyword: NAME '=' expr;

indices: index | indices ',' index;
index: "..." | expr | expr_opt ':' expr_opt | expr_opt ':' expr_opt ':' expr_opt;
expr_opt: %empty | expr;

/* ---- atoms ----------------------------------------------------------------------------------------------------- */

atom:
    NUMBER
  | STRING
  | NAME
  | "true"
  | "false"
  | "none"
  | '(' ')'
  | '(' exprs ')'
  | '(' exprs ',' ')'
  | '[' ']'
  | '[' exprs ']'
  | '[' expr generators ']'
  | "{ of a record" '}'
  | "{ of a record" fields '}'
  | block
  | if
  | loop
  ;
exprs: expr | exprs ',' expr;
generators: generator | generators generator;
generator: "for" pattern "in" expr;
fields: field | fields ',' field;
field: NAME ':' expr | NAME | ".." expr;

if: "if" expr block "else" block | "if" expr block "else" if;
loop:
    "loop" pattern '=' expr "while" expr limit_opt block
  | "loop" pattern '=' expr "for" pattern "in" expr block
  ;
limit_opt: %empty | "limit" expr;

%%

void vmaprun::grammar::Recognizer::error(const std::string&) {} // rejecting is all it does
