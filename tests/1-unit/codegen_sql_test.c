/* SPDX-License-Identifier: MIT */
/* Expressions from the schema language to the model to SQL: parentheses, aliases, claims. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "passes/check.h"
#include "text/diag.h"
#include "syntax/parse.h"
#include "sql/sql.h"

static const char heading[] =
    "pgstack 1;\n"
    "app demo;\n"
    "type state as enum ('open', 'done');\n"
    "claim plan text from 'app_metadata.plan';\n"
    "table m (id bigint primary key, owner uuid not null, n int not null, s state not null,\n"
    "  \"Order\" int, index (owner));\n"
    "table team (id bigint primary key);\n"
    "table member (team_id bigint, user_id uuid, primary key (team_id, user_id), index "
    "(user_id));\n"
    "grant select on m, team, member to authenticated;\n"
    "policy members on member for select to authenticated using (user_id = auth.uid());\n"
    "policy teams on team for select to authenticated using (public);\n"
    "predicate in_team(t bigint) as\n"
    "  exists (select 1 from member m where m.team_id = t and m.user_id = auth.uid());\n"
    "predicate either(a boolean, b boolean) as a or b;\n"
    "predicate wide(t bigint) security definer as\n"
    "  exists (select 1 from member where member.team_id = t and member.user_id = auth.uid());\n";

/* The condition of a policy on m, as it stands in the migration. */
static const char *
policy_sql(const char *condition)
{
    struct ast ast = {0};
    const struct model *model;
    const char *text;

    diag_reset();
    text = arena_printf("%spolicy p on m for select to authenticated using (%s);\n", heading,
                        condition);
    parse_source(&ast, source_from_text("demo.schema", text, strlen(text)));
    model = check_project(&ast);
    if (!model)
        diag_print(stderr, false);
    assert_non_null(model);
    return sql_expr(model->policies.at[model->policies.n - 1]->using_expr, SQL_POLICY);
}

static void
expect(const char *condition, const char *sql)
{
    assert_string_equal(policy_sql(condition), sql);
}

/* What the server asks of a live query that ends like this. */
static void
expect_live(const char *end, const char *sql)
{
    struct ast ast = {0};
    const struct model *model;
    const char *text;

    diag_reset();
    text = arena_printf("%spolicy p on m for select to authenticated using (owner = auth.uid());\n"
                        "live q(most bigint) to authenticated as\n"
                        "  select id from m where owner = auth.uid() order by id%s;\n",
                        heading, end);
    parse_source(&ast, source_from_text("demo.schema", text, strlen(text)));
    model = check_project(&ast);
    if (!model)
        diag_print(stderr, false);
    assert_non_null(model);
    assert_string_equal(sql_live_select(model->lives.at[0]->body), sql);
}

#define LIVE "select id from public.m where owner = (select auth.uid()) order by id"

static void
live_results_end_behind_one_too_many(void **state)
{
    (void)state;
    expect_live("", LIVE " limit 10001");
    expect_live(" limit 10000", LIVE " limit 10000");
    expect_live(" limit 10001", "select * from (" LIVE " limit 10001) as found limit 10001");
    expect_live(" limit most", "select * from (" LIVE " limit $1::bigint) as found limit 10001");
}

static void
claims_are_read_once_a_query(void **state)
{
    (void)state;
    expect("owner = auth.uid()", "owner = (select auth.uid())");
    expect("n > 1 and plan = 'pro'", "n > 1 and (select claim.plan()) = 'pro'");
}

static void
parentheses_stand_where_they_must(void **state)
{
    (void)state;
    expect("(n = 1 or n = 2) and n <> 3", "(n = 1 or n = 2) and n <> 3");
    expect("n = 1 or (n = 2 and n <> 3)", "n = 1 or n = 2 and n <> 3");
    expect("not (n = 1 and n = 2)", "not (n = 1 and n = 2)");
    expect("n - (n - 1) = (n + 1) * 2", "n - (n - 1) = (n + 1) * 2");
    expect("(n = 1) = (n = 2)", "(n = 1) = (n = 2)");
    expect("-(-n) = 1", "-(-n) = 1");
    expect("n between 1 and 2 + 3", "n between 1 and 2 + 3");
    expect("(n + 1)::text = 'a'", "(n + 1)::text = 'a'");
    expect("s in ('open', 'done')", "s in ('open', 'done')");
    expect("\"Order\" is not null", "\"Order\" is not null");
    expect("$$ n = 1 or n = 2 $$ and n > 0", "( n = 1 or n = 2 ) and n > 0");
}

static void
predicates_keep_their_aliases_apart(void **state)
{
    (void)state;
    /* the row's table is called m as well */
    expect("in_team(id)", "exists (select 1 from public.member m_1 where m_1.team_id = m.id and "
                          "m_1.user_id = (select auth.uid()))");
    expect("exists (select 1 from team member where member.id = m.id and in_team(member.id))",
           "exists (select 1 from public.team member where member.id = m.id and "
           "exists (select 1 from public.member m_1 where m_1.team_id = member.id and "
           "m_1.user_id = (select auth.uid())))");
}

static void
predicates_take_their_arguments_with_parentheses(void **state)
{
    (void)state;
    expect("either(n = 1, n = 2) and n > 0", "(n = 1 or n = 2) and n > 0");
    expect("not either(n = 1, n = 2)", "not (n = 1 or n = 2)");
    expect("either(n = 1 and n = 2, either(n = 3, n = 4))", "n = 1 and n = 2 or (n = 3 or n = 4)");
}

static void
arguments_have_the_type_of_their_parameter(void **state)
{
    (void)state;
    expect("in_team(n)", "exists (select 1 from public.member m_1 where m_1.team_id = "
                         "m.n::bigint and m_1.user_id = (select auth.uid()))");
}

static void
definer_predicates_are_called(void **state)
{
    (void)state;
    expect("wide(id) and n > 0", "pgstack_policy.wide(id) and n > 0");
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(live_results_end_behind_one_too_many),
        cmocka_unit_test(claims_are_read_once_a_query),
        cmocka_unit_test(parentheses_stand_where_they_must),
        cmocka_unit_test(predicates_keep_their_aliases_apart),
        cmocka_unit_test(predicates_take_their_arguments_with_parentheses),
        cmocka_unit_test(arguments_have_the_type_of_their_parameter),
        cmocka_unit_test(definer_predicates_are_called),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
