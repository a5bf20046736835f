/* SPDX-License-Identifier: MIT */
/* Tokens to AST: precedence, every declaration, and what is said about what cannot be read. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "text/diag.h"
#include "syntax/parse.h"
#include "base/str.h"

static char *printed;

static int
reset(void **state)
{
    (void)state;
    free(printed);
    printed = NULL;
    diag_reset();
    return 0;
}

static struct ast *
parse(const char *text)
{
    struct ast *ast = arena_alloc(sizeof(*ast));

    parse_source(ast, source_from_text("a.schema", text, strlen(text)));
    return ast;
}

/* The first lines of all errors, without sources, notes and hints. */
static const char *
errors(const char *text)
{
    struct str all = {0};
    size_t size;
    FILE *out;

    diag_reset();
    parse(text);
    free(printed);
    out = open_memstream(&printed, &size);
    diag_print(out, false);
    fclose(out);
    str_puts(&all, "");
    for (char *line = strtok(printed, "\n"); line; line = strtok(NULL, "\n"))
        if (strncmp(line, "a.schema:", 9) == 0)
            str_printf(&all, "%s\n", line + 9);
    return all.at;
}

/* ---- expressions as text with every operator in parentheses ---- */

static void show(struct str *out, const struct ast_expr *expr);

static void
show_all(struct str *out, const struct ast_exprs *list, const char *open, const char *close)
{
    str_puts(out, open);
    for (size_t i = 0; i < list->n; i++) {
        str_puts(out, i ? " " : "");
        show(out, list->at[i]);
    }
    str_puts(out, close);
}

static void
show_names(struct str *out, const struct ast_names *names)
{
    for (size_t i = 0; i < names->n; i++)
        str_printf(out, "%s%s", i ? "." : "", names->at[i].text);
}

static void
show_type(struct str *out, const struct ast_type *type)
{
    str_puts(out, type->spelling);
    for (int i = 0; i < type->n_args; i++)
        str_printf(out, ":%ld", type->args[i]);
    for (int i = 0; i < type->dimensions; i++)
        str_puts(out, "[]");
}

static void
show(struct str *out, const struct ast_expr *expr)
{
    static const char *const words[] = {
        [AST_TRUE] = "true",   [AST_FALSE] = "false",   [AST_NULL] = "null",
        [AST_STAR] = "*",      [AST_PUBLIC] = "public", [AST_CASE] = "case",
        [AST_IN] = "in",       [AST_EXISTS] = "exists", [AST_SELECT] = "select",
        [AST_ARRAY] = "array", [AST_ANY] = "any",       [AST_ALL] = "all",
        [AST_ROW] = "row",     [AST_SUBSCRIPT] = "at",
    };

    if (!expr) {
        str_puts(out, "-");
        return;
    }
    switch (expr->kind) {
    case AST_NUMBER:
        str_puts(out, expr->text);
        return;
    case AST_STRING:
        str_printf(out, "'%s'", expr->text);
        return;
    case AST_RAW:
        str_printf(out, "$%s$", expr->text);
        return;
    case AST_COLUMN:
        show_names(out, &expr->names);
        return;
    case AST_CALL:
        str_printf(out, "%s%s%s", expr->path.schema.text ? expr->path.schema.text : "",
                   expr->path.schema.text ? "." : "", expr->path.name.text);
        if (!expr->bare)
            show_all(out, &expr->args,
                     expr->star       ? "(*"
                     : expr->distinct ? "(distinct "
                                      : "(",
                     ")");
        return;
    case AST_OP:
        str_printf(out, "{%s", expr->op);
        show_all(out, &expr->args, " ", "}");
        return;
    case AST_CAST:
        str_puts(out, "{");
        show_type(out, expr->type);
        show_all(out, &expr->args, " ", "}");
        return;
    case AST_EXTRACT:
        str_printf(out, "{extract %s", expr->names.at[0].text);
        show_all(out, &expr->args, " ", "}");
        return;
    default:
        str_printf(out, "{%s%s%s%s", expr->negated ? "not " : "", words[expr->kind],
                   expr->op ? " " : "", expr->op ? expr->op : "");
        show_all(out, &expr->args, expr->args.n ? " " : "", expr->select ? " (select)}" : "}");
    }
}

static const char *
shown(const char *text)
{
    struct ast *ast = parse(arena_printf("predicate p() as %s;", text));
    struct str out = {0};

    assert_int_equal(diag_errors(), 0);
    assert_int_equal(ast->predicates.n, 1);
    show(&out, ast->predicates.at[0]->body);
    return out.at;
}

