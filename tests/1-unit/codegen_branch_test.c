/* SPDX-License-Identifier: MIT */
/* The normal form of conditions, and what it ties to the caller. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/arena.h"
#include "rights/branch.h"
#include "check/checker.h"
#include "passes/check.h"
#include "syntax/parse.h"
#include "text/diag.h"

static const char heading[] =
    "pgstack 1;\napp demo;\n"
    "claim tenant uuid from 'app_metadata.tenant';\n"
    "claim is_boss boolean from 'app_metadata.boss';\n"
    "table member (team uuid not null, who uuid not null, primary key (team, who), index (who));\n"
    "table open_list (id uuid primary key, word text not null);\n"
    "table doc (id uuid primary key, team uuid not null, owner uuid not null, org uuid not null,\n"
    "  done boolean not null, note text, index (team), index (owner), index (org));\n"
    "grant select on member, doc, open_list to authenticated;\n"
    "policy members on member for select to authenticated using (who = auth.uid());\n"
    "policy words on open_list for select to authenticated using (public);\n"
    "predicate mine(x uuid) as x = auth.uid();\n"
    "predicate in_team(t uuid) as\n"
    "  exists (select 1 from member m where m.team = t and m.who = auth.uid());\n";

/* The model with the condition as the last policy, on doc. */
static const struct policy *
policy_with(const char *condition)
{
    struct ast ast = {0};
    const struct model *model;
    const char *text = arena_printf("%spolicy p on doc for select to authenticated using (%s);\n",
                                    heading, condition);

    diag_reset();
    parse_source(&ast, source_from_text("demo.schema", text, strlen(text)));
    model = check_project(&ast);
    if (!model)
        diag_print(stderr, false);
    assert_non_null(model);
    return model->policies.at[model->policies.n - 1];
}

static struct branches
branches_of(const char *condition)
{
    struct branches branches = {0};

    assert_true(check_branches(policy_with(condition)->using_expr, &branches));
    return branches;
}

static void
or_makes_branches_and_makes_atoms(void **state)
{
    struct branches branches = branches_of("owner = auth.uid() or (team = tenant and not done)");

    (void)state;
    assert_int_equal(branches.n, 2);
    assert_int_equal(branches.at[0].atoms.n, 1);
    assert_int_equal(branches.at[1].atoms.n, 2);
    assert_true(branches.at[1].atoms.at[1].negated);
}

static void
not_goes_down_to_the_atoms(void **state)
{
    struct branches branches = branches_of("owner = auth.uid() and not (done or note is null)");

    (void)state;
    assert_int_equal(branches.n, 1);
    assert_int_equal(branches.at[0].atoms.n, 3);
    assert_false(branches.at[0].atoms.at[0].negated);
    assert_true(branches.at[0].atoms.at[1].negated && branches.at[0].atoms.at[2].negated);
}

static void
what_is_said_twice_is_left_out(void **state)
{
    struct branches branches =
        branches_of("(owner = auth.uid() or done) and (owner = auth.uid() or note = 'a') and "
                    "(mine(owner) or note = 'b') and (owner = auth.uid() or note = 'c') and "
                    "(owner = auth.uid() or note = 'd') and (mine(owner) or note = 'e') and "
                    "(owner = auth.uid() or note = 'f') and (owner = auth.uid() or note = 'g')");

    (void)state;
    assert_int_equal(branches.n, 2);
    assert_int_equal(branches.at[0].atoms.n, 1);
    assert_int_equal(branches.at[1].atoms.n, 8);
}

/* Each predicate calls the one before it twice: what is too long is refused, not looked into. */
static void
predicates_are_counted_before_they_are_read(void **state)
{
    struct ast ast = {0};
    const char *text = heading;

    (void)state;
    for (int i = 0; i < 300; i++)
        text = arena_printf("%spredicate p%d(x uuid)%s as %s;\n", text, i,
                            i % 2 ? " security definer" : "",
                            i == 0 ? "mine(x)" : arena_printf("p%d(x) or p%d(x)", i - 1, i - 1));
    text =
        arena_printf("%spolicy p on doc for select to authenticated using (p299(owner));\n", text);
    diag_reset();
    parse_source(&ast, source_from_text("demo.schema", text, strlen(text)));
    assert_null(check_project(&ast));
    assert_int_equal(diag_errors(), 1);
}

/* How the only branch holds a column of doc. */
static enum tie
tie_of(const char *condition, const char *column)
{
    const struct policy *policy = policy_with(condition);
    struct branches branches = {0};

    assert_true(check_branches(policy->using_expr, &branches));
    assert_int_equal(branches.n, 1);
    return check_tie(&branches.at[0], NULL, check_column_named(policy->table, column),
                     policy->roles.at[0]);
}

static void
a_column_is_tied_to_the_caller(void **state)
{
    (void)state;
    assert_int_equal(tie_of("owner = auth.uid()", "owner"), TIE_SELF);
    assert_int_equal(tie_of("owner = auth.uid()", "team"), TIE_NONE);
    assert_int_equal(tie_of("mine(owner)", "owner"), TIE_SELF);
    assert_int_equal(tie_of("owner = (select auth.uid())", "owner"), TIE_SELF);
    assert_int_equal(tie_of("org = owner and owner = auth.uid()", "org"), TIE_SELF);
    assert_int_equal(tie_of("org = tenant", "org"), TIE_CLAIM);
    assert_int_equal(tie_of("in_team(team)", "team"), TIE_LOOKUP);
    assert_int_equal(tie_of("team in (select m.team from member m)", "team"), TIE_LOOKUP);
    assert_int_equal(tie_of("owner = auth.uid() and done", "done"), TIE_CONSTANT);
    assert_int_equal(tie_of("org = tenant and owner <> auth.uid()", "owner"), TIE_NONE);
    assert_int_equal(tie_of("org = tenant and note in (select word from open_list)", "note"),
                     TIE_CONSTANT);
}

static bool
is_gated(const char *condition)
{
    const struct policy *policy = policy_with(condition);
    struct branches branches = {0};

    assert_true(check_branches(policy->using_expr, &branches));
    return check_is_gated(&branches.at[0], policy->roles.at[0]);
}

static void
a_gate_asks_for_somebody_whatever_the_row(void **state)
{
    (void)state;
    assert_true(is_gated("is_boss"));
    assert_true(is_gated("is_boss is true and done"));
    assert_false(is_gated("org = tenant"));
    assert_false(is_gated("auth.uid() is not null and owner = auth.uid()"));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(or_makes_branches_and_makes_atoms),
        cmocka_unit_test(not_goes_down_to_the_atoms),
        cmocka_unit_test(what_is_said_twice_is_left_out),
        cmocka_unit_test(predicates_are_counted_before_they_are_read),
        cmocka_unit_test(a_column_is_tied_to_the_caller),
        cmocka_unit_test(a_gate_asks_for_somebody_whatever_the_row),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
