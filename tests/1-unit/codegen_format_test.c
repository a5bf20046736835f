/* SPDX-License-Identifier: MIT */
/*
 * The canonical form: of what is written here, and of every schema of the repository, as it stands
 * and with other white space and with comments put anywhere.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <dirent.h>
#include <sys/stat.h>

#include <cmocka.h>

#include "base/arena.h"
#include "base/str.h"
#include "format/format.h"
#include "syntax/lexer.h"
#include "text/diag.h"

static int
reset(void **state)
{
    (void)state;
    diag_reset();
    arena_reset();
    return 0;
}

static const char *
format_text(const char *text)
{
    return format_source(source_from_text("x.schema", text, strlen(text)));
}

static void
expect(const char *text, const char *formatted)
{
    const char *got = format_text(text);

    assert_non_null(got);
    assert_string_equal(got, formatted);
    assert_string_equal(format_text(got), formatted);
}

/* ---- forms ---- */

static void
a_table_has_an_item_a_line(void **state)
{
    (void)state;
    expect("TABLE note(id bigint PRIMARY KEY,owner_id uuid NOT NULL  default auth.uid (),"
           "index(owner_id))\n;",
           "table note (\n"
           "  id        bigint primary key,\n"
           "  owner_id  uuid not null default auth.uid(),\n"
           "  index (owner_id),\n"
           ");\n");
    expect("table t (a int, b text references public.x(id));",
           "table t (\n  a  int,\n  b  text references public.x (id),\n);\n");
    expect("table t (\"A b\" int, é text);", "table t (\n  \"A b\"  int,\n  é      text,\n);\n");
}

static void
comments_and_groups_stay(void **state)
{
    (void)state;
    expect("-- one\n\n\n\n-- two\npgstack 1; -- three\n\n\n\napp a; /* four */ table t ( -- five\n"
           "  a int -- six\n  , -- seven\n\n\n  -- eight\n  b int -- nine\n -- ten\n);\n-- eleven",
           "-- one\n\n-- two\npgstack 1;  -- three\n\napp a;\n/* four */ table t (  -- five\n"
           "  a  int,  -- six\n  -- seven\n\n  -- eight\n  b  int,  -- nine\n  -- ten\n);\n-- "
           "eleven\n");
}

static void
comments_at_line_ends_are_aligned(void **state)
{
    (void)state;
    expect("pgstack 1; -- a\napp demo; -- b\n\nrole x; -- c",
           "pgstack 1;  -- a\napp demo;   -- b\n\nrole x;  -- c\n");
}

static void
strings_and_raw_sql_are_not_touched(void **state)
{
    (void)state;
    expect("sql $$  SELECT\n  1 $$  down $x$ $$ $x$;", "sql $$  SELECT\n  1 $$ down $x$ $$ $x$;\n");
    expect("claim Plan TEXT from 'A  b';", "claim Plan TEXT from 'A  b';\n");
    expect("predicate p() as E'\\n'='x''y'and U.\"Q\"=$$ a  b $$;",
           "predicate p() as\n  E'\\n' = 'x''y' and U.\"Q\" = $$ a  b $$;\n");
}

static void
operators_keep_their_meaning(void **state)
{
    (void)state;
    expect("predicate p() as - -1 - - a * -b[1] [2]::int4 = +1 and x-1>-2 and not-a < - .5;",
           "predicate p() as\n"
           "  - -1 - -a * -b[1][2]::int4 = +1 and x - 1 > -2 and not -a < -.5;\n");
    expect("predicate p() as a != @ -1 and b <> array [1,2] [1] and c[1 : 2] = x . y . z;",
           "predicate p() as\n"
           "  a != @ -1 and b <> array[1, 2][1] and c[1:2] = x.y.z;\n");
}

