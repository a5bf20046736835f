/* SPDX-License-Identifier: MIT */
/*
 * The grammar follows rest/: select.c, where.c, order.c, list.c, insert.c, change.c, written.c and
 * call.c.  The API's tests read it back and hold each statement that PostgreSQL sees against it,
 * so that a fragment which is missing here fails them.
 */
#include "dump/dump.h"

#include <stdlib.h>
#include <string.h>

#include "codec/query_string.h"
#include "db/conn.h"
#include "db/feed_sql.h"
#include "db/link.h"
#include "db/login.h"
#include "db/reactive.h"
#include "dump/put.h"
#include "health.h"
#include "live/sql.h"
#include "rest/lsn.h"
#include "rest/build.h"
#include "rest/clause.h"

static const char head[] =
    "# Every statement that this program sends to PostgreSQL.  Values are parameters: no byte of "
    "a\n"
    "# client is part of a statement.\n"
    "#\n"
    "#   \"text\"  as it stands, escaped as in JSON    [ ]  once or not\n"
    "#   number  digits that the server makes:        { }  any number of times\n"
    "#           the place of a parameter or column   |    or\n"
    "#   none    no statement has it\n"
    "\n";

/* ---- what all share ---- */

static void
dump_operators(FILE *out)
{
    static const char *const operators[] = {
#define PGS_OPERATOR(name, word, sql) sql,
        PGS_OPERATORS(PGS_OPERATOR)
#undef PGS_OPERATOR
    };
    bool first = true;

    (void)fputs("operator =", out);
    for (size_t i = 0; i < PGS_COUNT(operators); i++) {
        if (operators[i] == NULL)
            continue;
        (void)fputs(first ? " " : " | ", out);
        pgs__put_joined(out, " ", operators[i], " ");
        first = false;
    }
    (void)fputs("\nis =", out);
    for (size_t i = 0; i < PGS_IS_FORMS; i++) {
        (void)fputs(i == 0 ? " " : " | ", out);
        pgs__put_literal(out, pgs__is_forms[i]);
    }
    (void)fputc('\n', out);
}

static void
dump_casts(FILE *out)
{
    size_t n;
    const struct pgs_type *casts = pgs__casts(&n);

    (void)fputs("cast =", out);
    for (size_t i = 0; i < n; i++) {
        (void)fputs(i == 0 ? " " : " | ", out);
        pgs__put_literal(out, casts[i].sql);
    }
    (void)fputc('\n', out);
}

static void
dump_constant(FILE *out, const char *rule, const char *sql)
{
    (void)fprintf(out, "%s = ", rule);
    pgs__put_literal(out, sql);
    (void)fputc('\n', out);
}

static void
dump_sessions(FILE *out, const struct pgs_app *app)
{
    char *within =
        pgs_session_within_sql(app->session_sql, 2 + (size_t)app->reads_jwt + app->n_claims);

    dump_constant(out, "session", app->session_sql);
    dump_constant(out, "session.within", within);
    free(within);
}

static void
dump_shared(FILE *out, const struct pgs_app *app)
{
    (void)fputs("# Before the first request, and for each connection.\n", out);
    dump_constant(out, "login.check", pgs_login_sql);
    dump_constant(out, "connection.settings", pgs__settings_sql);
    (void)fputs("connection.forget = \"deallocate all\" | \"deallocate p\" number\n", out);
    dump_constant(out, "connection.cancel", pgs__cancel_sql);
    for (size_t i = 0; pgs__clean_sql[i] != NULL; i++)
        dump_constant(out, "connection.clean", pgs__clean_sql[i]);
    dump_constant(out, "connection.ping", pgs__ping_sql);
    (void)fputs("\n# First in each transaction; then what the request asks.\n", out);
    dump_sessions(out, app);
    dump_constant(out, "read_only", pgs__read_only_sql);
    dump_constant(out, "ready", pgs_ready_sql);
    (void)fputs("\n# Parts of what follows.\n", out);
    dump_operators(out);
    dump_casts(out);
    (void)fputs("direction = [\" desc\"] [\" nulls first\" | \" nulls last\"]\n"
                "page = [\" limit $\" number \"::bigint\"] [\" offset $\" number \"::bigint\"]\n"
                "places = \" order by \" number direction {\", \" number direction}\n"
                "written = \") select written.*\" [\", pgstack.single_row(count(*) over ())\"]"
                " \" from written\" [places]\n",
                out);
}

