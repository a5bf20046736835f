/* SPDX-License-Identifier: MIT */
/* Types: spellings, casts, common types; and which function or operator a call means. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "model/functions.h"
#include "model/types.h"

static struct type
t(const char *spelling)
{
    struct type type = {0};
    size_t len = strlen(spelling);
    bool array = len > 2 && strcmp(spelling + len - 2, "[]") == 0;

    if (strcmp(spelling, "?") == 0)
        return type_scalar(TYPE_UNKNOWN);
    assert_true(type_find(arena_copy(spelling, array ? len - 2 : len), &type));
    type.array = array;
    return type;
}

static void
spellings_lead_to_one_type(void **state)
{
    struct type type;

    (void)state;
    assert_true(type_same(t("int"), t("integer")));
    assert_true(type_same(t("timestamptz"), t("timestamp with time zone")));
    assert_string_equal(type_text(t("float8")), "double precision");
    assert_string_equal(type_text(t("text[]")), "text[]");
    assert_false(type_find("txt", &type));
    assert_int_equal(type_info(TYPE_INT8)->oid, 20);
    assert_null(type_info(TYPE_ENUM));
}

static void
casts_are_those_of_postgresql(void **state)
{
    (void)state;
    assert_int_equal(type_cast_kind(t("int"), t("bigint")), CAST_IMPLICIT);
    assert_int_equal(type_cast_kind(t("bigint"), t("int")), CAST_ASSIGNMENT);
    assert_int_equal(type_cast_kind(t("int"), t("boolean")), CAST_EXPLICIT);
    assert_int_equal(type_cast_kind(t("date"), t("timestamptz")), CAST_IMPLICIT);
    assert_int_equal(type_cast_kind(t("timestamptz"), t("date")), CAST_ASSIGNMENT);
    assert_int_equal(type_cast_kind(t("uuid"), t("text")), CAST_ASSIGNMENT);
    assert_int_equal(type_cast_kind(t("text"), t("uuid")), CAST_EXPLICIT);
    assert_int_equal(type_cast_kind(t("uuid"), t("bigint")), CAST_NONE);
    assert_int_equal(type_cast_kind(t("int[]"), t("bigint[]")), CAST_IMPLICIT);
    assert_int_equal(type_cast_kind(t("int[]"), t("int")), CAST_NONE);
}

static void
expect_common(const char *a, const char *b, const char *common)
{
    struct type type;

    assert_true(type_common(t(a), t(b), &type));
    assert_string_equal(type_text(type), common);
    assert_true(type_common(t(b), t(a), &type));
    assert_string_equal(type_text(type), common);
}

static void
two_types_meet(void **state)
{
    struct type type;

    (void)state;
    expect_common("int", "bigint", "bigint");
    expect_common("int", "numeric", "numeric");
    expect_common("date", "timestamptz", "timestamptz");
    expect_common("?", "uuid", "uuid");
    /* each becomes the other by itself: the first stays */
    assert_true(type_common(t("varchar"), t("text"), &type));
    assert_string_equal(type_text(type), "varchar");
    assert_true(type_common(t("text"), t("varchar"), &type));
    assert_string_equal(type_text(type), "text");
    assert_false(type_common(t("uuid"), t("text"), &type));
    assert_false(type_common(t("int"), t("text"), &type));
}

static void
expect_operator(const char *left, const char *symbol, const char *right, const char *result)
{
    struct type types[] = {t(left), t(right)};
    struct resolution found;
    bool is_there = operator_resolve(symbol, types, 2, &found);

    if (is_there != (result != NULL))
        fail_msg("%s %s %s: %s", left, symbol, right, is_there ? type_text(found.result) : "none");
    if (result)
        assert_string_equal(type_text(found.result), result);
}

static void
operators_follow_their_operands(void **state)
{
    (void)state;
    expect_operator("int", "+", "int", "integer");
    expect_operator("smallint", "*", "numeric", "numeric");
    expect_operator("date", "-", "date", "integer");
    expect_operator("date", "+", "int", "date");
    expect_operator("timestamptz", "-", "interval", "timestamptz");
    expect_operator("timestamptz", "-", "?", "interval");
    expect_operator("uuid", "=", "?", "boolean");
    expect_operator("uuid", "=", "text", NULL);
    expect_operator("jsonb", "->>", "?", "text");
    expect_operator("jsonb", "->", "int", "jsonb");
    expect_operator("text", "||", "int", "text");
    expect_operator("text[]", "||", "text", "text[]");
    expect_operator("text[]", "@>", "?", "boolean");
    expect_operator("boolean", "+", "int", NULL);
}

static void
expect_function(const char *name, const char *arg, const char *result)
{
    struct type types[] = {t(arg)};
    struct resolution found;
    bool is_there = function_resolve(name, types, 1, &found);

    assert_true(is_there == (result != NULL));
    if (result)
        assert_string_equal(type_text(found.result), result);
}

static void
functions_follow_their_arguments(void **state)
{
    (void)state;
    expect_function("lower", "varchar", "text");
    expect_function("lower", "int", NULL);
    expect_function("sum", "int", "bigint");
    expect_function("sum", "bigint", "numeric");
    expect_function("avg", "real", "double precision");
    expect_function("max", "date", "date");
    expect_function("array_agg", "uuid", "uuid[]");
    expect_function("round", "int", "double precision");
    expect_function("round", "numeric", "numeric");
    expect_function("abs", "smallint", "smallint");
    expect_function("coalesce", "uuid", "uuid");
    expect_function("cardinality", "text[]", "integer");
    expect_function("cardinality", "text", NULL);
    assert_null(function_find("nowhere"));
    assert_true(function_find("count")->aggregate);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(spellings_lead_to_one_type),
        cmocka_unit_test(casts_are_those_of_postgresql),
        cmocka_unit_test(two_types_meet),
        cmocka_unit_test(operators_follow_their_operands),
        cmocka_unit_test(functions_follow_their_arguments),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
