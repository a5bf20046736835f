/* SPDX-License-Identifier: MIT */
/* What the project shows to readers compiles: the example, and the root application. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "passes/check.h"
#include "text/diag.h"
#include "syntax/parse.h"

static int
reset(void **state)
{
    (void)state;
    diag_reset();
    return 0;
}

static void
expect_clean(const struct ast *ast)
{
    const struct model *model = check_project(ast);

    diag_print(stderr, false);
    assert_int_equal(diag_errors(), 0);
    assert_int_equal(diag_warnings(), 0);
    assert_non_null(model);
}

static void
the_example_compiles(void **state)
{
    struct ast ast = {0};

    (void)state;
    parse_file(&ast, NULL, "pgstack.schema.example");
    expect_clean(&ast);
    assert_true(ast.sqls.n && ast.views.n && ast.roles.n && ast.claims.n && ast.predicates.n);
    assert_true(ast.cors.n && ast.endpoints.n && ast.queries.n);
    assert_true(ast.functions.n && ast.range_types.n && ast.triggers.n && ast.domains.n &&
                ast.composites.n);
    assert_true(ast.schemas.n && ast.extensions.n && ast.comments.n);
}

static void
the_root_application_compiles(void **state)
{
    struct ast ast = {0};

    (void)state;
    parse_project(&ast, ".");
    assert_true(ast.files.n >= 2);
    expect_clean(&ast);
}

static void
a_folder_without_sources_is_an_error(void **state)
{
    struct ast ast = {0};

    (void)state;
    parse_project(&ast, "docs");
    assert_int_equal(diag_errors(), 1);
    parse_file(&ast, "docs", "nothing.schema");
    assert_int_equal(diag_errors(), 2);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(the_example_compiles, reset),
        cmocka_unit_test_teardown(the_root_application_compiles, reset),
        cmocka_unit_test_teardown(a_folder_without_sources_is_an_error, reset),
    };

    return cmocka_run_group_tests_name("codegen_example", tests, NULL, NULL);
}