static void
precedence_is_that_of_postgresql(void **state)
{
    static const char *const cases[][2] = {
        {"a or b and not c = d", "{or a {and b {not {= c d}}}}"},
        {"1 + 2 * 3 ^ 4 - 5 % 6", "{- {+ 1 {* 2 {^ 3 4}}} {% 5 6}}"},
        {"a || b = c || d", "{= {|| a b} {|| c d}}"},
        {"- a ^ 2", "{^ {- a} 2}"},
        {"a + b -> c", "{-> {+ a b} c}"},
        {"a between 1 and 2 and b", "{and {between a 1 2} b}"},
        {"a not between 1 and 2 or b", "{or {not between a 1 2} b}"},
        {"a between b + 1 and c || 'x'", "{between a {+ b 1} {|| c 'x'}}"},
        {"a not in (1, 2) and b in (select 1)", "{and {not in a 1 2} {in b (select)}}"},
        {"not a in (1)", "{not {in a 1}}"},
        {"a = b is true", "{is true {= a b}}"},
        {"a is distinct from b and c", "{and {is distinct from a b} c}"},
        {"a is not distinct from b + 1", "{is not distinct from a {+ b 1}}"},
        {"a not like 'x' || b escape '!'", "{not like a {|| 'x' b} '!'}"},
        {"a similar to b and not c not ilike d", "{and {similar to a b} {not {not ilike c d}}}"},
        {"a::int + 1", "{+ {int a} 1}"},
        {"-1::bigint", "{- {bigint 1}}"},
        {"a::numeric(8, 2)[]", "{numeric:8:2[] a}"},
        {"(a::int[])[1]", "{at {int[] a} 1}"},
        {"a.b[1:2]", "{at a.b 1 2}"},
        {"cast(a as timestamp(3) with time zone)", "{timestamp with time zone:3 a}"},
        {"a at time zone 'utc' < now()", "{< {at time zone a 'utc'} now()}"},
        {"interval '1 day' * 2", "{* {interval '1 day'} 2}"},
        {"a <> all (select 1) or b = any (array[1, 2])",
         "{or {all <> a (select)} {any = b {array 1 2}}}"},
        {"a like any (b)", "{any like a b}"},
        {"case when a then 1 else 2 end", "{case - a 1 2}"},
        {"case a when 1 then 2 when 3 then 4 end", "{case a 1 2 3 4 -}"},
        {"count(*) > 1", "{> count(*) 1}"},
        {"count(distinct a) = auth.uid()", "{= count(distinct a) auth.uid()}"},
        {"extract(epoch from a - b)", "{extract epoch {- a b}}"},
        {"current_date - 1", "{- current_date 1}"},
        {"left(a, 2) = right(b, 1)", "{= left(a 2) right(b 1)}"},
        {"exists (select 1 from t) and (select 1) > 0",
         "{and {exists (select)} {> {select (select)} 0}}"},
        {"(a, b) = row(1, 2)", "{= {row a b} {row 1 2}}"},
        {"new.state = 'open' and s.t.c", "{and {= new.state 'open'} s.t.c}"},
        {"a ->> 'x' is null", "{is null {->> a 'x'}}"},
        {"a @@ b and c <@ d", "{and {@@ a b} {<@ c d}}"},
        {"$$ raw $$ or role = type", "{or $ raw $ {= role type}}"},
        {"E'a\\n' = 'b'", "{= 'a\n' 'b'}"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)

        assert_string_equal(shown(cases[i][0]), cases[i][1]);
}

static void
comparisons_do_not_chain(void **state)
{
    (void)state;
    assert_string_equal(errors("predicate p() as a < b < c;"),
                        "1:24: error[PGS0020]: unexpected \"<\"; expected \";\" or an operator\n");
}

static void
a_table_has_all_that_was_written(void **state)
{
    struct ast *ast =
        parse("table t (\n"
              "  id bigint primary key generated always as identity,\n"
              "  a s.u default 1 + 1 not null was b private,\n"
              "  c int constraint pos check (c > 0) unique references x.y (z)\n"
              "    on delete set null on update cascade,\n"
              "  type varchar(10)[] null,\n"
              "  unique (a, c),\n"
              "  constraint f foreign key (a, c) references v on delete restrict,\n"
              "  index i unique using gin (a desc nulls last, lower(c)) where c > 1,\n"
              ");\n");
    const struct ast_table *table;
    const struct ast_column *a, *c;

    (void)state;
    assert_int_equal(diag_errors(), 0);
    assert_int_equal(ast->tables.n, 1);
    table = ast->tables.at[0];
    assert_string_equal(table->name.text, "t");
    assert_int_equal(table->columns.n, 4);
    assert_int_equal(table->columns.at[0]->identity, AST_IDENTITY_ALWAYS);
    assert_int_equal(table->columns.at[0]->constraints.at[0]->kind, AST_PRIMARY_KEY);
    a = table->columns.at[1];
    assert_true(a->not_null && a->is_private && a->default_expr);
    assert_string_equal(a->was.text, "b");
    assert_string_equal(a->type->schema, "s");
    c = table->columns.at[2];
    assert_int_equal(c->constraints.n, 3);
    assert_string_equal(c->constraints.at[0]->name.text, "pos");
    assert_string_equal(c->constraints.at[2]->target.schema.text, "x");
    assert_string_equal(c->constraints.at[2]->target_columns.at[0].text, "z");
    assert_int_equal(c->constraints.at[2]->on_delete, AST_SET_NULL);
    assert_int_equal(c->constraints.at[2]->on_update, AST_CASCADE);
    assert_true(table->columns.at[3]->null);
    assert_int_equal(table->columns.at[3]->type->args[0], 10);
    assert_int_equal(table->columns.at[3]->type->dimensions, 1);
    assert_int_equal(table->constraints.n, 2);
    assert_int_equal(table->constraints.at[1]->columns.n, 2);
    assert_int_equal(table->constraints.at[1]->on_delete, AST_RESTRICT);
    assert_int_equal(table->indexes.n, 1);
    assert_true(table->indexes.at[0]->unique && table->indexes.at[0]->where);
    assert_string_equal(table->indexes.at[0]->method.text, "gin");
    assert_true(table->indexes.at[0]->items.at[0].descending);
    assert_int_equal(table->indexes.at[0]->items.at[0].nulls, 2);
}

static void
access_has_all_that_was_written(void **state)
{
    struct ast *ast = parse("role support when claim role = 'support' inherits authenticated;\n"
                            "claim plan text from 'app_metadata.plan';\n"
                            "predicate mine(id uuid) security definer as id = auth.uid();\n"
                            "grant select, insert (a, b), delete on t, s.u to x, y;\n"
                            "policy p on t as restrictive for select, update to x\n"
                            "  using (public) with check (\"public\" = 1);\n");
    const struct ast_grant *grant;
    const struct ast_policy *policy;

    (void)state;
    assert_int_equal(diag_errors(), 0);
    assert_string_equal(ast->roles.at[0]->claim_path.text, "role");
    assert_string_equal(ast->roles.at[0]->claim_value.text, "support");
    assert_string_equal(ast->roles.at[0]->inherits.text, "authenticated");
    assert_string_equal(ast->claims.at[0]->path.text, "app_metadata.plan");
    assert_true(ast->predicates.at[0]->definer);
    grant = ast->grants.at[0];
    assert_int_equal(grant->commands.n, 3);
    assert_int_equal(grant->commands.at[1].columns.n, 2);
    assert_int_equal(grant->tables.n, 2);
    assert_int_equal(grant->roles.n, 2);
    policy = ast->policies.at[0];
    assert_true(policy->restrictive);
    assert_int_equal(policy->commands.n, 2);
    assert_int_equal(policy->using_expr->kind, AST_PUBLIC);
    assert_int_equal(policy->check_expr->kind, AST_OP);
}

static void
what_is_served_has_all_that_was_written(void **state)
{
    struct ast *ast = parse("cors app { origins 'a', 'b'; max_age 10 min; credentials; }\n"
                            "endpoint s.t cors app scan ok;\n"
                            "endpoint t { list filter (a, b) order (a) limit 5 max 10; get;\n"
                            "  create; update; delete; cors app; scan ok; }\n"
                            "query q(a int default 1) returns setof t to x as\n"
                            "  select distinct t.*, a as b, c d from t left join u as v on x = y,\n"
                            "    w cross join z where a group by 1, 2 having b order by c desc\n"
                            "    limit 1 offset 2;\n"
                            "query r() returns table (a int, b text) to x as $$ select 1 $$;\n");
    const struct ast_verb *list;
    const struct ast_select *select;

    (void)state;
    assert_int_equal(diag_errors(), 0);
    assert_int_equal(ast->cors.at[0]->origins.n, 2);
    assert_int_equal(ast->cors.at[0]->max_age_s, 600);
    assert_true(ast->cors.at[0]->credentials);
    assert_false(ast->endpoints.at[0]->has_body);
    assert_true(ast->endpoints.at[0]->scan_ok);
    assert_int_equal(ast->endpoints.at[1]->verbs.n, 5);
    list = ast->endpoints.at[1]->verbs.at[0];
    assert_int_equal(list->filters.n, 2);
    assert_int_equal(list->limit, 5);
    assert_int_equal(list->max, 10);
    assert_true(ast->queries.at[0]->returns->setof);
    select = ast->queries.at[0]->select;
    assert_true(select->distinct && select->where && select->having);
    assert_int_equal(select->outputs.n, 3);
    assert_string_equal(select->outputs.at[0].expr->names.at[0].text, "t");
    assert_string_equal(select->outputs.at[2].alias.text, "d");
    assert_int_equal(select->from.n, 4);
    assert_int_equal(select->from.at[1].join, AST_JOIN_LEFT);
    assert_string_equal(select->from.at[1].alias.text, "v");
    assert_int_equal(select->from.at[3].join, AST_JOIN_CROSS);
    assert_int_equal(ast->queries.at[1]->returns_columns.n, 2);
    assert_string_equal(ast->queries.at[1]->raw.text, " select 1 ");
}

static void
several_errors_of_a_run_are_shown(void **state)
{
    (void)state;
    assert_string_equal(errors("app a\n"
                               "table t (a int not nul, b);\n"
                               "tabel u (a int);\n"
                               "endpoint t { list limit x; get; }\n"
                               "grant select on t to x;\n"
                               "claim ;\n"),
                        "2:1: error[PGS0020]: unexpected \"table\"; expected \";\"\n"
                        "2:20: error[PGS0020]: unexpected \"nul\"; expected deferrable or null\n"
                        "3:1: error[PGS0020]: no declaration begins with \"tabel\"\n"
                        "4:25: error[PGS0020]: unexpected \"x\"; expected a number\n"
                        "6:7: error[PGS0020]: unexpected \";\"; expected a name\n");
}

static void
what_could_not_be_read_is_known_by_name(void **state)
{
    struct ast *ast = parse("table a (b int not);\n"
                            "table order (b int);\n"
                            "view v as select 1 as one;\n"
                            "policy p on a for (b);\n");

    (void)state;
    assert_int_equal(ast->lost.n, 2);
    assert_string_equal(ast->lost.at[0].text, "a");
    assert_string_equal(ast->lost.at[1].text, "order");
    assert_true(ast->lost_rights);
    assert_int_equal(ast->views.n, 1);
}

static void
a_block_that_is_left_open_ends_with_the_next_declaration(void **state)
{
    (void)state;
    assert_string_equal(errors("endpoint t { get;\n"
                               "table t (a int);\n"
                               "grant select on t to;\n"),
                        "2:1: error[PGS0020]: unexpected \"table\"; expected \"}\", body, cors, "
                        "create, delete, get, inline, limit, list, scan, slow, update or within\n"
                        "3:21: error[PGS0020]: unexpected \";\"; expected a name\n");
}

static void
a_file_that_ends_too_early_says_where(void **state)
{
    (void)state;
    assert_string_equal(
        errors("app a"),
        "1:5: error[PGS0020]: the file ends within a declaration; expected \";\"\n");
    assert_string_equal(errors("sql $$ a\n"),
                        "1:5: error[PGS0012]: $$ is opened here and never closed\n");
    assert_string_equal(errors(""), "");
    assert_string_equal(errors(" -- nothing\n;;"), "");
}

static void
what_is_not_built_says_so_and_goes_on(void **state)
{
    (void)state;
    assert_string_equal(errors("endpoint t { list embed (a) limit 1; }\n"
                               "drop table x;\n"
                               "endpoint u { list embed (b); }\n"),
                        "1:19: error[PGS0022]: \"embed\" is not built yet\n"
                        "3:19: error[PGS0022]: \"embed\" is not built yet\n");
}

static void
what_is_said_twice_is_an_error(void **state)
{
    (void)state;
    assert_string_equal(errors("table t (a int null null default 1 default 2);\n"
                               "policy p on t to a to b using (x) using (y);\n"
                               "role r inherits a inherits b;\n"),
                        "1:21: error[PGS0023]: \"null\" is here for the second time\n"
                        "1:36: error[PGS0023]: \"default\" is here for the second time\n"
                        "2:20: error[PGS0023]: \"to\" is here for the second time\n"
                        "2:35: error[PGS0023]: \"using\" is here for the second time\n"
                        "3:19: error[PGS0023]: \"inherits\" is here for the second time\n");
}

/* `unit` many times between `begin` and `end`. */
static const char *
repeated(const char *begin, const char *unit, int times, const char *end)
{
    struct str text = {0};

    str_puts(&text, begin);
    for (int i = 0; i < times; i++)
        str_puts(&text, unit);
    str_puts(&text, end);
    return text.at;
}

static void
depth_is_bounded(void **state)
{
    static const char *const units[] = {
        "(", "not ", "- ", "a + ", "a or ", "(select ", "case when ", "f(", "array[", "x and (",
    };

    (void)state;
    for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++) {
        diag_reset();
        parse(repeated("predicate p() as ", units[i], 100000, "a; table t (a int);"));
        assert_int_equal(diag_errors(), 1);
    }
    diag_reset();
    parse(repeated("predicate p() as a", " or a", 300, ";"));
    parse(repeated("predicate p() as a", "::int", 300, ";"));
    assert_int_equal(diag_errors(), 0);
    parse(repeated("predicate p() as a", "::int", 100000, ";"));
    assert_int_equal(diag_errors(), 1);
}

