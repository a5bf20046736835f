/* SPDX-License-Identifier: MIT */
/*
 * Tokens to AST.  Actions build nodes and decide nothing.  There is no error production: after a
 * syntax error parse.c skips to the next declaration and starts the parser anew, which is right
 * because declarations are added to the AST one by one.
 *
 * Words stay usable as names through %fallback.  A word may be listed there only if no name can
 * stand where the grammar takes the word for itself; the others are reserved.
 */
%name syntax
%token_prefix TOKEN_
%token_type {struct token}
%default_type {struct token}
%extra_argument {struct parse *p}
%stack_size 1000
%start_symbol sources

%include {
#include "base/arena.h"
#include "syntax/ast_make.h"

#include <assert.h>

/* Lemon's own code converts freely. */
#pragma GCC diagnostic ignored "-Wconversion"

#define SPAN(a, b) span_join((a).span, (b).span)
#define SPAN_END(node, b) ((node)->span = span_join((node)->span, (b)))

/* `a` becomes a new node with these fields. */
#define MAKE(a, type, ...) ((a) = arena_alloc(sizeof(*(a))), *(a) = (struct type){__VA_ARGS__})

/* A list of one. */
#define FIRST(list, item)                                                                          \
    do {                                                                                           \
        (list).at = NULL;                                                                          \
        (list).n = (list).room = 0;                                                                \
        vec_push(&(list), item);                                                                   \
    } while (0)
#define NONE(list) ((list).at = NULL, (list).n = (list).room = 0)

/* Adds a declaration to the AST. */
#define DECLARE(list, type, ...)                                                                   \
    do {                                                                                           \
        struct type *declared;                                                                     \
        MAKE(declared, type, __VA_ARGS__);                                                         \
        vec_push(&p->ast->list, declared);                                                         \
    } while (0)
}

/* parse.c asks syntax_accepts() first, so that what was expected is known exactly. */
%syntax_error { p->failed = true; }
%stack_overflow { p->too_deep = p->token.span; }

%fallback ID
  ACTION AFTER ALWAYS APP AT AUTH BACKFILL BEFORE BODY BOTH BY CASCADE CHARACTER CLAIM COLLATE COLUMN
  COMMENT CONFLICT CORS CREDENTIALS CURRENT DEFERRABLE DEFERRED DEFINER DELETE DO DOMAIN DOUBLE DOWN
  DROP EACH EMBED ENDPOINT ENUM ENV EXCLUDE EXECUTE EXTENSION FILTER FIRST FOLLOWING FUNCTION GENERATED
  GET GLOBAL GROUPS IDENTITY IMMEDIATE IMMUTABLE INCLUDE INDEX INHERITS INITIALLY INLINE INSERT INSTEAD
  INTO KEY LANGUAGE LAST LEADING LIST LIVE LOCKED MATERIALIZED MAX MAX_AGE NEXT NO NOTHING NOWAIT
  NULLS OF OK ONLY ORDINALITY ORIGINS OTHERS OVER PARTITION PER PERMISSIVE PGSTACK PLACING
  POLICIES POLICY
  PRECEDING PRECISION PREDICATE PRIVATE PUBLIC QUERY RANGE RECURSIVE RESTRICT RESTRICTIVE RETRY
  RETURNS ROLE ROWS SCAN SCHEMA SECURITY SEND SET SETOF SHARE SIGNED SKIP SLOW SOFT SQL STABLE
  STATEMENT STORED STRICT TIES TIME TIMESTAMP TRAILING TRIGGER TYPE UNBOUNDED UNKNOWN UPDATE
  VALUES VARYING VIEW VOLATILE WAS WEBHOOK WITHIN WITHOUT ZONE.

/* PostgreSQL's, lowest first. */
%left UNION EXCEPT.
%left INTERSECT.
%left OR.
%left AND.
%right NOT.
%nonassoc IS.
%nonassoc EQ NE LT GT LE GE.
%nonassoc BETWEEN IN LIKE ILIKE SIMILAR NOT_LA.
%nonassoc ESCAPE.
%left OP.
%left PLUS MINUS.
%left STAR SLASH PERCENT.
%left CARET.
%left AT.
%left COLLATE.
%right UMINUS.
%nonassoc TYPE_END.
%left LB.
%left TYPECAST.
%left DOT.
%left LP RP.

sources ::= file.
file ::= .
file ::= file declaration.
declaration ::= SEMI.

/* ---- names ---- */

%type name {struct ast_name}
name(A) ::= ID(B).                      { A = name_from(B); }

%type names {struct ast_names}
names(A) ::= name(B).                   { FIRST(A, B); }
names(A) ::= names(A) COMMA name(B).    { vec_push(&A, B); }

%type path {struct ast_path}
path(A) ::= name(B).                    { A = path_of(B); }
path(A) ::= name(B) DOT name(C).        { A = path_from(B, C); }

/* Of what is in public: types, functions, predicates and what is served. */
%type own_name {struct ast_name}
own_name(A) ::= name(B).                { A = B; }
own_name(A) ::= name(B) DOT name(C).    { A = name_in_public(B, C); }

%type paths {struct ast_paths}
paths(A) ::= path(B).                   { FIRST(A, B); }
paths(A) ::= paths(A) COMMA path(B).    { vec_push(&A, B); }

%type string {struct ast_string}
string(A) ::= STRING|ESCAPED(B).        { A = string_from(B); }

%type strings {struct ast_strings}
strings(A) ::= string(B).               { FIRST(A, B); }
strings(A) ::= strings(A) COMMA string(B). { vec_push(&A, B); }

%type raw {struct ast_string}
raw(A) ::= RAW(B).                      { A = string_from(B); }

comma_opt ::= .
comma_opt ::= COMMA.

/* ---- types ---- */

%type type {struct ast_type *}
%type type_base {struct ast_type *}
%type type_head {struct ast_type *}
type(A) ::= type_base(B).               { A = B; }
type(A) ::= type(B) LB RB(C).           { A = B; A->dimensions++; SPAN_END(A, C.span); }

type_base(A) ::= type_head(B).          { A = B; }
type_base(A) ::= type_head(B) LP NUMBER(C) RP(D).
  { A = B; type_arg(A, C); SPAN_END(A, D.span); }
type_base(A) ::= type_head(B) LP NUMBER(C) COMMA NUMBER(D) RP(E).
  { A = B; type_arg(A, C); type_arg(A, D); SPAN_END(A, E.span); }
type_base(A) ::= type_head(B) LP NUMBER(C) COMMA MINUS NUMBER(D) RP(E).
  { A = B; type_arg(A, C); type_arg(A, D); A->args[1] = -A->args[1]; SPAN_END(A, E.span); }
type_base(A) ::= TIMESTAMP(B) precision_opt(C) time_zone(D). { A = type_time(B, C, D); }
type_base(A) ::= TIME(B) precision_opt(C) time_zone(D).      { A = type_time(B, C, D); }

type_head(A) ::= path(B).               { A = type_named(B); }
type_head(A) ::= DOUBLE(B) PRECISION(C). { A = type_words(SPAN(B, C), "double precision"); }
type_head(A) ::= CHARACTER(B).          { A = type_words(B.span, "character"); }
type_head(A) ::= CHARACTER(B) VARYING(C). { A = type_words(SPAN(B, C), "character varying"); }
type_head(A) ::= name(B) VARYING(C).    { A = type_varying(B, C); }

precision_opt(A) ::= .                  { A = (struct token){0}; }
precision_opt(A) ::= LP NUMBER(B) RP.   { A = B; }

time_zone(A) ::= .                      { A = (struct token){0}; }
time_zone(A) ::= WITH(B) TIME ZONE(C).  { A = B; A.span = SPAN(B, C); }
time_zone(A) ::= WITHOUT(B) TIME ZONE(C). { A = B; A.span = SPAN(B, C); }

/* ---- expressions ---- */

%type expr {struct ast_expr *}
%type exprs {struct ast_exprs}
exprs(A) ::= expr(B).                   { FIRST(A, B); }
exprs(A) ::= exprs(A) COMMA expr(B).    { vec_push(&A, B); }

expr(A) ::= NUMBER(B).                  { A = expr_leaf(AST_NUMBER, B); }
expr(A) ::= STRING(B).                  { A = expr_leaf(AST_STRING, B); }
expr(A) ::= ESCAPED(B).                 { A = expr_leaf(AST_STRING, B); A->escaped = true; }
expr(A) ::= TRUE(B).                    { A = expr_leaf(AST_TRUE, B); }
expr(A) ::= FALSE(B).                   { A = expr_leaf(AST_FALSE, B); }
expr(A) ::= NULL(B).                    { A = expr_leaf(AST_NULL, B); }
expr(A) ::= RAW(B).                     { A = expr_leaf(AST_RAW, B); }
expr(A) ::= column_name(B).             { A = expr_column(B); }
expr(A) ::= name(B) DOT STAR(C).        { A = expr_star(B, C); }
expr(A) ::= path(B) STRING(C).
  { A = expr_cast(p, SPAN(B, C), expr_leaf(AST_STRING, C), type_named(B)); }

%type column_name {struct ast_names}
column_name(A) ::= name(B).             { FIRST(A, B); }
column_name(A) ::= name(B) DOT name(C). { FIRST(A, B); vec_push(&A, C); }
column_name(A) ::= name(B) DOT name(C) DOT name(D).
  { FIRST(A, B); vec_push(&A, C); vec_push(&A, D); }

expr(A) ::= LP(B) expr(C) RP(D).        { A = C; A->span = SPAN(B, D); }
expr(A) ::= LP(B) expr(C) RP DOT name(D).
  { A = expr_of(p, AST_FIELD, SPAN(B, D), exprs_of(C, NULL, NULL), NULL);
    vec_push(&A->names, D); }
expr(A) ::= in_parens(B). [UMINUS]      { A = expr_of(p, AST_SELECT, B->outer, no_exprs(), B); }
expr(A) ::= LP(B) expr(C) COMMA exprs(D) RP(E).
  { A = expr_of(p, AST_ROW, SPAN(B, E), exprs_before(C, D), NULL); }
expr(A) ::= ROW(B) LP exprs(C) RP(D).   { A = expr_of(p, AST_ROW, SPAN(B, D), C, NULL); }

/* ---- calls ---- */

%type function {struct ast_path}
function(A) ::= path(B).                { A = B; }
function(A) ::= LEFT|RIGHT(B).          { A = path_of(name_from(B)); }

%type args {struct ast_exprs}
args(A) ::= arg(B).                     { FIRST(A, B); }
args(A) ::= args(A) COMMA arg(B).       { vec_push(&A, B); }

%type arg {struct ast_expr *}
arg(A) ::= expr(B).                     { A = B; }
arg(A) ::= name(B) ARROW expr(C).
  { A = expr_of(p, AST_NAMED, SPAN(B, *C), exprs_of(C, NULL, NULL), NULL);
    vec_push(&A->names, B); }

%type call {struct ast_expr *}
call(A) ::= function(B) LP RP(C).       { A = expr_call(p, B, no_exprs(), C); }
call(A) ::= function(B) LP args(C) RP(D). { A = expr_call_or_position(p, B, C, D); }
call(A) ::= function(B) LP args(C) ORDER BY orders(D) RP(E).
  { A = expr_call(p, B, C, E); call_tail(p, A)->order_by = D; call_done(p, A, E.span); }
call(A) ::= function(B) LP STAR RP(C).  { A = expr_call(p, B, no_exprs(), C); A->star = true; }
call(A) ::= function(B) LP DISTINCT exprs(C) RP(D).
  { A = expr_call(p, B, C, D); A->distinct = true; }
