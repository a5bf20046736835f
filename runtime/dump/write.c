/* SPDX-License-Identifier: MIT */
/* The writes of a relation: insert.c, change.c and written.c of rest/. */
#include "dump/put.h"

/* A write by itself, or within a `with` where its rows are sorted or must be one. */
static void
dump_write(FILE *out, const struct pgs__subject *subject, const char *rule)
{
    (void)fputs("statement = ", out);
    pgs__put_rule(out, subject, rule);
    pgs__put_optional(out, subject, "returning");
    (void)fputs(" | \"with written as (\" ", out);
    pgs__put_rule(out, subject, rule);
    pgs__put_optional(out, subject, "returning");
    (void)fputs(" written\n", out);
}

/* `"$" number "::bigint"` of each column, behind its name where `set`. */
static void
dump_values(FILE *out, const struct pgs__subject *subject, const char *rule, bool set)
{
    pgs__begin_rule(out, subject, rule);
    for (size_t i = 0; i < subject->n_columns; i++) {
        (void)fputs(i == 0 ? " " : " | ", out);
        pgs__put_joined(out, set ? subject->columns[i].ident : "", set ? " = $" : "$", "");
        (void)fputs(" number ", out);
        pgs__put_joined(out, "::", subject->columns[i].type.sql, "");
    }
    (void)fputc('\n', out);
}

static void
dump_unnested(FILE *out, const struct pgs__subject *subject)
{
    pgs__begin_rule(out, subject, "type");
    for (size_t i = 0; i < subject->n_columns; i++) {
        (void)fputs(i == 0 ? " " : " | ", out);
        pgs__put_joined(out, "::", subject->columns[i].type.sql, "");
    }
    (void)fputc('\n', out);
    pgs__begin_rule(out, subject, "unnested");
    (void)fputs(" \" select v\" number ", out);
    pgs__put_rule(out, subject, "type");
    (void)fputs(" {\", v\" number ", out);
    pgs__put_rule(out, subject, "type");
    (void)fputs("} \" from unnest($\" number \"::text[]\" {\", $\" number \"::text[]\"}"
                " \") as v (v\" number {\", v\" number} \")\"\n",
                out);
}

static void
dump_conflict(FILE *out, const struct pgs__subject *subject)
{
    pgs__begin_rule(out, subject, "excluded");
    for (size_t i = 0; i < subject->n_columns; i++) {
        (void)fputs(i == 0 ? " " : " | ", out);
        pgs__put_joined(out, subject->columns[i].ident, " = excluded.", subject->columns[i].ident);
    }
    (void)fputc('\n', out);
    pgs__begin_rule(out, subject, "conflict");
    (void)fputs(" \" on conflict (\"", out);
    pgs__put_list(out, subject, "column");
    (void)fputs(" \")\" (\" do nothing\" | \" do update set \"", out);
    pgs__put_list(out, subject, "excluded");
    (void)fputs(")\n", out);
}

void
pgs__dump_insert(FILE *out, const struct pgs__subject *subject, const struct pgs_relation *relation)
{
    dump_values(out, subject, "value", false);
    dump_unnested(out, subject);
    dump_conflict(out, subject);
    pgs__begin_rule(out, subject, "insert");
    (void)fputc(' ', out);
    pgs__put_joined(out, "insert into ", relation->sql, "");
    (void)fputs(" [\" (\"", out);
    pgs__put_list(out, subject, "column");
    (void)fputs(" \")\"] (\" values (\"", out);
    pgs__put_list(out, subject, "value");
    (void)fputs(" \")\" | \" default values\" | ", out);
    pgs__put_rule(out, subject, "unnested");
    (void)fputs(" | \" select from generate_series(1, $\" number \"::bigint)\")", out);
    pgs__put_optional(out, subject, "conflict");
    (void)fputc('\n', out);
    dump_write(out, subject, "insert");
}

void
pgs__dump_update(FILE *out, const struct pgs__subject *subject, const struct pgs_relation *relation)
{
    dump_values(out, subject, "set", true);
    pgs__begin_rule(out, subject, "update");
    (void)fputc(' ', out);
    pgs__put_joined(out, "update ", relation->sql, " set ");
    pgs__put_list(out, subject, "set");
    (void)fputc(' ', out);
    pgs__put_rule(out, subject, "where");
    (void)fputc('\n', out);
    dump_write(out, subject, "update");
}

void
pgs__dump_delete(FILE *out, const struct pgs__subject *subject, const struct pgs_relation *relation)
{
    pgs__begin_rule(out, subject, "delete");
    (void)fputc(' ', out);
    pgs__put_joined(out, "delete from ", relation->sql, "");
    (void)fputc(' ', out);
    pgs__put_rule(out, subject, "where");
    (void)fputc('\n', out);
    dump_write(out, subject, "delete");
}