/* ---- a relation, or the rows of a call ---- */

static void
dump_columns(FILE *out, const struct pgs__subject *subject)
{
    pgs__begin_rule(out, subject, "column");
    for (size_t i = 0; i < subject->n_columns; i++) {
        (void)fputs(i == 0 ? " " : " | ", out);
        pgs__put_literal(out, subject->columns[i].ident);
    }
    (void)fputc('\n', out);
    pgs__begin_rule(out, subject, "output");
    (void)fputc(' ', out);
    pgs__put_rule(out, subject, "column");
    (void)fputs(" [\"::\" cast]\n", out);
}

/* `"id" (is | " = any ($" number "::bigint[])" | operator "$" number "::bigint")`; patterns are
 * text. */
static void
put_comparison(FILE *out, const struct pgs_column *column)
{
    pgs__put_literal(out, column->ident);
    (void)fputs(" (is | \" = any ($\" number ", out);
    pgs__put_joined(out, "::", column->type.sql_array, ")");
    (void)fputs(" | operator \"$\" number (", out);
    pgs__put_joined(out, "::", column->type.sql, "");
    (void)fputs(" | \"::text\"))", out);
}

static bool
is_listed(const struct pgs_relation *relation, const uint16_t *numbers, size_t n, size_t column)
{
    for (size_t i = 0; i < n; i++)
        if (numbers[i] == column)
            return true;
    for (size_t i = 0; i < relation->n_key; i++)
        if (relation->key[i] == column)
            return true;
    return false;
}

static void
dump_comparisons(FILE *out, const struct pgs__subject *subject, const struct pgs_relation *relation)
{
    bool first = true;

    pgs__begin_rule(out, subject, "comparison");
    for (size_t i = 0; i < subject->n_columns; i++) {
        if (relation != NULL && !is_listed(relation, relation->filters, relation->n_filters, i))
            continue;
        (void)fputs(first ? "\n    " : "\n  | ", out);
        put_comparison(out, &subject->columns[i]);
        first = false;
    }
    (void)fputs(first ? " none\n" : "\n", out);
}

static void
dump_where(FILE *out, const struct pgs__subject *subject)
{
    static const char *const between[] = {"{\" and \" ", "{\" or \" "};

    pgs__begin_rule(out, subject, "condition");
    (void)fputs(" [\"not \"] (", out);
    pgs__put_rule(out, subject, "comparison");
    for (size_t i = 0; i < PGS_COUNT(between); i++) {
        (void)fputs(" | \"(\" ", out);
        pgs__put_rule(out, subject, "condition");
        (void)fprintf(out, " %s", between[i]);
        pgs__put_rule(out, subject, "condition");
        (void)fputs("} \")\"", out);
    }
    (void)fputs(")\n", out);
    pgs__begin_rule(out, subject, "where");
    (void)fputs(" \" where \" ", out);
    pgs__put_rule(out, subject, "condition");
    (void)fputs(" {\" and \" ", out);
    pgs__put_rule(out, subject, "condition");
    (void)fputs("}\n", out);
}

static void
dump_order(FILE *out, const struct pgs__subject *subject, const struct pgs_relation *relation)
{
    bool first = true;

    pgs__begin_rule(out, subject, "orderable");
    for (size_t i = 0; i < subject->n_columns; i++) {
        if (relation != NULL && !is_listed(relation, relation->orders, relation->n_orders, i))
            continue;
        (void)fputs(first ? " " : " | ", out);
        pgs__put_literal(out, subject->columns[i].ident);
        first = false;
    }
    (void)fputs(first ? " none\n" : "\n", out);
    pgs__begin_rule(out, subject, "order");
    (void)fputs(" \" order by r.\" ", out);
    pgs__put_rule(out, subject, "orderable");
    (void)fputs(" direction {\", r.\" ", out);
    pgs__put_rule(out, subject, "orderable");
    (void)fputs(" direction}\n", out);
}

/* ---- statements of a relation ---- */

static void
dump_returning(FILE *out, const struct pgs__subject *subject)
{
    pgs__begin_rule(out, subject, "returning");
    (void)fputs(" \" returning \" (\"1\" |", out);
    pgs__put_list(out, subject, "output");
    (void)fputs(")\n", out);
}

