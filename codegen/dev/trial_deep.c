/* SPDX-License-Identifier: MIT */
/* What a `create` does not look at: the types of a raw view, and what is in a PL/pgSQL body. */
#include "dev/trial_parts.h"

#include <stdlib.h>
#include <string.h>

#include "model/names.h"
#include "sql/sql.h"
#include "text/diag.h"

/* ---- views ---- */

/* A varchar or a domain for its base type is no other value. */
static void
check_column(PGconn *conn, const struct table *view, const struct column *column)
{
    const char *values[] = {sql_relation(view), column->name, sql_cast_type(column->type)};
    PGresult *result =
        PQexecParams(conn,
                     "select format_type(atttypid, null), atttypid = to_regtype($3)"
                     " or typbasetype = to_regtype($3) or exists (select from pg_cast"
                     " where castsource = atttypid and casttarget = to_regtype($3)"
                     " and castmethod = 'b' and castcontext = 'i')"
                     " from pg_attribute join pg_type on pg_type.oid = atttypid"
                     " where attrelid = to_regclass($1) and attname = $2",
                     3, NULL, values, NULL, NULL, 0);

    if (PQresultStatus(result) == PGRES_TUPLES_OK && PQntuples(result) == 1 &&
        strcmp(PQgetvalue(result, 0, 1), "f") == 0) {
        struct diag *d = diag_at(column->span, PGS2312_RAW_VIEW_TYPE,
                                 "\"%s\" is declared as %s, and the SQL of the view gives %s",
                                 column->name, sql_type(column->type), PQgetvalue(result, 0, 0));

        diag_hint(d, "declare it as %s, or cast it in the view", PQgetvalue(result, 0, 0));
    }
    PQclear(result);
}

void
trial_check_views(PGconn *conn, const struct trial *trial)
{
    for (size_t i = 0; i < trial->model->tables.n; i++) {
        const struct table *view = trial->model->tables.at[i];

        for (size_t j = 0; view->raw != NULL && j < view->columns.n; j++)
            check_column(conn, view, view->columns.at[j]);
    }
}

/* ---- PL/pgSQL ---- */

static bool
done(PGconn *conn, const char *sql)
{
    PGresult *result = PQexec(conn, sql);
    bool ok = PQresultStatus(result) == PGRES_COMMAND_OK;

    PQclear(result);
    return ok;
}

static const char *
line_of_body(struct span body, long line)
{
    const char *at = body.file->text + body.start, *end;

    while (line-- > 1 && (end = strchr(at, '\n')) != NULL && end < body.file->text + body.end)
        at = end + 1;
    return at + strspn(at, " \t\r\n");
}

/* The word of the query, which is not quite what the body has: `into` is gone from it. */
static const char *
find_word(struct span body, const char *line, const char *query, long position)
{
    const struct source *text = source_from_text("", query, strlen(query));
    size_t at = trial_byte(text, 0, text->len, position);
    struct span word = trial_word(text, at, text->len);
    const char *found = strstr(line, arena_copy(query + word.start, word.end - word.start));

    return position > 0 && found < body.file->text + body.end ? found : NULL;
}

/* That word of the body; where it cannot be told, that line. */
static struct span
place_in_body(struct span body, const PGresult *rows, int row)
{
    const char *text = body.file->text;
    const char *line = line_of_body(body, strtol(PQgetvalue(rows, row, 2), NULL, 10));
    const char *found =
        find_word(body, line, PQgetvalue(rows, row, 4), strtol(PQgetvalue(rows, row, 3), NULL, 10));

    if (found != NULL)
        return trial_word(body.file, (size_t)(found - text), body.end);
    body.start = (size_t)(line - text);
    body.end = body.start + strcspn(line, "\r\n");
    return body;
}

static void
report(struct span body, const PGresult *rows, int row)
{
    struct span place = place_in_body(body, rows, row);
    bool is_error = strcmp(PQgetvalue(rows, row, 0), "error") == 0;
    const char *message = PQgetvalue(rows, row, 1);
    const char *detail = PQgetvalue(rows, row, 5), *hint = PQgetvalue(rows, row, 6);
    struct diag *d;

    if (is_error)
        d = diag_at(place, PGS2310_DATABASE_REFUSES, "PostgreSQL refuses this: %s (%s)", message,
                    PQgetvalue(rows, row, 7));
    else
        d = diag_at(place, PGS2313_BODY_DOUBTFUL, "plpgsql_check: %s", message);
    if (*detail != '\0' || *hint != '\0')
        diag_hint(d, "%s%s%s", detail, *detail != '\0' && *hint != '\0' ? "; " : "", hint);
}

/* `table`: whose trigger it is; NULL: it is none. */
static void
check_body(PGconn *conn, const struct declared_function *function, struct span body,
           const struct table *table)
{
    const char *name = arena_printf("public.%s", name_sql(function->name));
    const char *values[] = {arena_printf("%s(%s)", name, sql_argument_types(&function->params)),
                            table == NULL ? "0" : sql_relation(table)};
    PGresult *rows =
        PQexecParams(conn,
                     "select level, message, lineno, position, query, detail, hint, sqlstate"
                     " from pgstack_check.plpgsql_check_function_tb(funcoid => $1::regprocedure,"
                     " relid => $2::regclass, fatal_errors => false, extra_warnings => false)",
                     2, NULL, values, NULL, NULL, 0);

    for (int i = 0; PQresultStatus(rows) == PGRES_TUPLES_OK && i < PQntuples(rows); i++)
        report(body, rows, i);
    PQclear(rows);
    done(conn, "rollback to savepoint body");
}

static void
check_function(PGconn *conn, const struct trial *trial, const struct declared_function *function,
               struct span body)
{
    if (!function->returns_trigger)
        check_body(conn, function, body, NULL);
    for (size_t i = 0; i < trial->model->triggers.n; i++)
        if (trial->model->triggers.at[i]->function == function)
            check_body(conn, function, body, trial->model->triggers.at[i]->table);
}

bool
trial_check_bodies(PGconn *conn, const struct trial *trial, const struct trial_map *map)
{
    bool has_extension;

    if (!done(conn, "savepoint bodies"))
        return false;
    has_extension = done(conn, "reset role") && done(conn, "create schema pgstack_check") &&
                    done(conn, "create extension plpgsql_check schema pgstack_check") &&
                    done(conn, "savepoint body");
    for (size_t i = 0; has_extension && i < trial->model->functions.n; i++) {
        const struct declared_function *function = trial->model->functions.at[i];
        struct span body = {0};

        if (function->raw != NULL && strcmp(function->language, "plpgsql") == 0)
            body = trial_raw_at(map, function->raw_span);
        if (body.file != NULL)
            check_function(conn, trial, function, body);
    }
    done(conn, "rollback to savepoint bodies");
    return has_extension;
}