static void
keywords_are_names_where_they_can_be(void **state)
{
    static const char *const reserved[] = {
        "all",
        "and",
        "any",
        "array",
        "as",
        "asc",
        "between",
        "case",
        "cast",
        "check",
        "constraint",
        "create",
        "cross",
        "current_date",
        "current_time",
        "current_timestamp",
        "default",
        "desc",
        "distinct",
        "else",
        "end",
        "escape",
        "except",
        "exists",
        "extract",
        "false",
        "for",
        "foreign",
        "from",
        "full",
        "grant",
        "group",
        "having",
        "ilike",
        "in",
        "inner",
        "intersect",
        "is",
        "join",
        "lateral",
        "left",
        "like",
        "limit",
        "localtime",
        "localtimestamp",
        "natural",
        "not",
        "null",
        "offset",
        "on",
        "or",
        "order",
        "outer",
        "primary",
        "references",
        "right",
        "row",
        "select",
        "similar",
        "some",
        "table",
        "then",
        "to",
        "true",
        "union",
        "unique",
        "using",
        "when",
        "where",
        "with",
        "fetch",
        "returning",
        "window",
    };
    static const char *const words[] = {
#define KEYWORD(word, token) #word,
#include "syntax/keywords.def"
#undef KEYWORD
    };

    (void)state;
    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
        bool is_reserved = false;

        for (size_t j = 0; j < sizeof(reserved) / sizeof(reserved[0]); j++)
            is_reserved |= strcmp(words[i], reserved[j]) == 0;
        diag_reset();
        parse(arena_printf("view v as select t.%s, %s + 1 as %s from %s;", words[i], words[i],
                           words[i], words[i]));
        assert_int_equal(diag_errors() != 0, is_reserved);
    }
}