call(A) ::= function(B) LP DISTINCT exprs(C) ORDER BY orders(D) RP(E).
  { A = expr_call(p, B, C, E); A->distinct = true; call_tail(p, A)->order_by = D;
    call_done(p, A, E.span); }
call(A) ::= call(B) WITHIN GROUP LP ORDER BY orders(C) RP(D).
  { A = B; call_tail(p, A)->order_by = C; A->tail->within_group = true; call_done(p, A, D.span); }

%type filtered {struct ast_expr *}
filtered(A) ::= call(B).                { A = B; }
filtered(A) ::= call(B) FILTER LP WHERE expr(C) RP(D).
  { A = B; call_tail(p, A)->filter = C; call_done(p, A, D.span); }
expr(A) ::= filtered(B).                { A = B; }
expr(A) ::= filtered(B) OVER window(C).
  { A = B; call_tail(p, A)->over = C; call_done(p, A, C->span); }
expr(A) ::= filtered(B) OVER name(C).
  { A = B; MAKE(call_tail(p, A)->over, ast_window, .span = C.span, .base = C, .is_base = true);
    call_done(p, A, C.span); }

/* What SQL spells with words between the arguments. */
expr(A) ::= function(B) LP expr(C) FROM expr(D) RP(E).
  { A = expr_worded(p, B, "from", exprs_of(C, D, NULL), E); }
expr(A) ::= function(B) LP expr(C) FROM expr(D) FOR expr(F) RP(E).
  { A = expr_worded(p, B, "from for", exprs_of(C, D, F), E); }
expr(A) ::= function(B) LP expr(C) FOR expr(D) RP(E).
  { A = expr_worded(p, B, "for", exprs_of(C, D, NULL), E); }
expr(A) ::= function(B) LP expr(C) PLACING expr(D) FROM expr(F) RP(E).
  { A = expr_worded(p, B, "placing", exprs_of(C, D, F), E); }
expr(A) ::= function(B) LP expr(C) PLACING expr(D) FROM expr(F) FOR expr(G) RP(E).
  { A = expr_worded(p, B, "placing", exprs_before(C, exprs_of(D, F, G)), E); }
expr(A) ::= function(B) LP trim_side(C) expr(D) FROM expr(F) RP(E).
  { A = expr_worded(p, B, C.text, exprs_of(F, D, NULL), E); }
expr(A) ::= function(B) LP trim_side(C) FROM expr(F) RP(E).
  { A = expr_worded(p, B, C.text, exprs_of(F, NULL, NULL), E); }
expr(A) ::= function(B) LP expr(C) in searched(D) RP(E).
  { A = expr_worded(p, B, "in", exprs_of(C, D, NULL), E); }

/* What position() searches; more than that stands in parentheses, and looks like a list of one. */
%type searched {struct ast_expr *}
searched(A) ::= column_name(B).         { A = expr_column(B); }
searched(A) ::= STRING(B).              { A = expr_leaf(AST_STRING, B); }
searched(A) ::= call(B).                { A = B; }
trim_side(A) ::= LEADING|TRAILING|BOTH(B). { A = B; }

expr(A) ::= CURRENT_DATE|CURRENT_TIME|CURRENT_TIMESTAMP|LOCALTIME|LOCALTIMESTAMP(B).
  { A = expr_bare_call(B); }

expr(A) ::= CAST(B) LP expr(C) AS type(D) RP(E). { A = expr_cast(p, SPAN(B, E), C, D); }
expr(A) ::= EXTRACT(B) LP name(C) FROM expr(D) RP(E).
  { A = expr_extract(p, SPAN(B, E), C, D); }
expr(A) ::= EXTRACT(B) LP STRING(C) FROM expr(D) RP(E).
  { A = expr_extract(p, SPAN(B, E), name_from(C), D); }
expr(A) ::= EXISTS(B) in_parens(C).
  { A = expr_of(p, AST_EXISTS, span_join(B.span, C->outer), no_exprs(), C); }
expr(A) ::= ARRAY(B) LB RB(C).          { A = expr_of(p, AST_ARRAY, SPAN(B, C), no_exprs(), NULL); }
expr(A) ::= ARRAY(B) LB exprs(C) RB(D). { A = expr_of(p, AST_ARRAY, SPAN(B, D), C, NULL); }
expr(A) ::= ARRAY(B) in_parens(C).
  { A = expr_of(p, AST_ARRAY, span_join(B.span, C->outer), no_exprs(), C); }

expr(A) ::= CASE(B) case_operand(C) whens(D) case_else(E) END(F).
  { vec_push(&D, E); A = expr_of(p, AST_CASE, SPAN(B, F), exprs_before(C, D), NULL); }

%type case_operand {struct ast_expr *}
case_operand(A) ::= .                   { A = NULL; }
case_operand(A) ::= expr(B).            { A = B; }

%type whens {struct ast_exprs}
whens(A) ::= WHEN expr(B) THEN expr(C). { FIRST(A, B); vec_push(&A, C); }
whens(A) ::= whens(A) WHEN expr(B) THEN expr(C). { vec_push(&A, B); vec_push(&A, C); }

%type case_else {struct ast_expr *}
case_else(A) ::= .                      { A = NULL; }
case_else(A) ::= ELSE expr(B).          { A = B; }

/* ---- operators ---- */

expr(A) ::= expr(B) OR(C) expr(D).      { A = expr_infix(p, B, C, D); }
expr(A) ::= expr(B) AND(C) expr(D).     { A = expr_infix(p, B, C, D); }
expr(A) ::= NOT(B) expr(C).             { A = expr_prefix(p, B, C); }
expr(A) ::= expr(B) comparison(C) expr(D). [EQ] { A = expr_infix(p, B, C, D); }
expr(A) ::= expr(B) OP(C) expr(D).      { A = expr_infix(p, B, C, D); }
expr(A) ::= expr(B) PLUS|MINUS(C) expr(D). { A = expr_infix(p, B, C, D); }
expr(A) ::= expr(B) STAR|SLASH|PERCENT(C) expr(D). { A = expr_infix(p, B, C, D); }
expr(A) ::= expr(B) CARET(C) expr(D).   { A = expr_infix(p, B, C, D); }
expr(A) ::= PLUS|MINUS(B) expr(C). [UMINUS] { A = expr_prefix(p, B, C); }
expr(A) ::= OP(B) expr(C).              { A = expr_prefix(p, B, C); }
expr(A) ::= expr(B) AT(C) TIME ZONE(D) expr(E). [AT]
  { A = expr_op(p, "at time zone", SPAN(C, D), B, E, NULL); }
expr(A) ::= expr(B) TYPECAST type(C). [TYPE_END] { A = expr_cast(p, SPAN(*B, *C), B, C); }
expr(A) ::= expr(B) LB expr(C) RB(D).
  { A = expr_of(p, AST_SUBSCRIPT, SPAN(*B, D), exprs_of(B, C, NULL), NULL); }
expr(A) ::= expr(B) LB expr(C) COLON expr(D) RB(E).
  { A = expr_of(p, AST_SUBSCRIPT, SPAN(*B, E), exprs_of(B, C, D), NULL); }

expr(A) ::= expr(B) IS(C) is_what(D). [IS]
  { A = expr_op(p, D.text, SPAN(C, D), B, NULL, NULL); }
expr(A) ::= expr(B) IS(C) DISTINCT FROM(D) expr(E). [IS]
  { A = expr_op(p, "is distinct from", SPAN(C, D), B, E, NULL); }
expr(A) ::= expr(B) IS(C) NOT DISTINCT FROM(D) expr(E). [IS]
  { A = expr_op(p, "is not distinct from", SPAN(C, D), B, E, NULL); }

is_what(A) ::= NULL(B).                 { A = B; A.text = "is null"; }
is_what(A) ::= TRUE(B).                 { A = B; A.text = "is true"; }
is_what(A) ::= FALSE(B).                { A = B; A.text = "is false"; }
is_what(A) ::= UNKNOWN(B).              { A = B; A.text = "is unknown"; }
is_what(A) ::= NOT NULL(B).             { A = B; A.text = "is not null"; }
is_what(A) ::= NOT TRUE(B).             { A = B; A.text = "is not true"; }
is_what(A) ::= NOT FALSE(B).            { A = B; A.text = "is not false"; }
is_what(A) ::= NOT UNKNOWN(B).          { A = B; A.text = "is not unknown"; }

expr(A) ::= expr(B) like(C) expr(D). [LIKE]
  { A = expr_op(p, C.text, C.span, B, D, NULL); }
expr(A) ::= expr(B) like(C) expr(D) ESCAPE expr(E). [LIKE]
  { A = expr_op(p, C.text, C.span, B, D, E); }
expr(A) ::= expr(B) between(C) expr(D) AND expr(E). [BETWEEN]
  { A = expr_op(p, C.text, C.span, B, D, E); }

like(A) ::= LIKE|ILIKE(B).              { A = B; }
like(A) ::= NOT_LA(B) LIKE(C).          { A = C; A.span = SPAN(B, C); A.text = "not like"; }
like(A) ::= NOT_LA(B) ILIKE(C).         { A = C; A.span = SPAN(B, C); A.text = "not ilike"; }
like(A) ::= SIMILAR(B) TO(C).           { A = C; A.span = SPAN(B, C); A.text = "similar to"; }
like(A) ::= NOT_LA(B) SIMILAR TO(C).    { A = C; A.span = SPAN(B, C); A.text = "not similar to"; }
between(A) ::= BETWEEN(B).              { A = B; }
between(A) ::= NOT_LA(B) BETWEEN(C).    { A = C; A.span = SPAN(B, C); A.text = "not between"; }

expr(A) ::= expr(B) in(C) LP exprs(D) RP(E). [IN]
  { A = expr_in(p, B, C, E.span, exprs_before(B, D), NULL); }
expr(A) ::= expr(B) in(C) in_parens(D). [IN]
  { A = expr_in(p, B, C, D->outer, exprs_of(B, NULL, NULL), D); }
in(A) ::= IN(B).                        { A = B; }
in(A) ::= NOT_LA(B) IN(C).              { A = B; A.span = SPAN(B, C); }
expr(A) ::= expr(B) COLLATE path(C). [COLLATE] { A = expr_collate(p, B, C); }

expr(A) ::= expr(B) comparison(C) quantified(D). [EQ] { A = expr_quantified(p, B, C, D); }
expr(A) ::= expr(B) OP(C) quantified(D). { A = expr_quantified(p, B, C, D); }
expr(A) ::= expr(B) like(C) quantified(D). [LIKE] { A = expr_quantified(p, B, C, D); }
comparison(A) ::= EQ|NE|LT|GT|LE|GE(B). { A = B; }

%type quantified {struct ast_expr *}
quantified(A) ::= ANY|SOME(B) LP expr(C) RP(D).
  { A = expr_of(p, AST_ANY, SPAN(B, D), exprs_of(C, NULL, NULL), NULL); }
quantified(A) ::= ANY|SOME(B) in_parens(C).
  { A = expr_of(p, AST_ANY, span_join(B.span, C->outer), no_exprs(), C); }
quantified(A) ::= ALL(B) LP expr(C) RP(D).
  { A = expr_of(p, AST_ALL, SPAN(B, D), exprs_of(C, NULL, NULL), NULL); }
quantified(A) ::= ALL(B) in_parens(C).
  { A = expr_of(p, AST_ALL, span_join(B.span, C->outer), no_exprs(), C); }

/* ---- select ---- */

%type select_list {struct ast_select *}
%type select_from {struct ast_select *}
%type select_where {struct ast_select *}
%type select_group {struct ast_select *}
%type select_having {struct ast_select *}
%type select_window {struct ast_select *}
%type select_order {struct ast_select *}
%type select_limit {struct ast_select *}
select_list(A) ::= SELECT(B) outputs(C).
  { MAKE(A, ast_select, .span = B.span, .outputs = C); SPAN_END(A, C.at[C.n - 1].span); }