static bool
is_served(const struct pgs_app *app, const struct pgs_relation *relation, enum pgs_method method)
{
    static const char prefix[] = "/rest/v1/";

    for (size_t i = 0; app->routes[i] != NULL; i++)
        for (const struct pgs_route *route = app->routes[i]; route->path != NULL; route++)
            if (route->method == method && strncmp(route->path, prefix, sizeof(prefix) - 1) == 0 &&
                strcmp(route->path + sizeof(prefix) - 1, relation->name) == 0)
                return true;
    return false;
}

/* The relation, or a view with the policies of a role in it. */
static void
dump_from(FILE *out, const struct pgs__subject *subject, const struct pgs_relation *relation)
{
    pgs__begin_rule(out, subject, "from");
    (void)fputc(' ', out);
    pgs__put_joined(out, " from ", relation->sql, " as r");
    for (size_t i = 0; i < relation->n_inlined; i++) {
        (void)fputs(" | ", out);
        pgs__put_joined(out, " from ", relation->inlined[i].sql, " as r");
    }
    (void)fputc('\n', out);
}

static void
dump_list(FILE *out, const struct pgs__subject *subject, const struct pgs_relation *relation)
{
    dump_from(out, subject, relation);
    pgs__begin_rule(out, subject, "list");
    (void)fputs(" \"select \" [", out);
    pgs__put_list(out, subject, "output");
    (void)fputs("] ", out);
    pgs__put_rule(out, subject, "from");
    pgs__put_optional(out, subject, "where");
    pgs__put_optional(out, subject, "order");
    (void)fputs(" page\n", out);
    pgs__begin_rule(out, subject, "count");
    (void)fputs(" \"select count(*)\" ", out);
    pgs__put_rule(out, subject, "from");
    pgs__put_optional(out, subject, "where");
    (void)fputc('\n', out);
}

static void
dump_relation(FILE *out, const struct pgs_app *app, size_t number)
{
    const struct pgs_relation *relation = app->relations[number];
    struct pgs__subject subject = {"table", relation->name, number, relation->columns,
                                   relation->n_columns};
    bool post = is_served(app, relation, PGS_POST), patch = is_served(app, relation, PGS_PATCH);
    bool remove = is_served(app, relation, PGS_DELETE);

    (void)fputs("\n# ", out);
    pgs__put_literal(out, relation->sql);
    (void)fputc('\n', out);
    dump_columns(out, &subject);
    dump_comparisons(out, &subject, relation);
    dump_where(out, &subject);
    dump_order(out, &subject, relation);
    if (is_served(app, relation, PGS_GET)) {
        dump_list(out, &subject, relation);
        (void)fputs("statement = ", out);
        pgs__put_rule(out, &subject, "list");
        (void)fputs(" | ", out);
        pgs__put_rule(out, &subject, "count");
        (void)fputc('\n', out);
    }
    if (post || patch || remove)
        dump_returning(out, &subject);
    if (post)
        pgs__dump_insert(out, &subject, relation);
    if (patch)
        pgs__dump_update(out, &subject, relation);
    if (remove)
        pgs__dump_delete(out, &subject, relation);
}

/* ---- calls ---- */

static void
dump_arguments(FILE *out, const struct pgs__subject *subject, const struct pgs_call *call)
{
    pgs__begin_rule(out, subject, "argument");
    for (size_t i = 0; i < call->arguments->n_fields; i++) {
        const struct pgs_column *column = call->arguments->fields[i].column;

        (void)fputs(i == 0 ? " " : " | ", out);
        pgs__put_joined(out, column->ident, " => $", "");
        (void)fputs(" number ", out);
        pgs__put_joined(out, "::", column->type.sql, "");
    }
    (void)fputs(call->arguments->n_fields == 0 ? " none\n" : "\n", out);
}

static void
dump_call(FILE *out, const struct pgs_app *app, size_t number)
{
    const struct pgs_call *call = app->calls[number];
    struct pgs__subject subject = {"call", call->name, number, call->columns, call->n_columns};

    (void)fputs("\n# ", out);
    pgs__put_literal(out, call->sql);
    (void)fputc('\n', out);
    dump_arguments(out, &subject, call);
    if (!call->scalar) {
        dump_columns(out, &subject);
        dump_comparisons(out, &subject, NULL);
        dump_where(out, &subject);
        dump_order(out, &subject, NULL);
    }
    (void)fputs("statement = \"select \"", out);
    if (call->scalar)
        (void)fputs(" \"*\"", out);
    else
        pgs__put_list(out, &subject, "output");
    (void)fputs(" [\", count(*) over ()\"] ", out);
    pgs__put_joined(out, " from ", call->sql, "(");
    (void)fputs(" [", out);
    pgs__put_list(out, &subject, "argument");
    (void)fputs("] \") as r\"", out);
    if (!call->scalar) {
        pgs__put_optional(out, &subject, "where");
        pgs__put_optional(out, &subject, "order");
    }
    (void)fputs(" page\n", out);
}