static void
a_long_policy_has_a_clause_a_line(void **state)
{
    (void)state;
    expect("policy one on note for select to authenticated using (owner_id=auth.uid());",
           "policy one on note for select to authenticated using (owner_id = auth.uid());\n");
    expect(
        "policy one on note for select, insert to authenticated using (owner_id = auth.uid() and "
        "state in ('a','b')) with check (exists (select 1 from member m where m.team_id = team_id "
        "and "
        "m.user_id = auth.uid() or m.everyone_in_the_team between 1 and 2));",
        "policy one on note for select, insert to authenticated\n"
        "  using (owner_id = auth.uid() and state in ('a', 'b'))\n"
        "  with check (\n"
        "    exists (\n"
        "      select 1\n"
        "        from member m\n"
        "       where m.team_id = team_id and m.user_id = auth.uid()\n"
        "          or m.everyone_in_the_team between 1 and 2\n"
        "    )\n"
        "  );\n");
}

static void
words_that_begin_items_may_be_columns(void **state)
{
    (void)state;
    expect("table t (soft text, a_long_name int, deleted_at timestamptz, soft delete deleted_at, "
           "drop column old) partition by range (a_long_name);",
           "table t (\n"
           "  soft         text,\n"
           "  a_long_name  int,\n"
           "  deleted_at   timestamptz,\n"
           "  soft delete deleted_at,\n"
           "  drop column old,\n"
           ") partition by range (a_long_name);\n");
}

static void
functions_domains_and_statements(void **state)
{
    (void)state;
    expect("function total(of_room text, since timestamptz default now()) returns numeric to "
           "authenticated stable security definer set search_path = '' as select 1;",
           "function total(of_room text, since timestamptz default now())\n"
           "  returns numeric to authenticated stable security definer set search_path = '' as\n"
           "  select 1;\n");
    expect("domain percent as int not null default 10 check (value between 0 and 100) constraint "
           "odd check (value % 2 = 1 and value <> 77);",
           "domain percent as int not null default 10\n"
           "  check (value between 0 and 100)\n"
           "  constraint odd check (value % 2 = 1 and value <> 77);\n");
    expect("view v as select id, room from booking where price > 3 and room is not null union all "
           "select id, kind from event where at > now() order by id;",
           "view v as\n"
           "  select id, room\n"
           "    from booking\n"
           "   where price > 3 and room is not null\n"
           "   union all\n"
           "  select id, kind\n"
           "    from event\n"
           "   where at > now()\n"
           "   order by id;\n");
    expect("function f(a text, b text) returns void as insert into booking (room, price) values "
           "(a, b), (b, a) on conflict (room) do update set price = excluded.price;",
           "function f(a text, b text) returns void as\n"
           "  insert into booking (room, price)\n"
           "  values (a, b), (b, a)\n"
           "      on conflict (room) do update\n"
           "     set price = excluded.price;\n");
}

static void
blocks_have_a_statement_a_line(void **state)
{
    (void)state;
    expect("endpoint a{list;}endpoint b { list; get }", "endpoint a { list; }\n"
                                                        "endpoint b { list; get }\n");
    expect("endpoint b { list; get; }", "endpoint b {\n  list;\n  get;\n}\n");
}

/* ---- every schema ---- */

static uint32_t seed = 1;

static uint32_t
random_below(uint32_t n)
{
    seed = seed * 1664525u + 1013904223u;
    return (seed >> 8) % n;
}

/* The same tokens, with something between them. */
static const char *
with_noise(const struct source *source)
{
    static const char *const noise[] = {" ",
                                        "\n",
                                        "\n\n\n",
                                        "\t",
                                        " -- c\n",
                                        "\n  -- own\n",
                                        " /* b */ ",
                                        "\n/* c */\n",
                                        " /* d\n   e */\n",
                                        "\n\n-- f\n\n\n-- g\n"};
    struct str out = {0};
    struct lexer lexer;
    struct token token;
    bool wild = random_below(2);

    str_puts(&out, "");
    lex_open(&lexer, source);
    while ((token = lex_next(&lexer)).kind) {
        str_add(&out, source->text + token.span.start, token.span.end - token.span.start);
        str_puts(&out, noise[random_below(4) ? 0 : random_below(wild ? 10 : 4)]);
    }
    return out.at;
}