select_list(A) ::= SELECT(B) DISTINCT outputs(C).
  { MAKE(A, ast_select, .span = B.span, .distinct = true, .outputs = C);
    SPAN_END(A, C.at[C.n - 1].span); }
select_list(A) ::= SELECT(B) DISTINCT ON LP exprs(C) RP outputs(D).
  { MAKE(A, ast_select, .span = B.span, .distinct = true, .distinct_on = C, .outputs = D);
    SPAN_END(A, D.at[D.n - 1].span); }
select_from(A) ::= select_list(B).      { A = B; }
select_from(A) ::= select_list(B) FROM froms(C).
  { A = B; A->from = C; SPAN_END(A, C.at[C.n - 1].span); }
select_from(A) ::= SELECT(B) FROM froms(C).
  { MAKE(A, ast_select, .span = SPAN(B, C.at[C.n - 1]), .from = C); }
select_where(A) ::= select_from(B).     { A = B; }
select_where(A) ::= select_from(B) WHERE expr(C). { A = B; A->where = C; SPAN_END(A, C->span); }
select_group(A) ::= select_where(B).    { A = B; }
select_group(A) ::= select_where(B) GROUP BY exprs(C).
  { A = B; A->group_by = C; SPAN_END(A, C.at[C.n - 1]->span); }
select_having(A) ::= select_group(B).   { A = B; }
select_having(A) ::= select_group(B) HAVING expr(C). { A = B; A->having = C; SPAN_END(A, C->span); }
select_window(A) ::= select_having(B).  { A = B; }
select_window(A) ::= select_having(B) WINDOW windows(C).
  { A = B; A->windows = C; SPAN_END(A, C.at[C.n - 1]->span); }

/* One select, values, or several joined by union and its like. */
%type simple {struct ast_select *}
simple(A) ::= select_window(B).         { A = select_done(p, B); }
simple(A) ::= VALUES(B) rows(C) RP(D).
  { MAKE(A, ast_select, .span = SPAN(B, D), .kind = AST_VALUES, .rows = C); select_done(p, A); }
simple(A) ::= operand(B) UNION all(C) operand(D). [UNION]
  { A = select_set(p, AST_UNION, B, C, D); }
simple(A) ::= operand(B) EXCEPT all(C) operand(D). [EXCEPT]
  { A = select_set(p, AST_EXCEPT, B, C, D); }
simple(A) ::= operand(B) INTERSECT all(C) operand(D). [INTERSECT]
  { A = select_set(p, AST_INTERSECT, B, C, D); }

all(A) ::= .                            { A = (struct token){0}; }
all(A) ::= ALL(B).                      { A = B; }
all(A) ::= DISTINCT.                    { A = (struct token){0}; }

%type operand {struct ast_select *}
operand(A) ::= simple(B).               { A = B; }
operand(A) ::= in_parens(B).            { A = B; }

/* The parenthesis that closes the last one is left to the rules that use it. */
%type rows {struct ast_rows}
rows(A) ::= LP row_items(B).            { FIRST(A, B); }
rows(A) ::= rows(A) RP COMMA LP row_items(B). { vec_push(&A, B); }

%type row_items {struct ast_exprs}
%type row_item {struct ast_expr *}
row_items(A) ::= row_item(B).           { FIRST(A, B); }
row_items(A) ::= row_items(A) COMMA row_item(B). { vec_push(&A, B); }
row_item(A) ::= expr(B).                { A = B; }
row_item(A) ::= DEFAULT(B).             { A = expr_leaf(AST_DEFAULT, B); }

select_order(A) ::= simple(B).          { A = B; }
select_order(A) ::= simple(B) ORDER BY orders(C).
  { A = B; A->order_by = C; SPAN_END(A, C.at[C.n - 1].span); }
select_limit(A) ::= select_order(B).    { A = B; }
select_limit(A) ::= select_limit(B) LIMIT(C) expr(D).
  { A = B; say_once(A->limit, C.span, "limit"); A->limit = D; SPAN_END(A, D->span); }
select_limit(A) ::= select_limit(B) LIMIT ALL(D). { A = B; SPAN_END(A, D.span); }
select_limit(A) ::= select_limit(B) OFFSET(C) expr(D) rows_opt.
  { A = B; say_once(A->offset, C.span, "offset"); A->offset = D; SPAN_END(A, D->span); }
select_limit(A) ::= select_limit(B) FETCH(C) next fetched(D) ROWS|ROW ONLY(E).
  { A = B; say_once(A->limit, C.span, "limit"); A->limit = D; SPAN_END(A, E.span); }
rows_opt ::= .
rows_opt ::= ROWS|ROW.
next ::= FIRST|NEXT.

%type fetched {struct ast_expr *}
fetched(A) ::= NUMBER(B).               { A = expr_leaf(AST_NUMBER, B); }
fetched(A) ::= LP expr(B) RP.           { A = B; }
fetched(A) ::= name(B).
  { struct ast_names names; FIRST(names, B); A = expr_column(names); }

%type locked {struct ast_select *}
locked(A) ::= select_limit(B).          { A = B; }
locked(A) ::= select_limit(B) FOR(C) locking(D) wait(E).
  { A = B; A->locking = D.text; A->wait = E.text; A->locking_span = SPAN(C, D);
    SPAN_END(A, D.span); }
locking(A) ::= UPDATE(B).               { A = B; A.text = "for update"; }
locking(A) ::= SHARE(B).                { A = B; A.text = "for share"; }
locking(A) ::= NO KEY UPDATE(B).        { A = B; A.text = "for no key update"; }
locking(A) ::= KEY SHARE(B).            { A = B; A.text = "for key share"; }
wait(A) ::= .                           { A = (struct token){.text = ""}; }
wait(A) ::= NOWAIT(B).                  { A = B; A.text = " nowait"; }
wait(A) ::= SKIP(B) LOCKED.             { A = B; A.text = " skip locked"; }

%type unclosed {struct ast_select *}
unclosed(A) ::= locked(B).              { A = select_done(p, B); }
unclosed(A) ::= with(B) locked(C).
  { A = C; A->with = B.list; A->recursive = B.recursive; A->span = SPAN(B, *C);
    select_done(p, A); }

%type in_parens {struct ast_select *}
in_parens(A) ::= LP(B) unclosed(C) RP(D). { A = C; A->outer = SPAN(B, D); }
in_parens(A) ::= LP(B) in_parens(C) RP(D). { A = C; A->outer = SPAN(B, D); }

%type select {struct ast_select *}
select(A) ::= unclosed(B).              { A = B; }
select(A) ::= in_parens(B).             { A = B; }

%type with {struct with}
with(A) ::= WITH(B) with_item(C).       { A = (struct with){.span = B.span}; FIRST(A.list, C); }
with(A) ::= WITH(B) RECURSIVE with_item(C).
  { A = (struct with){.span = B.span, .recursive = true}; FIRST(A.list, C); }
with(A) ::= with(A) COMMA with_item(B). { vec_push(&A.list, B); }

%type with_item {struct ast_with}
with_item(A) ::= name(B) alias_columns_opt(C) AS materialized(D) in_parens(E).
  { A = (struct ast_with){.span = span_join(B.span, E->outer), .name = B, .columns = C,
                          .materialized = (int)D.kind, .select = E}; }
with_item(A) ::= name(B) alias_columns_opt AS materialized LP writing(C) RP(D).
  { A = (struct ast_with){.span = SPAN(B, D), .name = B, .writes = C->span}; }
materialized(A) ::= .                   { A = (struct token){.kind = 0}; }
materialized(A) ::= MATERIALIZED(B).    { A = B; A.kind = 1; }
materialized(A) ::= NOT MATERIALIZED(B). { A = B; A.kind = -1; }

%type alias_columns_opt {struct ast_names}
alias_columns_opt(A) ::= .              { NONE(A); }
alias_columns_opt(A) ::= LP names(B) RP. { A = B; }

/* ---- windows ---- */

%type windows {struct ast_windows}
%type window_named {struct ast_window *}
windows(A) ::= window_named(B).         { FIRST(A, B); }
windows(A) ::= windows(A) COMMA window_named(B). { vec_push(&A, B); }
window_named(A) ::= name(B) AS window(C). { A = C; A->name = B; A->span = SPAN(B, *C); }

%type window {struct ast_window *}
%type window_parts {struct ast_window *}
%type window_order {struct ast_window *}
%type window_frame {struct ast_window *}
window(A) ::= window_frame(B) RP(C).    { A = B; SPAN_END(A, C.span); }
window_parts(A) ::= LP(B).              { MAKE(A, ast_window, .span = B.span); }
window_parts(A) ::= LP(B) name(C).      { MAKE(A, ast_window, .span = B.span, .base = C); }
window_parts(A) ::= LP(B) PARTITION BY exprs(C).
  { MAKE(A, ast_window, .span = B.span, .partition = C); }
window_parts(A) ::= LP(B) name(C) PARTITION BY exprs(D).
  { MAKE(A, ast_window, .span = B.span, .base = C, .partition = D); }
window_order(A) ::= window_parts(B).    { A = B; }
window_order(A) ::= window_parts(B) ORDER BY orders(C). { A = B; A->order_by = C; }
window_frame(A) ::= window_order(B).    { A = B; }
window_frame(A) ::= window_order(B) unit(C) bound(D) exclude(E).
  { A = B; A->unit = C.text; A->start = D; A->exclude = E.text; }
window_frame(A) ::= window_order(B) unit(C) BETWEEN bound(D) AND bound(E) exclude(F).
  { A = B; A->unit = C.text; A->between = true; A->start = D; A->end = E; A->exclude = F.text; }
unit(A) ::= ROWS|RANGE|GROUPS(B).       { A = B; }

%type bound {struct ast_bound}
bound(A) ::= UNBOUNDED PRECEDING.       { A = (struct ast_bound){.words = "unbounded preceding"}; }
bound(A) ::= UNBOUNDED FOLLOWING.       { A = (struct ast_bound){.words = "unbounded following"}; }
bound(A) ::= CURRENT ROW.               { A = (struct ast_bound){.words = "current row"}; }
bound(A) ::= expr(B) PRECEDING.         { A = (struct ast_bound){"preceding", B}; }
bound(A) ::= expr(B) FOLLOWING.         { A = (struct ast_bound){"following", B}; }

exclude(A) ::= .                        { A = (struct token){0}; }
exclude(A) ::= EXCLUDE CURRENT ROW(B).  { A = B; A.text = "current row"; }
exclude(A) ::= EXCLUDE GROUP(B).        { A = B; }
exclude(A) ::= EXCLUDE TIES(B).         { A = B; }
exclude(A) ::= EXCLUDE NO OTHERS(B).    { A = B; A.text = "no others"; }

/* ---- outputs, from, order ---- */

%type outputs {struct ast_outputs}
outputs(A) ::= output(B).               { FIRST(A, B); }
outputs(A) ::= outputs(A) COMMA output(B). { vec_push(&A, B); }

%type output {struct ast_output}
output(A) ::= expr(B).                  { A = (struct ast_output){.span = B->span, .expr = B}; }
output(A) ::= expr(B) AS name(C).
  { A = (struct ast_output){.span = SPAN(*B, C), .expr = B, .alias = C}; }
output(A) ::= expr(B) name(C).
  { A = (struct ast_output){.span = SPAN(*B, C), .expr = B, .alias = C}; }
output(A) ::= STAR(B).
  { A = (struct ast_output){.span = B.span, .expr = expr_leaf(AST_STAR, B)}; }