static void
bytes_that_are_no_text_are_errors(void **state)
{
    struct ast ast = {0};

    (void)state;
    assert_string_equal(errors("app a\xff;"), "1:6: error[PGS0003]: byte 0xff is not UTF-8 here\n");
    diag_reset();
    parse_source(&ast, source_from_text("a.schema", "app\0a;", 6));
    assert_int_equal(diag_errors(), 1);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(precedence_is_that_of_postgresql, reset),
        cmocka_unit_test_teardown(comparisons_do_not_chain, reset),
        cmocka_unit_test_teardown(a_table_has_all_that_was_written, reset),
        cmocka_unit_test_teardown(access_has_all_that_was_written, reset),
        cmocka_unit_test_teardown(what_is_served_has_all_that_was_written, reset),
        cmocka_unit_test_teardown(several_errors_of_a_run_are_shown, reset),
        cmocka_unit_test_teardown(what_could_not_be_read_is_known_by_name, reset),
        cmocka_unit_test_teardown(a_block_that_is_left_open_ends_with_the_next_declaration, reset),
        cmocka_unit_test_teardown(a_file_that_ends_too_early_says_where, reset),
        cmocka_unit_test_teardown(what_is_not_built_says_so_and_goes_on, reset),
        cmocka_unit_test_teardown(what_is_said_twice_is_an_error, reset),
        cmocka_unit_test_teardown(depth_is_bounded, reset),
        cmocka_unit_test_teardown(keywords_are_names_where_they_can_be, reset),
        cmocka_unit_test_teardown(bytes_that_are_no_text_are_errors, reset),
    };

    return cmocka_run_group_tests_name("codegen_parse", tests, NULL, NULL);
}