/* Comments less their white space. */
static size_t
count(const char *text, const char *what)
{
    size_t n = 0;

    for (const char *at = strstr(text, what); at; at = strstr(at + 1, what))
        n++;
    return n;
}

/* A little before it. */
static size_t
first_difference(const char *a, const char *b)
{
    size_t i = 0;

    while (a[i] && a[i] == b[i])
        i++;
    return i > 150 ? i - 150 : 0;
}

static void
expect_stable(const char *path, const char *text)
{
    const char *once = format_text(text), *twice;

    if (!once)
        fail_msg("%s: the form means something else than\n%s", path, text);
    twice = format_text(once);
    if (!twice || strcmp(once, twice) != 0) {
        size_t at = twice ? first_difference(once, twice) : 0;

        fail_msg("%s: not stable\n---- once\n%.300s\n---- twice\n%.300s", path, once + at,
                 twice ? twice + at : "");
    }
    assert_int_equal(count(text, "-- c"), count(once, "-- c"));
    assert_int_equal(count(text, "-- own"), count(once, "-- own"));
    assert_int_equal(count(text, "/* b */"), count(once, "/* b */"));
    assert_int_equal(count(text, "/* d\n   e */"), count(once, "/* d\n   e */"));
}

static void
try_file(const char *path)
{
    struct source *source = source_read(NULL, path);

    if (!source || source_bad_byte(source) < source->len)
        return;
    source = source_without_returns(source);
    if (!format_checked(source))
        return; /* it has a syntax error, or it would have failed below */
    expect_stable(path, source->text);
    for (int i = 0; i < 8; i++)
        expect_stable(path, with_noise(source));
}

static size_t
try_folder(const char *folder, const char *suffix)
{
    DIR *dir = opendir(folder);
    const struct dirent *entry;
    size_t n = 0;

    while (dir && (entry = readdir(dir))) {
        char path[1024];
        struct stat st;

        snprintf(path, sizeof(path), "%s/%s", folder, entry->d_name);
        if (entry->d_name[0] == '.' || strcmp(entry->d_name, "node_modules") == 0 ||
            strcmp(entry->d_name, "build") == 0 || lstat(path, &st) != 0)
            continue;
        if (S_ISDIR(st.st_mode)) {
            n += try_folder(path, suffix);
        } else if (strlen(path) > strlen(suffix) &&
                   strcmp(path + strlen(path) - strlen(suffix), suffix) == 0) {
            n++;
            try_file(path);
            reset(NULL);
        }
    }
    if (dir)
        closedir(dir);
    return n;
}

static void
every_schema_of_the_repository(void **state)
{
    (void)state;
    assert_true(try_folder(".", ".schema") > 100);
    try_file("pgstack.schema.example");
}

static void
every_seed_of_the_fuzzers(void **state)
{
    (void)state;
    assert_true(try_folder("tests/fuzz/corpus/schema", "") > 3);
    try_folder("tests/fuzz/corpus/check", "");
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(a_table_has_an_item_a_line, reset),
        cmocka_unit_test_setup(comments_and_groups_stay, reset),
        cmocka_unit_test_setup(comments_at_line_ends_are_aligned, reset),
        cmocka_unit_test_setup(strings_and_raw_sql_are_not_touched, reset),
        cmocka_unit_test_setup(operators_keep_their_meaning, reset),
        cmocka_unit_test_setup(a_long_policy_has_a_clause_a_line, reset),
        cmocka_unit_test_setup(words_that_begin_items_may_be_columns, reset),
        cmocka_unit_test_setup(functions_domains_and_statements, reset),
        cmocka_unit_test_setup(blocks_have_a_statement_a_line, reset),
        cmocka_unit_test_setup(every_schema_of_the_repository, reset),
        cmocka_unit_test_setup(every_seed_of_the_fuzzers, reset),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