%type froms {struct ast_froms}
froms(A) ::= from(B).                   { FIRST(A, B); }
froms(A) ::= froms(A) COMMA from(B).    { vec_push(&A, B); }
froms(A) ::= froms(A) CROSS(C) JOIN from(B).
  { B.join = AST_JOIN_CROSS; B.span = SPAN(C, B); vec_push(&A, B); }
froms(A) ::= froms(A) join(C) from(B) ON expr(D).
  { B.join = C.kind; B.on = D; B.span = SPAN(C, *D); vec_push(&A, B); }
froms(A) ::= froms(A) join(C) from(B) USING LP names(D) RP(E).
  { B.join = C.kind; B.join_using = D; B.span = SPAN(C, E); vec_push(&A, B); }
froms(A) ::= froms(A) NATURAL(C) join(D) from(B).
  { B.join = D.kind; B.natural = true; B.span = SPAN(C, B); vec_push(&A, B); }

join(A) ::= JOIN(B).                    { A = B; A.kind = AST_JOIN_INNER; }
join(A) ::= INNER(B) JOIN.              { A = B; A.kind = AST_JOIN_INNER; }
join(A) ::= LEFT(B) outer_opt JOIN.     { A = B; A.kind = AST_JOIN_LEFT; }
join(A) ::= RIGHT(B) outer_opt JOIN.    { A = B; A.kind = AST_JOIN_RIGHT; }
join(A) ::= FULL(B) outer_opt JOIN.     { A = B; A.kind = AST_JOIN_FULL; }
outer_opt ::= .
outer_opt ::= OUTER.

%type from {struct ast_from}
from(A) ::= from_what(B).               { A = B; }
from(A) ::= from_what(B) as_opt name(C).
  { A = B; A.alias = C; A.span = SPAN(A, C); }
from(A) ::= from_what(B) as_opt name(C) LP names(D) RP(E).
  { A = B; A.alias = C; A.columns = D; A.span = SPAN(A, E); }
from(A) ::= from_what(B) as_opt name(C) LP raw_columns(D) RP(E).
  { A = B; A.alias = C; A.typed = D; A.span = SPAN(A, E); }
as_opt ::= .
as_opt ::= AS.

%type from_what {struct ast_from}
%type from_call {struct ast_from}
%type called {struct ast_from}
from_what(A) ::= path(B).               { A = (struct ast_from){.span = B.span, .table = B}; }
from_what(A) ::= in_parens(B).          { A = (struct ast_from){.span = B->outer, .select = B}; }
from_what(A) ::= LATERAL(B) in_parens(C).
  { A = (struct ast_from){.span = span_join(B.span, C->outer), .select = C, .lateral = true}; }
from_what(A) ::= from_call(B).          { A = B; }
from_what(A) ::= LATERAL(B) from_call(C). { A = C; A.lateral = true; A.span = SPAN(B, C); }
from_call(A) ::= called(B).             { A = B; }
from_call(A) ::= called(B) WITH ORDINALITY(C).
  { A = B; A.ordinality = true; A.span = SPAN(B, C); }
called(A) ::= path(B) LP RP(C).
  { A = (struct ast_from){.span = SPAN(B, C), .call = expr_call(p, B, no_exprs(), C)}; }
called(A) ::= path(B) LP args(C) RP(D).
  { A = (struct ast_from){.span = SPAN(B, D), .call = expr_call(p, B, C, D)}; }

%type orders {struct ast_orders}
orders(A) ::= order(B).                 { FIRST(A, B); }
orders(A) ::= orders(A) COMMA order(B). { vec_push(&A, B); }

%type order {struct ast_order}
%type order_direction {struct ast_order}
order_direction(A) ::= expr(B).         { A = (struct ast_order){.span = B->span, .expr = B}; }
order_direction(A) ::= expr(B) ASC(C).
  { A = (struct ast_order){.span = SPAN(*B, C), .expr = B}; }
order_direction(A) ::= expr(B) DESC(C).
  { A = (struct ast_order){.span = SPAN(*B, C), .expr = B, .descending = true}; }
order(A) ::= order_direction(B).        { A = B; }
order(A) ::= order_direction(B) NULLS FIRST(C). { A = B; A.nulls = 1; A.span = SPAN(B, C); }
order(A) ::= order_direction(B) NULLS LAST(C).  { A = B; A.nulls = 2; A.span = SPAN(B, C); }

/* ---- files, enumerations, raw SQL ---- */

declaration ::= PGSTACK(B) NUMBER(C) SEMI(D).
  { struct ast_version version = {SPAN(B, D), whole_number(C, 1000)};
    vec_push(&p->ast->versions, version); }
declaration ::= APP name(B) SEMI.       { vec_push(&p->ast->apps, B); }
declaration ::= TYPE(B) own_name(C) was_opt(F) AS ENUM LP labels(D) comma_opt RP SEMI(E).
  { DECLARE(enums, ast_enum, .span = SPAN(B, E), .name = C, .was = F, .labels = D.labels,
            .label_was = D.was); }
declaration ::= TYPE(B) own_name(C) was_opt(F) AS LP raw_columns(D) comma_opt RP SEMI(E).
  { no_was(F); DECLARE(composites, ast_composite, .span = SPAN(B, E), .name = C, .fields = D); }
declaration ::= TYPE(B) own_name(C) was_opt(G) AS RANGE LP name(D) EQ type(E) comma_opt RP SEMI(F).
  { no_was(G); DECLARE(range_types, ast_range_type, .span = SPAN(B, F), .name = C, .word = D, .subtype = E); }

%type domain {struct ast_domain *}
domain(A) ::= DOMAIN(B) own_name(C) AS type(D).
  { MAKE(A, ast_domain, .span = B.span, .name = C, .type = D); }
domain(A) ::= domain(B) NOT(C) NULL.    { A = B; say_once(A->not_null, C.span, "not null"); A->not_null = true; }
domain(A) ::= domain(B) DEFAULT(C) expr(D).
  { A = B; say_once(A->default_expr, C.span, "default"); A->default_expr = D; }
domain(A) ::= domain(B) constraint_name(C) check(D).
  { A = B; D->name = C; vec_push(&A->checks, D); }
declaration ::= domain(B) SEMI(C).      { SPAN_END(B, C.span); vec_push(&p->ast->domains, B); }

declaration ::= SQL(B) raw(C) SEMI(D).
  { DECLARE(sqls, ast_sql, .span = SPAN(B, D), .up = C); }
declaration ::= SQL(B) raw(C) DOWN raw(D) SEMI(E).
  { DECLARE(sqls, ast_sql, .span = SPAN(B, E), .up = C, .down = D); }

/* ---- tables ---- */

%type table_open {struct ast_table *}
%type table_next {struct ast_table *}
%type table_items {struct ast_table *}
table_open(A) ::= TABLE(B) path(C) LP.
  { MAKE(A, ast_table, .span = B.span, .path = C, .name = C.name); }
table_next(A) ::= table_open(B).        { A = B; }
table_next(A) ::= table_items(B) COMMA. { A = B; }
table_items(A) ::= table_next(B) column(C). { A = B; vec_push(&A->columns, C); }
table_items(A) ::= table_next(B) constraint_name(C) table_constraint(D).
  { A = B; table_constraint(A, C, D); }
table_items(A) ::= table_next(B) excluded(C). { A = B; vec_push(&A->constraints, C); }
table_items(A) ::= table_next(B) CONSTRAINT name(C) excluded(D). { A = B; table_constraint(A, C, D); }
table_items(A) ::= table_next(B) index(C). { A = B; vec_push(&A->indexes, C); }
table_items(A) ::= table_next(B) DROP COLUMN name(C). { A = B; vec_push(&A->drops, C); }
table_items(A) ::= table_next(B) SOFT(C) DELETE name(D).
  { A = B; say_once(A->soft_delete.text, SPAN(C, D), "soft delete"); A->soft_delete = D; }

%type table {struct ast_table *}
table(A) ::= table_items(B) RP.         { A = B; }
table(A) ::= table_next(B) RP.          { A = B; }
table(A) ::= TABLE(B) path(C) PARTITION OF path(D) partition_bound(E).
  { MAKE(A, ast_table, .span = B.span, .path = C, .name = C.name, .partition_of = D, .bound = E); }
table(A) ::= table(B) INHERITS(C) LP paths(D) RP.
  { A = B; say_once(A->inherits.n, C.span, "inherits"); A->inherits = D; }
table(A) ::= table(B) PARTITION(C) BY name(D) LP items(E) comma_opt RP.
  { A = B; say_once(A->partition_by.text, C.span, "partition by"); A->partition_by = D;
    A->partition_keys = E; }
declaration ::= table(B) SEMI(C).       { SPAN_END(B, C.span); vec_push(&p->ast->tables, B); }

%type partition_bound {struct ast_partition_bound *}
partition_bound(A) ::= DEFAULT(B).                { MAKE(A, ast_partition_bound, .kind = AST_BOUND_DEFAULT, .span = B.span); }
partition_bound(A) ::= FOR(B) VALUES IN LP exprs(C) RP(D).
  { MAKE(A, ast_partition_bound, .kind = AST_BOUND_LIST, .span = SPAN(B, D), .from = C); }
partition_bound(A) ::= FOR(B) VALUES FROM LP exprs(C) RP TO LP exprs(D) RP(E).
  { MAKE(A, ast_partition_bound, .kind = AST_BOUND_RANGE, .span = SPAN(B, E), .from = C, .to = D); }
partition_bound(A) ::= FOR(B) VALUES WITH LP name(C) NUMBER(D) COMMA name(E) NUMBER(F) RP(G).
  { A = bound_hash(SPAN(B, G), C, D, E, F); }

%type constraint_name {struct ast_name}
constraint_name(A) ::= .                { A = (struct ast_name){0}; }
constraint_name(A) ::= CONSTRAINT name(B). { A = B; }

%type column {struct ast_column *}
column(A) ::= name(B) type(C).          { A = column_new(B, C); }
column(A) ::= column(B) NOT(C) NULL(D). { A = B; column_not_null(A, SPAN(C, D)); }
column(A) ::= column(B) NULL(C).        { A = B; column_null(A, C.span); }
column(A) ::= column(B) DEFAULT(C) expr(D). { A = B; column_default(A, SPAN(C, *D), D); }
column(A) ::= column(B) GENERATED(C) ALWAYS AS IDENTITY(D).
  { A = B; column_identity(A, SPAN(C, D), AST_IDENTITY_ALWAYS); }
column(A) ::= column(B) GENERATED BY(C) DEFAULT AS IDENTITY(D).
  { A = B; column_identity(A, SPAN(C, D), AST_IDENTITY_BY_DEFAULT); }
column(A) ::= column(B) GENERATED(C) ALWAYS AS LP expr(D) RP STORED(E).
  { A = B; column_generated(A, SPAN(C, E), D); }
column(A) ::= column(B) WAS name(C).    { A = B; column_was(A, C); }
column(A) ::= column(B) PRIVATE(C).
  { A = B; say_once(A->is_private, C.span, "private"); A->is_private = true; SPAN_END(A, C.span); }
column(A) ::= column(B) BACKFILL(C) expr(D).
  { A = B; say_once(A->backfill, C.span, "backfill"); A->backfill = D; SPAN_END(A, D->span); }
column(A) ::= column(B) DEFERRABLE(C).  { A = B; column_defer(A, C.span, AST_DEFERRABLE); }
column(A) ::= column(B) NOT(C) DEFERRABLE(D).
  { A = B; column_defer(A, SPAN(C, D), AST_NOT_DEFERRABLE); }
column(A) ::= column(B) INITIALLY(C) DEFERRED(D).
  { A = B; column_defer(A, SPAN(C, D), AST_INITIALLY_DEFERRED); }
column(A) ::= column(B) INITIALLY(C) IMMEDIATE(D).
  { A = B; column_defer(A, SPAN(C, D), AST_INITIALLY_IMMEDIATE); }