/* What is asked before the rows, to match changes with. */
static void
dump_facts(FILE *out, const struct pgs_matcher *matcher)
{
    if (matcher->values.sql != NULL)
        dump_constant(out, "statement", matcher->values.sql);
    for (size_t i = 0; i < matcher->n_sets; i++)
        dump_constant(out, "statement", matcher->sets[i].sql);
}

static void
dump_outbox(FILE *out)
{
    static const char *const statements[] = {
        PGS_OUTBOX_LISTEN_SQL, PGS_OUTBOX_NOW_SQL,    PGS_OUTBOX_FORGET_SQL, PGS_OUTBOX_READ_SQL,
        PGS_OUTBOX_ENDED_SQL,  PGS_OUTBOX_DELETE_SQL, PGS_OUTBOX_SWEEP_SQL,
    };

    for (size_t i = 0; i < sizeof(statements) / sizeof(statements[0]); i++)
        dump_constant(out, "statement", statements[i]);
}

/* Each with the snapshot that its rows were seen under before it. */
static void
dump_lives(FILE *out, const struct pgs_app *app)
{
    char look[512];

    (void)fputs("\n# Live queries, and what follows the changes for them.\n", out);
    dump_constant(out, "statement", pgs__snapshot_settings_sql);
    dump_constant(out, "statement", PGS_LIVE_SNAPSHOT_SQL);
    if (app->has_outbox)
        dump_outbox(out);
    (void)snprintf(look, sizeof(look), PGS_LOG_LOOK_FORMAT, "pgstack_live");
    dump_constant(out, "statement", look);
    dump_constant(out, "statement", PGS_LOG_BEGINS_SQL);
    (void)fprintf(out,
                  "statement = \"" PGS_LOG_ALL_ENDED_FORMAT "\"\n"
                  "statement = \"" PGS_LOG_GIVE_UP_FORMAT "\"\n",
                  "\" number \"", "pgstack_live_\" number \"_\" number \"");
    (void)fputs("statement = \"SHOW wal_level\" | \"SHOW max_slot_wal_keep_size\" | "
                "\"SHOW wal_sender_timeout\"\n"
                "statement = \"CREATE_REPLICATION_SLOT pgstack_live_\" number \"_\" number "
                "\" TEMPORARY LOGICAL pgoutput (SNAPSHOT 'nothing')\"\n"
                "statement = \"START_REPLICATION SLOT pgstack_live_\" number \"_\" number "
                "\" LOGICAL 0/0 (proto_version '1', publication_names 'pgstack_live')\"\n",
                out);
    for (size_t i = 0; app->lives[i] != NULL; i++) {
        (void)fputs("\n# live ", out);
        pgs__put_literal(out, app->lives[i]->name);
        (void)fputc('\n', out);
        dump_constant(out, "statement", app->lives[i]->sql);
        for (size_t j = 0; j < app->lives[i]->n_matchers; j++)
            dump_facts(out, &app->lives[i]->matchers[j]);
    }
}

void
pgs_dump_sql(FILE *out, const struct pgs_app *app)
{
    (void)fputs(head, out);
    dump_shared(out, app);
    (void)fputs("\nstatement = login.check | connection.settings | connection.forget | "
                "connection.cancel | connection.clean | connection.ping | session | session.within"
                " | read_only | ready\n",
                out);
    dump_constant(out, "statement", PGS_LSN_SQL);
    dump_constant(out, "statement", pgs__link_pid_sql);
    for (size_t i = 0; app->relations[i] != NULL; i++)
        dump_relation(out, app, i);
    for (size_t i = 0; app->calls != NULL && app->calls[i] != NULL; i++)
        dump_call(out, app, i);
    if (app->lives != NULL)
        dump_lives(out, app);
    (void)fputs("\n# Subscriptions of pg_reactive; its setting may name another channel.\n"
                "statement = \"listen \\\"pgr\\\"\"\n",
                out);
    dump_constant(out, "statement", PGS_REACTIVE_PROBE_SQL);
    dump_constant(out, "statement", PGS_REACTIVE_QUESTION_SQL);
}