column(A) ::= column(B) constraint_name(C) column_constraint(D).
  { A = B; column_constraint(A, C, D); }

%type column_constraint {struct ast_constraint *}
column_constraint(A) ::= PRIMARY(B) KEY(C). { A = constraint_new(AST_PRIMARY_KEY, SPAN(B, C)); }
column_constraint(A) ::= unique(B).     { A = B; }
column_constraint(A) ::= check(B).      { A = B; }
column_constraint(A) ::= references(B). { A = B; }

%type table_constraint {struct ast_constraint *}
table_constraint(A) ::= PRIMARY(B) KEY LP names(C) RP(D).
  { A = constraint_new(AST_PRIMARY_KEY, SPAN(B, D)); A->columns = C; }
table_constraint(A) ::= unique(B) LP names(C) RP(D).
  { A = B; A->columns = C; SPAN_END(A, D.span); }
table_constraint(A) ::= table_constraint(B) DEFERRABLE(C).
  { A = B; constraint_defer(A, C.span, AST_DEFERRABLE); }
table_constraint(A) ::= table_constraint(B) NOT(C) DEFERRABLE(D).
  { A = B; constraint_defer(A, SPAN(C, D), AST_NOT_DEFERRABLE); }
table_constraint(A) ::= table_constraint(B) INITIALLY(C) DEFERRED(D).
  { A = B; constraint_defer(A, SPAN(C, D), AST_INITIALLY_DEFERRED); }
table_constraint(A) ::= table_constraint(B) INITIALLY(C) IMMEDIATE(D).
  { A = B; constraint_defer(A, SPAN(C, D), AST_INITIALLY_IMMEDIATE); }
table_constraint(A) ::= FOREIGN(B) KEY LP names(C) RP references(D).
  { A = D; A->columns = C; A->span = SPAN(B, *A); }
table_constraint(A) ::= check(B).       { A = B; }

%type unique {struct ast_constraint *}
unique(A) ::= UNIQUE(B).                { A = constraint_new(AST_UNIQUE, B.span); }
unique(A) ::= unique(B) GLOBAL(C).
  { A = B; say_once(A->global, C.span, "global"); A->global = true; SPAN_END(A, C.span); }
unique(A) ::= unique(B) NULLS(C) NOT DISTINCT(D).
  { A = B; say_once(A->nulls_not_distinct, SPAN(C, D), "nulls not distinct");
    A->nulls_not_distinct = true; SPAN_END(A, D.span); }

/* With rules of its own, since `exclude` is a name, too: the parser must shift it here. */
%type excluded {struct ast_constraint *}
excluded(A) ::= exclusion(B) LP exclusion_items(C) comma_opt RP(D).
  { A = B; A->items = C; SPAN_END(A, D.span); }
excluded(A) ::= exclusion(B) LP exclusion_items(C) comma_opt RP WHERE LP expr(D) RP(E).
  { A = B; A->items = C; A->where = D; SPAN_END(A, E.span); }
excluded(A) ::= excluded(B) DEFERRABLE(C). { A = B; constraint_defer(A, C.span, AST_DEFERRABLE); }
excluded(A) ::= excluded(B) NOT(C) DEFERRABLE(D).
  { A = B; constraint_defer(A, SPAN(C, D), AST_NOT_DEFERRABLE); }
excluded(A) ::= excluded(B) INITIALLY(C) DEFERRED(D).
  { A = B; constraint_defer(A, SPAN(C, D), AST_INITIALLY_DEFERRED); }
excluded(A) ::= excluded(B) INITIALLY(C) IMMEDIATE(D).
  { A = B; constraint_defer(A, SPAN(C, D), AST_INITIALLY_IMMEDIATE); }

%type exclusion {struct ast_constraint *}
exclusion(A) ::= EXCLUDE(B).            { A = constraint_new(AST_EXCLUDE, B.span); }
exclusion(A) ::= EXCLUDE(B) USING name(C).
  { A = constraint_new(AST_EXCLUDE, SPAN(B, C)); A->method = C; }

%type exclusion_items {struct ast_items}
%type exclusion_item {struct ast_item}
%type exclusion_over {struct ast_item}
exclusion_items(A) ::= exclusion_item(B). { FIRST(A, B); }
exclusion_items(A) ::= exclusion_items(A) COMMA exclusion_item(B). { vec_push(&A, B); }
exclusion_item(A) ::= exclusion_over(B) WITH exclusion_operator(C).
  { A = B; A.op = C.text; A.op_span = C.span; A.span = SPAN(A, C); }
exclusion_item(A) ::= exclusion_over(B) path(C) WITH exclusion_operator(D).
  { A = B; A.opclass = C; A.op = D.text; A.op_span = D.span; A.span = SPAN(A, D); }
exclusion_over(A) ::= name(B).          { A = item_from(expr_column(names_of(B))); }
exclusion_over(A) ::= LP expr(B) RP.    { A = item_from(B); }
exclusion_over(A) ::= function(B) LP exprs(C) RP(D). { A = item_from(expr_call(p, B, C, D)); }
exclusion_operator(A) ::= EQ|NE|LT|GT|LE|GE|OP(B). { A = B; }

%type check {struct ast_constraint *}
check(A) ::= CHECK(B) LP expr(C) RP(D).
  { A = constraint_new(AST_CHECK, SPAN(B, D)); A->check = C; }

%type references {struct ast_constraint *}
references(A) ::= REFERENCES(B) path(C).
  { A = constraint_new(AST_REFERENCES, SPAN(B, C)); A->target = C; }
references(A) ::= REFERENCES(B) path(C) LP names(D) RP(E).
  { A = constraint_new(AST_REFERENCES, SPAN(B, E)); A->target = C; A->target_columns = D; }
references(A) ::= references(B) ON DELETE(C) action(D). { A = B; constraint_on(A, C, D); }
references(A) ::= references(B) ON UPDATE(C) action(D). { A = B; constraint_on(A, C, D); }

%type action {struct reaction}
action(A) ::= CASCADE(B).               { A = (struct reaction){AST_CASCADE, B.span}; }
action(A) ::= RESTRICT(B).              { A = (struct reaction){AST_RESTRICT, B.span}; }
action(A) ::= NO(B) ACTION(C).          { A = (struct reaction){AST_NO_ACTION, SPAN(B, C)}; }
action(A) ::= SET(B) NULL(C).           { A = (struct reaction){AST_SET_NULL, SPAN(B, C)}; }
action(A) ::= SET(B) DEFAULT(C).        { A = (struct reaction){AST_SET_DEFAULT, SPAN(B, C)}; }

%type index {struct ast_index *}
%type index_head {struct ast_index *}
%type index_tail {struct ast_index *}
index(A) ::= index_tail(B).             { A = B; }
index(A) ::= index_tail(B) WHERE expr(C). { A = B; A->where = C; SPAN_END(A, C->span); }
index_tail(A) ::= index_head(B) LP items(C) comma_opt RP(D).
  { A = B; A->items = C; SPAN_END(A, D.span); }
index_tail(A) ::= index_tail(B) INCLUDE(C) LP names(D) comma_opt RP(E).
  { A = B; say_once(A->include.n, C.span, "include"); A->include = D; SPAN_END(A, E.span); }
index_tail(A) ::= index_tail(B) NULLS(C) NOT DISTINCT(D).
  { A = B; say_once(A->nulls_not_distinct, SPAN(C, D), "nulls not distinct");
    A->nulls_not_distinct = true; SPAN_END(A, D.span); }
index_tail(A) ::= index_tail(B) WITH(C) LP index_settings(D) comma_opt RP(E).
  { A = B; say_once(A->settings.n, C.span, "with"); A->settings = D; SPAN_END(A, E.span); }
index_head(A) ::= INDEX(B).             { MAKE(A, ast_index, .span = B.span); }
index_head(A) ::= INDEX(B) name(C).     { MAKE(A, ast_index, .span = B.span, .name = C); }
index_head(A) ::= index_head(B) UNIQUE(C).
  { A = B; say_once(A->unique, C.span, "unique"); A->unique = true; }
index_head(A) ::= index_head(B) GLOBAL(C).
  { A = B; say_once(A->global, C.span, "global"); A->global = true; }
index_head(A) ::= index_head(B) USING(C) name(D).
  { A = B; say_once(A->method.text, C.span, "using"); A->method = D; }

/* Of an index or a partition key. */
%type items {struct ast_items}
items(A) ::= item(B).                   { FIRST(A, B); }
items(A) ::= items(A) COMMA item(B).    { vec_push(&A, B); }

%type item {struct ast_item}
%type item_classed {struct ast_item}
%type item_directed {struct ast_item}
item_classed(A) ::= expr(B).            { A = item_from(B); }
item_classed(A) ::= expr(B) path(C).
  { A = item_from(B); A.opclass = C; A.span = SPAN(A, C); }
item_directed(A) ::= item_classed(B) ASC(C). { A = B; A.span = SPAN(A, C); }
item_directed(A) ::= item_classed(B) DESC(C).
  { A = B; A.descending = true; A.span = SPAN(A, C); }
item(A) ::= item_classed(B).            { A = B; }
item(A) ::= item_directed(B).           { A = B; }
item(A) ::= item_directed(B) NULLS FIRST(C). { A = B; A.nulls = 1; A.span = SPAN(A, C); }
item(A) ::= item_directed(B) NULLS LAST(C). { A = B; A.nulls = 2; A.span = SPAN(A, C); }
/* In full, lest `nulls` be taken for the name of an operator class. */
item(A) ::= expr(B) NULLS FIRST(C).
  { A = item_from(B); A.nulls = 1; A.span = SPAN(A, C); }
item(A) ::= expr(B) NULLS LAST(C).
  { A = item_from(B); A.nulls = 2; A.span = SPAN(A, C); }
item(A) ::= expr(B) path(C) NULLS FIRST(D).
  { A = item_from(B); A.opclass = C; A.nulls = 1; A.span = SPAN(A, D); }
item(A) ::= expr(B) path(C) NULLS LAST(D).
  { A = item_from(B); A.opclass = C; A.nulls = 2; A.span = SPAN(A, D); }

%type index_settings {struct ast_index_settings}
index_settings(A) ::= index_setting(B).             { FIRST(A, B); }
index_settings(A) ::= index_settings(A) COMMA index_setting(B). { vec_push(&A, B); }

%type index_setting {struct ast_index_setting}
index_setting(A) ::= name(B) EQ index_setting_value(C).
  { A = (struct ast_index_setting){SPAN(B, C), B, C.text}; }
index_setting_value(A) ::= NUMBER|STRING|ID|TRUE|FALSE|ON(B). { A = B; }

/* ---- views ---- */

declaration ::= VIEW(B) path(C) AS select(D) SEMI(E).
  { DECLARE(views, ast_view, .span = SPAN(B, E), .path = C, .name = C.name, .select = D); }
declaration ::= VIEW(B) path(C) LP raw_columns(D) comma_opt RP AS raw(E) SEMI(F).
  { DECLARE(views, ast_view, .span = SPAN(B, F), .path = C, .name = C.name, .columns = D, .raw = E); }

%type stored {struct ast_view *}
%type stored_next {struct ast_view *}
%type stored_items {struct ast_view *}
stored(A) ::= MATERIALIZED(B) VIEW path(C).
  { MAKE(A, ast_view, .span = B.span, .word = B.span, .path = C, .name = C.name,
         .materialized = true); }
stored_next(A) ::= stored(B) LP.        { A = B; }
stored_next(A) ::= stored_items(B) COMMA. { A = B; }
stored_items(A) ::= stored_next(B) name(C) type(D).
  { A = B; vec_push(&A->columns, column_new(C, D)); }
stored_items(A) ::= stored_next(B) index(C). { A = B; vec_push(&A->indexes, C); }
%type stored_done {struct ast_view *}
stored_done(A) ::= stored(B).           { A = B; }
stored_done(A) ::= stored_items(B) comma_opt RP. { A = B; }
declaration ::= stored_done(B) AS select(C) SEMI(D).
  { B->select = C; SPAN_END(B, D.span); vec_push(&p->ast->views, B); }
declaration ::= stored_done(B) AS raw(C) SEMI(D).
  { B->raw = C; SPAN_END(B, D.span); vec_push(&p->ast->views, B); }

/* ---- schemas, extensions, comments, drops ---- */

declaration ::= SCHEMA name(B) SEMI.    { vec_push(&p->ast->schemas, B); }
declaration ::= EXTENSION(B) name(C) SEMI(D).
  { DECLARE(extensions, ast_extension, .span = SPAN(B, D), .name = C); }
declaration ::= EXTENSION(B) name(C) SCHEMA name(D) SEMI(E).
  { DECLARE(extensions, ast_extension, .span = SPAN(B, E), .name = C, .schema = D); }

declaration ::= COMMENT(B) ON kind(C) path(D) IS string(E) SEMI(F).
  { DECLARE(comments, ast_comment, .span = SPAN(B, F), .kind = C, .path = D, .text = E); }
declaration ::= COMMENT(B) ON COLUMN column_name(C) IS string(D) SEMI(E).
  { DECLARE(comments, ast_comment, .span = SPAN(B, E), .kind = AST_KIND_COLUMN, .column = C,
            .text = D); }
declaration ::= DROP(B) kind(C) path(D) SEMI(E).
  { DECLARE(drops, ast_drop, .span = SPAN(B, E), .kind = C, .path = D); }

declaration ::= DROP ROLE name(B) SEMI. { vec_push(&p->ast->role_drops, B); }
declaration ::= DROP(B) POLICY name(C) ON path(D) SEMI(E).
  { struct ast_policy_drop drop = {SPAN(B, E), C, D}; vec_push(&p->ast->policy_drops, drop); }

%type kind {enum ast_kind}
kind(A) ::= TABLE.                      { A = AST_KIND_TABLE; }
kind(A) ::= VIEW.                       { A = AST_KIND_VIEW; }
kind(A) ::= MATERIALIZED VIEW.          { A = AST_KIND_MATERIALIZED_VIEW; }
kind(A) ::= TYPE.                       { A = AST_KIND_TYPE; }
kind(A) ::= DOMAIN.                     { A = AST_KIND_TYPE; }
kind(A) ::= FUNCTION.                   { A = AST_KIND_FUNCTION; }
kind(A) ::= QUERY.                      { A = AST_KIND_QUERY; }
kind(A) ::= SCHEMA.                     { A = AST_KIND_SCHEMA; }

%type raw_columns {struct ast_columns}
raw_columns(A) ::= name(B) type(C).     { FIRST(A, column_new(B, C)); }
raw_columns(A) ::= raw_columns(A) COMMA name(B) type(C). { vec_push(&A, column_new(B, C)); }

/* ---- roles, claims, predicates ---- */

%type role {struct ast_role *}
role(A) ::= ROLE(B) name(C).            { MAKE(A, ast_role, .span = B.span, .name = C); }
role(A) ::= role(B) WHEN(C) CLAIM claim_path(D) EQ string(E).
  { A = B; say_once(A->claim_path.text, C.span, "when"); A->claim_path = D; A->claim_value = E; }
role(A) ::= role(B) INHERITS(C) name(D).
  { A = B; say_once(A->inherits.text, C.span, "inherits"); A->inherits = D; }
declaration ::= role(B) SEMI(C).        { SPAN_END(B, C.span); vec_push(&p->ast->roles, B); }

%type claim_path {struct ast_string}
claim_path(A) ::= ID|STRING(B).         { A = string_from(B); }

declaration ::= CLAIM(B) name(C) type(D) SEMI(E).
  { DECLARE(claims, ast_claim, .span = SPAN(B, E), .name = C, .type = D); }
declaration ::= CLAIM(B) name(C) type(D) FROM string(E) SEMI(F).
  { DECLARE(claims, ast_claim, .span = SPAN(B, F), .name = C, .type = D, .path = E); }

declaration ::= PREDICATE(B) own_name(C) LP params_opt(D) RP AS expr(E) SEMI(F).
  { DECLARE(predicates, ast_predicate, .span = SPAN(B, F), .name = C, .params = D, .body = E); }
declaration ::= PREDICATE(B) own_name(C) LP params_opt(D) RP SECURITY(E) DEFINER(F) AS expr(G) SEMI(H).
  { DECLARE(predicates, ast_predicate, .span = SPAN(B, H), .name = C, .params = D, .definer = true,
            .definer_span = SPAN(E, F), .body = G); }

%type params_opt {struct ast_params}
params_opt(A) ::= .                     { NONE(A); }
params_opt(A) ::= params(B) comma_opt.  { A = B; }

%type params {struct ast_params}
params(A) ::= param(B).                 { FIRST(A, B); }
params(A) ::= params(A) COMMA param(B). { vec_push(&A, B); }

%type param {struct ast_param *}
param(A) ::= name(B) type(C).
  { MAKE(A, ast_param, .span = SPAN(B, *C), .name = B, .type = C); }
param(A) ::= name(B) type(C) DEFAULT expr(D).
  { MAKE(A, ast_param, .span = SPAN(B, *D), .name = B, .type = C, .default_expr = D); }

/* ---- grants, policies ---- */

declaration ::= GRANT(B) grant_commands(C) ON paths(D) TO names(E) SEMI(F).
  { DECLARE(grants, ast_grant, .span = SPAN(B, F), .commands = C, .tables = D, .roles = E); }

%type grant_commands {struct ast_commands}
grant_commands(A) ::= grant_command(B). { FIRST(A, B); }
grant_commands(A) ::= grant_commands(A) COMMA grant_command(B). { vec_push(&A, B); }

%type grant_command {struct ast_command}
grant_command(A) ::= command(B).        { A = B; }
grant_command(A) ::= SELECT(B) LP names(C) RP.
  { A = (struct ast_command){AST_CMD_SELECT, B.span, C}; }
grant_command(A) ::= INSERT(B) LP names(C) RP.
  { A = (struct ast_command){AST_CMD_INSERT, B.span, C}; }
grant_command(A) ::= UPDATE(B) LP names(C) RP.
  { A = (struct ast_command){AST_CMD_UPDATE, B.span, C}; }

%type command {struct ast_command}
command(A) ::= SELECT(B).  { A = (struct ast_command){.kind = AST_CMD_SELECT, .span = B.span}; }
command(A) ::= INSERT(B).  { A = (struct ast_command){.kind = AST_CMD_INSERT, .span = B.span}; }
command(A) ::= UPDATE(B).  { A = (struct ast_command){.kind = AST_CMD_UPDATE, .span = B.span}; }
command(A) ::= DELETE(B).  { A = (struct ast_command){.kind = AST_CMD_DELETE, .span = B.span}; }
command(A) ::= ALL(B).     { A = (struct ast_command){.kind = AST_CMD_ALL, .span = B.span}; }

%type commands {struct ast_commands}
commands(A) ::= command(B).             { FIRST(A, B); }
commands(A) ::= commands(A) COMMA command(B). { vec_push(&A, B); }

%type policy {struct ast_policy *}
policy(A) ::= POLICY(B) name(C) ON path(D).
  { MAKE(A, ast_policy, .span = B.span, .name = C, .table = D); }
policy(A) ::= policy(B) AS RESTRICTIVE. { A = B; A->restrictive = true; }
policy(A) ::= policy(B) AS PERMISSIVE.  { A = B; A->restrictive = false; }
policy(A) ::= policy(B) FOR(C) commands(D).
  { A = B; say_once(A->commands.n, C.span, "for"); A->commands = D; }
policy(A) ::= policy(B) TO(C) names(D).
  { A = B; say_once(A->roles.n, C.span, "to"); A->roles = D; }
policy(A) ::= policy(B) USING(C) policy_expr(D).
  { A = B; say_once(A->using_expr, C.span, "using"); A->using_expr = D; }
policy(A) ::= policy(B) WITH(C) CHECK policy_expr(D).
  { A = B; say_once(A->check_expr, C.span, "with check"); A->check_expr = D; }
declaration ::= policy(B) SEMI(C).      { SPAN_END(B, C.span); vec_push(&p->ast->policies, B); }

%type policy_expr {struct ast_expr *}
policy_expr(A) ::= LP expr(B) RP.       { A = B; }
policy_expr(A) ::= LP PUBLIC(B) RP.     { A = expr_leaf(AST_PUBLIC, B); }

/* ---- cors ---- */

%type cors {struct ast_cors *}
cors(A) ::= CORS(B) name(C) LC.         { MAKE(A, ast_cors, .span = B.span, .name = C); }
cors(A) ::= cors(B) ORIGINS(C) strings(D) comma_opt SEMI.
  { A = B; say_once(A->origins.n, C.span, "origins"); A->origins = D; }
cors(A) ::= cors(B) MAX_AGE(C) NUMBER(D) name(E) SEMI.
  { A = B; say_once(A->max_age_span.file, C.span, "max_age"); A->max_age_s = duration(D, E);
    A->max_age_span = SPAN(D, E); }
cors(A) ::= cors(B) CREDENTIALS(C) SEMI.
  { A = B; say_once(A->credentials, C.span, "credentials"); A->credentials = true;
    A->credentials_span = C.span; }
declaration ::= cors(B) RC(C).          { SPAN_END(B, C.span); vec_push(&p->ast->cors, B); }

/* ---- endpoints ---- */

%type endpoint {struct ast_endpoint *}
%type endpoint_body {struct ast_endpoint *}
endpoint(A) ::= ENDPOINT(B) path(C).    { MAKE(A, ast_endpoint, .span = B.span, .table = C); }
endpoint(A) ::= endpoint(B) CORS(C) name(D).
  { A = B; say_once(A->cors.text, C.span, "cors"); A->cors = D; }
endpoint(A) ::= endpoint(B) SCAN OK.    { A = B; A->scan_ok = true; }
endpoint(A) ::= endpoint(B) INLINE(C) POLICIES(D). { A = B; A->inline_span = SPAN(C, D); }
endpoint(A) ::= endpoint(B) rate(C).    { A = B; vec_push(&A->rates, C); }
endpoint(A) ::= endpoint(B) cost(C).    { A = B; cost_add(&A->costs, C); }
declaration ::= endpoint(B) SEMI(C).    { SPAN_END(B, C.span); vec_push(&p->ast->endpoints, B); }

endpoint_body(A) ::= endpoint(B) LC.    { A = B; A->has_body = true; }
endpoint_body(A) ::= endpoint_body(B) verb(C) SEMI. { A = B; vec_push(&A->verbs, C); }
endpoint_body(A) ::= endpoint_body(B) CORS(C) name(D) SEMI.
  { A = B; say_once(A->cors.text, C.span, "cors"); A->cors = D; }
endpoint_body(A) ::= endpoint_body(B) SCAN OK SEMI. { A = B; A->scan_ok = true; }
endpoint_body(A) ::= endpoint_body(B) INLINE(C) POLICIES(D) SEMI.
  { A = B; A->inline_span = SPAN(C, D); }
endpoint_body(A) ::= endpoint_body(B) rate(C) SEMI. { A = B; vec_push(&A->rates, C); }
endpoint_body(A) ::= endpoint_body(B) cost(C) SEMI. { A = B; cost_add(&A->costs, C); }
declaration ::= endpoint_body(B) RC(C). { SPAN_END(B, C.span); vec_push(&p->ast->endpoints, B); }

%type verb {struct ast_verb *}
%type list {struct ast_verb *}
%type other {struct ast_verb *}
verb(A) ::= list(B).                    { A = B; }
verb(A) ::= other(B).                   { A = B; }
other(A) ::= GET(B).                    { MAKE(A, ast_verb, .kind = AST_GET, .span = B.span); }
other(A) ::= CREATE(B).                 { MAKE(A, ast_verb, .kind = AST_CREATE, .span = B.span); }
other(A) ::= UPDATE(B).                 { MAKE(A, ast_verb, .kind = AST_UPDATE, .span = B.span); }
other(A) ::= DELETE(B).                 { MAKE(A, ast_verb, .kind = AST_DELETE, .span = B.span); }
other(A) ::= other(B) rate(C).          { A = B; vec_push(&A->rates, C); }
other(A) ::= other(B) cost(C).          { A = B; cost_add(&A->costs, C); }

list(A) ::= LIST(B).                    { MAKE(A, ast_verb, .kind = AST_LIST, .span = B.span); }
list(A) ::= list(B) FILTER(C) LP names(D) comma_opt RP.
  { A = B; say_once(A->filters.n, C.span, "filter"); A->filters = D; }
list(A) ::= list(B) ORDER(C) LP names(D) comma_opt RP.
  { A = B; say_once(A->orders.n, C.span, "order"); A->orders = D; }
list(A) ::= list(B) EMBED(C) LP names comma_opt RP(D). { A = B; not_built(SPAN(C, D), "embed"); }
list(A) ::= list(B) LIMIT(C) NUMBER(D).
  { A = B; say_once(A->limit_span.file, C.span, "limit"); A->limit_span = SPAN(C, D);
    A->limit = whole_number(D, 1000000); }
list(A) ::= list(B) rate(C).            { A = B; vec_push(&A->rates, C); }
list(A) ::= list(B) cost(C).            { A = B; cost_add(&A->costs, C); }
list(A) ::= list(B) MAX(C) NUMBER(D).
  { A = B; say_once(A->max_span.file, C.span, "max"); A->max_span = SPAN(C, D);
    A->max = whole_number(D, 1000000); }

%type rate {struct ast_rate *}
rate(A) ::= rate_by(B).                 { A = B; }
rate(A) ::= rate_by(B) OR name(C).      { A = B; A->fallback = C; SPAN_END(A, C.span); }

%type rate_by {struct ast_rate *}
rate_by(A) ::= LIMIT(B) NUMBER(C) PER name(D) BY name(E).
  { MAKE(A, ast_rate, .span = SPAN(B, E), .requests = whole_number(C, 1000000),
         .count_span = C.span, .unit = D, .by = E); }

declaration ::= rate(B) SEMI.           { vec_push(&p->ast->rates, B); }

%type cost {struct ast_cost}
cost(A) ::= BODY(B) NUMBER(C) name(D).
  { A = (struct ast_cost){AST_BODY, SPAN(B, D), whole_number(C, 1000000000), D}; }
cost(A) ::= WITHIN(B) NUMBER(C) name(D).
  { A = (struct ast_cost){AST_WITHIN, SPAN(B, D), whole_number(C, 1000000000), D}; }
cost(A) ::= SLOW(B).                    { A = (struct ast_cost){.kind = AST_SLOW, .span = B.span}; }

/* ---- queries ---- */

%type query_open {struct ast_query *}
%type query {struct ast_query *}
query_open(A) ::= QUERY(B) own_name(C) LP params_opt(D) RP.
  { MAKE(A, ast_query, .span = B.span, .name = C, .params = D); }
query(A) ::= query_open(B) RETURNS(C) type(D).
  { A = B; A->returns = D; A->returns_span = SPAN(C, *D); }
query(A) ::= query_open(B) RETURNS(C) SETOF type(D).
  { A = B; A->returns = D; D->setof = true; A->returns_span = SPAN(C, *D); }
query(A) ::= query_open(B) RETURNS(C) TABLE LP raw_columns(D) comma_opt RP(E).
  { A = B; A->returns_columns = D; A->returns_span = SPAN(C, E); }
query(A) ::= query(B) TO(C) names(D).
  { A = B; say_once(A->roles.n, C.span, "to"); A->roles = D; }
query(A) ::= query(B) rate(C).          { A = B; vec_push(&A->rates, C); }
query(A) ::= query(B) cost(C).          { A = B; cost_add(&A->costs, C); }
declaration ::= query(B) AS select(C) SEMI(D).
  { B->select = C; SPAN_END(B, D.span); vec_push(&p->ast->queries, B); }
declaration ::= query(B) AS raw(C) SEMI(D).
  { B->raw = C; SPAN_END(B, D.span); vec_push(&p->ast->queries, B); }

/* ---- statements that write ---- */

%type statement {struct ast_statement *}
%type writing {struct ast_statement *}
statement(A) ::= select(B).
  { MAKE(A, ast_statement, .span = B->span, .kind = AST_SELECT_STATEMENT, .select = B); }
statement(A) ::= writing(B).            { A = B; }
statement(A) ::= with(B) writing(C).
  { A = C; A->with = B.list; A->recursive = B.recursive; A->span = SPAN(B, *C); }

%type insert_open {struct ast_statement *}
%type insert {struct ast_statement *}
insert_open(A) ::= INSERT(B) INTO path(C).
  { MAKE(A, ast_statement, .span = SPAN(B, C), .kind = AST_INSERT_STATEMENT, .table = C); }
insert_open(A) ::= INSERT(B) INTO path(C) AS name(D).
  { MAKE(A, ast_statement, .span = SPAN(B, D), .kind = AST_INSERT_STATEMENT, .table = C,
         .alias = D); }
insert(A) ::= insert_open(B) DEFAULT VALUES(C). { A = B; SPAN_END(A, C.span); }
insert(A) ::= insert_open(B) select(C). { A = B; A->select = C; SPAN_END(A, C->span); }
insert(A) ::= insert_open(B) LP names(C) RP select(D).
  { A = B; A->columns = C; A->select = D; SPAN_END(A, D->span); }
insert(A) ::= insert(B) ON CONFLICT alias_columns_opt(C) DO NOTHING(D).
  { A = B; A->conflict = (struct ast_conflict){.action = AST_CONFLICT_NOTHING, .columns = C,
                                               .span = D.span}; SPAN_END(A, D.span); }
insert(A) ::= insert(B) ON CONFLICT alias_columns_opt(C) DO(D) UPDATE SET assignments(E) where_opt(F).
  { A = B; A->conflict = (struct ast_conflict){.action = AST_CONFLICT_UPDATE, .columns = C,
                                               .set = E, .where = F, .span = D.span};
    SPAN_END(A, E.at[E.n - 1].span); }

%type where_opt {struct ast_expr *}
where_opt(A) ::= .                      { A = NULL; }
where_opt(A) ::= WHERE expr(B).         { A = B; }

%type assignments {struct ast_assignments}
%type assignment {struct ast_assignment}
assignments(A) ::= assignment(B).       { FIRST(A, B); }
assignments(A) ::= assignments(A) COMMA assignment(B). { vec_push(&A, B); }
assignment(A) ::= name(B) EQ row_item(C).
  { A = (struct ast_assignment){.span = SPAN(B, *C), .column = B, .expr = C}; }

%type update_open {struct ast_statement *}
%type update_from {struct ast_statement *}
%type update {struct ast_statement *}
update_open(A) ::= UPDATE(B) path(C) SET assignments(D).
  { MAKE(A, ast_statement, .span = SPAN(B, D.at[D.n - 1]), .kind = AST_UPDATE_STATEMENT,
         .table = C, .set = D); }
update_open(A) ::= UPDATE(B) path(C) as_opt name(E) SET assignments(D).
  { MAKE(A, ast_statement, .span = SPAN(B, D.at[D.n - 1]), .kind = AST_UPDATE_STATEMENT,
         .table = C, .alias = E, .set = D); }
update_from(A) ::= update_open(B).      { A = B; }
update_from(A) ::= update_open(B) FROM froms(C). { A = B; A->from = C; }
update(A) ::= update_from(B).           { A = B; }
update(A) ::= update_from(B) WHERE expr(C). { A = B; A->where = C; SPAN_END(A, C->span); }

%type delete_from {struct ast_statement *}
%type delete_using {struct ast_statement *}
%type delete {struct ast_statement *}
delete_from(A) ::= DELETE(B) FROM path(C).
  { MAKE(A, ast_statement, .span = SPAN(B, C), .kind = AST_DELETE_STATEMENT, .table = C); }
delete_from(A) ::= DELETE(B) FROM path(C) as_opt name(D).
  { MAKE(A, ast_statement, .span = SPAN(B, D), .kind = AST_DELETE_STATEMENT, .table = C,
         .alias = D); }
delete_using(A) ::= delete_from(B).     { A = B; }
delete_using(A) ::= delete_from(B) USING froms(C). { A = B; A->from = C; }
delete(A) ::= delete_using(B).          { A = B; }
delete(A) ::= delete_using(B) WHERE expr(C). { A = B; A->where = C; SPAN_END(A, C->span); }

writing(A) ::= insert(B).               { A = statement_done(p, B); }
writing(A) ::= insert(B) RETURNING outputs(C).
  { A = B; A->returning = C; SPAN_END(A, C.at[C.n - 1].span); statement_done(p, A); }
writing(A) ::= update(B).               { A = statement_done(p, B); }
writing(A) ::= update(B) RETURNING outputs(C).
  { A = B; A->returning = C; SPAN_END(A, C.at[C.n - 1].span); statement_done(p, A); }
writing(A) ::= delete(B).               { A = statement_done(p, B); }
writing(A) ::= delete(B) RETURNING outputs(C).
  { A = B; A->returning = C; SPAN_END(A, C.at[C.n - 1].span); statement_done(p, A); }

/* ---- functions ---- */

%type function_open {struct ast_function *}
%type function_head {struct ast_function *}
function_open(A) ::= FUNCTION(B) own_name(C) LP params_opt(D) RP(E).
  { MAKE(A, ast_function, .span = SPAN(B, E), .name = C, .params = D); }
function_head(A) ::= function_open(B).  { A = B; }
function_head(A) ::= function_head(B) RETURNS(C) type(D).
  { A = B; say_once(A->returns_span.file, C.span, "returns"); A->returns = D;
    A->returns_span = SPAN(C, *D); }
function_head(A) ::= function_head(B) RETURNS(C) SETOF type(D).
  { A = B; say_once(A->returns_span.file, C.span, "returns"); A->returns = D; D->setof = true;
    A->returns_span = SPAN(C, *D); }
function_head(A) ::= function_head(B) RETURNS(C) TABLE LP raw_columns(D) comma_opt RP(E).
  { A = B; say_once(A->returns_span.file, C.span, "returns"); A->returns_columns = D;
    A->returns_span = SPAN(C, E); }
function_head(A) ::= function_head(B) TO(C) names(D).
  { A = B; say_once(A->roles.n, C.span, "to"); A->roles = D; }
function_head(A) ::= function_head(B) volatility(C).
  { A = B; say_once(A->volatility, C.span, C.text); A->volatility = C.kind;
    A->volatility_span = C.span; }
function_head(A) ::= function_head(B) STRICT(C).
  { A = B; say_once(A->strict, C.span, "strict"); A->strict = true; }
function_head(A) ::= function_head(B) SECURITY(C) DEFINER(D).
  { A = B; say_once(A->definer, C.span, "security definer"); A->definer = true;
    A->definer_span = SPAN(C, D); }
function_head(A) ::= function_head(B) SET(C) name(D) to_or_equals setting(E).
  { struct ast_setting setting = {SPAN(C, E.at[E.n - 1]), D, E};
    A = B; vec_push(&A->settings, setting); }
function_head(A) ::= function_head(B) LANGUAGE(C) name(D).
  { A = B; say_once(A->language.text, C.span, "language"); A->language = D; }
volatility(A) ::= IMMUTABLE(B).         { A = B; A.kind = AST_IMMUTABLE; }
volatility(A) ::= STABLE(B).            { A = B; A.kind = AST_STABLE; }
volatility(A) ::= VOLATILE(B).          { A = B; A.kind = AST_VOLATILE; }
to_or_equals ::= TO|EQ.

%type setting {struct ast_strings}
%type setting_value {struct ast_string}
setting(A) ::= setting_value(B).        { FIRST(A, B); }
setting(A) ::= setting(A) COMMA setting_value(B). { vec_push(&A, B); }
setting_value(A) ::= string(B).         { A = B; }
setting_value(A) ::= ID|NUMBER|TRUE|FALSE|ON(B). { A = string_from(B); }

declaration ::= function_head(B) AS statement(C) SEMI(D).
  { B->body = C; SPAN_END(B, D.span); vec_push(&p->ast->functions, B); }
declaration ::= function_head(B) AS raw(C) SEMI(D).
  { B->raw = C; SPAN_END(B, D.span); vec_push(&p->ast->functions, B); }

/* ---- triggers ---- */

%type trigger {struct ast_trigger *}
%type trigger_open {struct ast_trigger *}
trigger_open(A) ::= TRIGGER(B) name(C) trigger_time(D) trigger_events(E) ON path(F).
  { MAKE(A, ast_trigger, .span = SPAN(B, F), .name = C, .time = D.kind, .events = E, .table = F); }
trigger_open(A) ::= trigger_open(B) FOR(D) EACH ROW.
  { A = B; say_once(A->for_row || A->for_statement, D.span, "for each"); A->for_row = true; }
trigger_open(A) ::= trigger_open(B) FOR(D) EACH STATEMENT.
  { A = B; say_once(A->for_row || A->for_statement, D.span, "for each");
    A->for_statement = true; }
trigger_open(A) ::= trigger_open(B) WHEN(D) LP expr(C) RP.
  { A = B; say_once(A->when, D.span, "when"); A->when = C; }
trigger(A) ::= trigger_open(B) EXECUTE function_opt name(C) LP RP.
  { A = B; A->function = C; }
trigger(A) ::= trigger_open(B) EXECUTE function_opt name(C) LP strings(D) RP.
  { A = B; A->function = C; A->args = D; }
declaration ::= trigger(B) SEMI(C).
  { SPAN_END(B, C.span); vec_push(&p->ast->triggers, B); }
function_opt ::= .
function_opt ::= FUNCTION.

trigger_time(A) ::= BEFORE(B).          { A = B; A.kind = AST_BEFORE; }
trigger_time(A) ::= AFTER(B).           { A = B; A.kind = AST_AFTER; }
trigger_time(A) ::= INSTEAD(B) OF.      { A = B; A.kind = AST_INSTEAD_OF; }

%type trigger_events {struct ast_trigger_events}
%type trigger_event {struct ast_trigger_event}
trigger_events(A) ::= trigger_event(B). { FIRST(A, B); }
trigger_events(A) ::= trigger_events(A) OR trigger_event(B). { vec_push(&A, B); }
trigger_event(A) ::= INSERT(B).         { A = (struct ast_trigger_event){.span = B.span, .command = AST_CMD_INSERT}; }
trigger_event(A) ::= DELETE(B).         { A = (struct ast_trigger_event){.span = B.span, .command = AST_CMD_DELETE}; }
trigger_event(A) ::= UPDATE(B).         { A = (struct ast_trigger_event){.span = B.span, .command = AST_CMD_UPDATE}; }
trigger_event(A) ::= UPDATE(B) OF names(C).
  { A = (struct ast_trigger_event){B.span, AST_CMD_UPDATE, C}; }
trigger_event(A) ::= UPDATE(B) OF LP names(C) RP.
  { A = (struct ast_trigger_event){B.span, AST_CMD_UPDATE, C}; }
/* ---- former names ---- */

%type was_opt {struct ast_name}
was_opt(A) ::= .                        { A = (struct ast_name){0}; }
was_opt(A) ::= WAS name(B).             { A = B; }

%type labels {struct ast_labels}
%type label_was {struct ast_string}
labels(A) ::= string(B) label_was(C).   { FIRST(A.labels, B); FIRST(A.was, C); }
labels(A) ::= labels(A) COMMA string(B) label_was(C).
  { vec_push(&A.labels, B); vec_push(&A.was, C); }
label_was(A) ::= .                      { A = (struct ast_string){0}; }
label_was(A) ::= WAS string(B).         { A = B; }

table_open(A) ::= TABLE(B) name(C) WAS name(D) LP.
  { MAKE(A, ast_table, .span = B.span, .name = C, .was = D); }
role(A) ::= role(B) WAS(C) name(D).     { A = B; say_once(A->was.text, C.span, "was"); A->was = D; }
policy(A) ::= policy(B) WAS(C) name(D). { A = B; say_once(A->was.text, C.span, "was"); A->was = D; }

/* ---- live queries ---- */

%type live {struct ast_live *}
%type live_table {struct ast_live *}
live(A) ::= LIVE(B) own_name(C) LP params_opt(D) RP.
  { MAKE(A, ast_live, .span = B.span, .name = C, .params = D); }
live(A) ::= live(B) TO(C) names(D).
  { A = B; say_once(A->roles.n, C.span, "to"); A->roles = D; }
declaration ::= live(B) AS select(C) SEMI(D).
  { B->select = C; SPAN_END(B, D.span); vec_push(&p->ast->lives, B); }

live_table(A) ::= LIVE(B) own_name(C) ON path(D).
  { MAKE(A, ast_live, .span = B.span, .name = C, .table = D); }
live_table(A) ::= live_table(B) LP(C) names(D) comma_opt RP.
  { A = B; say_once(A->columns.n, C.span, "the list of columns"); A->columns = D; }
live_table(A) ::= live_table(B) FILTER(C) LP names(D) comma_opt RP.
  { A = B; say_once(A->filters.n, C.span, "filter"); A->filters = D; }
live_table(A) ::= live_table(B) TO(C) names(D).
  { A = B; say_once(A->roles.n, C.span, "to"); A->roles = D; }
live_table(A) ::= live_table(B) LIMIT(C) NUMBER(D).
  { A = B; say_once(A->limit_span.file, C.span, "limit"); A->limit_span = SPAN(C, D);
    A->limit = whole_number(D, 1000000); }
declaration ::= live_table(B) SEMI(C).  { SPAN_END(B, C.span); vec_push(&p->ast->lives, B); }
declaration ::= LIVE own_name(B) SEMI.  { vec_push(&p->ast->live_words, B); }

/* ---- webhooks ---- */

%type webhook {struct ast_webhook *}
webhook(A) ::= WEBHOOK(B) name(C) ON path(D) AFTER webhook_events(E).
  { MAKE(A, ast_webhook, .span = B.span, .name = C, .table = D, .events = E); }
webhook(A) ::= webhook(B) WHEN(C) LP expr(D) RP.
  { A = B; say_once(A->when, C.span, "when"); A->when = D; }
webhook(A) ::= webhook(B) SEND(C) LP names(D) comma_opt RP.
  { A = B; say_once(A->columns.n || A->star.file, C.span, "send"); A->columns = D; }
webhook(A) ::= webhook(B) SEND(C) LP STAR(D) RP.
  { A = B; say_once(A->columns.n || A->star.file, C.span, "send"); A->star = D.span; }
webhook(A) ::= webhook(B) TO(C) secret(D).
  { A = B; say_once(A->to.span.file, C.span, "to"); A->to = D; }
webhook(A) ::= webhook(B) SIGNED(C) secret(D).
  { A = B; say_once(A->key.span.file, C.span, "signed"); A->key = D; }
webhook(A) ::= webhook(B) RETRY(C) NUMBER(D).
  { A = B; say_once(A->retry_span.file, C.span, "retry"); A->retry_span = SPAN(C, D);
    A->retry = whole_number(D, 1000000); }
webhook(A) ::= webhook(B) WITHIN(C) NUMBER(D) name(E).
  { A = B; say_once(A->within_span.file, C.span, "within"); A->within_span = SPAN(C, E);
    A->within_s = duration(D, E); }
declaration ::= webhook(B) SEMI(C).     { SPAN_END(B, C.span); vec_push(&p->ast->webhooks, B); }

%type webhook_events {struct ast_commands}
webhook_events(A) ::= command(B).       { FIRST(A, B); }
webhook_events(A) ::= webhook_events(A) OR command(B). { vec_push(&A, B); }

%type secret {struct ast_secret}
secret(A) ::= ENV(B) ID(C).             { A = secret_env(B, C); }
secret(A) ::= string(B).                { A = secret_text(B); }
secret(A) ::= path(B).                  { A = (struct ast_secret){.span = B.name.span, .row = true}; }

/* ---- auth ---- */

%type auth {struct ast_auth *}
auth(A) ::= AUTH(B) LC.                 { MAKE(A, ast_auth, .span = B.span, .word = B.span); }
auth(A) ::= auth(B) auth_option(C) SEMI.    { A = B; vec_push(&A->options, C); }
declaration ::= auth(B) RC(C).          { SPAN_END(B, C.span); vec_push(&p->ast->auths, B); }

%type auth_option {struct ast_option}
auth_option(A) ::= name(B) strings(C) comma_opt.
  { A = (struct ast_option){.span = SPAN(B, C.at[C.n - 1]), .name = B, .values = C}; }
auth_option(A) ::= name(B) name(C).
  { A = (struct ast_option){.span = SPAN(B, C), .name = B, .word = C}; }
auth_option(A) ::= name(B) ON(C).
  { A = (struct ast_option){.span = SPAN(B, C), .name = B, .word = name_from(C)}; }

%code {
/* What reductions would push; few rules are empty, so few states are above the real stack. */
#define AHEAD 64

int
syntax_tokens(void)
{
    return YYNTOKEN;
}

/* The state in which the parser would shift it; -1: it would not. */
static int
state_for(const void *raw_parser, int kind)
{
    const yyParser *parser = raw_parser;
    const yyStackEntry *top = parser->yytos;
    YYACTIONTYPE above[AHEAD];
    int n = 0;

    for (;;) {
        YYACTIONTYPE state = n ? above[n - 1] : top->stateno;
        YYACTIONTYPE action = yy_find_shift_action((YYCODETYPE)kind, state);
        unsigned rule = action - YY_MIN_REDUCE;
        int pop;

        if (action < YY_MIN_REDUCE)
            return action <= YY_MAX_SHIFTREDUCE || action == YY_ACCEPT_ACTION ? (int)state : -1;
        pop = -yyRuleInfoNRhs[rule];
        for (; pop > 0 && n > 0; pop--)
            n--;
        top -= pop;
        state = n ? above[n - 1] : top->stateno;
        if (n == AHEAD)
            return (int)state; /* let the parser itself find out */
        above[n++] = yy_find_reduce_action(state, (YYCODETYPE)yyRuleInfoLhs[rule]);
    }
}

bool
syntax_accepts(const void *parser, int kind)
{
    return state_for(parser, kind) >= 0;
}

bool
syntax_takes(const void *parser, int kind)
{
    int state = state_for(parser, kind);
    unsigned at;

    if (state < 0 || state > YY_SHIFT_COUNT)
        return false;
    at = (unsigned)yy_shift_ofst[state] + (unsigned)kind;
    return at < sizeof(yy_lookahead) / sizeof(yy_lookahead[0]) && yy_lookahead[at] == kind;
}
}
