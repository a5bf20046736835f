/* SPDX-License-Identifier: MIT */
#include "db/login.h"

#include <libpq-fe.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "db/conninfo.h"
#include "codec/array.h"

/* The gravest fault in words, or no row.  All in one question: an application may have a thousand
 * relations, and the server is to listen at once.  A new session has nothing in its caches, so of
 * views, which it reads and plans anew, there is one; and relations are compared by their names,
 * for which the role needs no right. */
const char pgs_login_sql[] =
    "select fault from (select coalesce("
    "case when pg_catalog.pg_backend_pid() <> $4::integer"
    " then 'reaches PostgreSQL through a pooler, or a proxy that answers in its place:"
    " name PostgreSQL itself' end, "
    "(select case when rolsuper then 'is a superuser' else 'has BYPASSRLS' end"
    " from pg_catalog.pg_roles where rolname = current_user and (rolsuper or rolbypassrls)), "
    "(select 'owns ' || name || ', or is a member of its owner' from (select array["
    "(select nspname::text from pg_catalog.pg_namespace n where n.oid = relnamespace),"
    " relname::text] as parts from pg_catalog.pg_class"
    " where pg_catalog.pg_has_role(current_user, relowner, 'member') offset 0) as owned"
    " join pg_catalog.unnest($1::text[]) as name on pg_catalog.parse_ident(name) = parts limit 1), "
    "(select 'is not a member of ' || name || ': have the migrations run?'"
    " from pg_catalog.unnest($2::text[]) as name where pg_catalog.pg_has_role(current_user,"
    " pg_catalog.to_regrole(pg_catalog.quote_ident(name)), 'member') is not true limit 1), "
    "case when pg_catalog.pg_has_role(current_user,"
    " pg_catalog.to_regrole(pg_catalog.quote_ident($3::text)), 'member')"
    " then 'may become ' || $3::text || ', which belongs to the admin plane' end"
    ") as fault) as faults where fault is not null";

/* `{"a","b"}`, for the caller to clear; names come from the compiler. */
static struct pgs_buf
array_literal(const char *const *names)
{
    struct pgs_buf literal;

    pgs_buf_init(&literal, 0);
    pgs_buf_add_char(&literal, '{');
    for (size_t i = 0; names[i] != NULL; i++) {
        if (i > 0)
            pgs_buf_add_char(&literal, ',');
        pgs__item_write(&literal, names[i], strlen(names[i]));
    }
    pgs_buf_add(&literal, "}", 2); /* and its NUL */
    return literal;
}

/* True when there is a fault, or none can be asked for; `why` has it. */
static bool
has_fault(PGconn *conn, const struct pgs_login *login, char *why, size_t why_size)
{
    char pid[16];
    const char *const values[] = {login->values[0], login->values[1], login->values[2], pid};
    PGresult *result;
    bool found = true;

    (void)snprintf(pid, sizeof(pid), "%d", PQbackendPID(conn));
    result = PQexecParams(conn, pgs_login_sql, 4, NULL, values, NULL, NULL, 0);
    if (PQresultStatus(result) != PGRES_TUPLES_OK)
        (void)snprintf(why, why_size, "could not be checked: %s", PQerrorMessage(conn));
    else if (PQntuples(result) > 0)
        (void)snprintf(why, why_size, "login role \"%s\" %s", PQuser(conn),
                       PQgetvalue(result, 0, 0));
    else
        found = false;
    PQclear(result);
    return found;
}

struct pgs_login
pgs_login_of(const struct pgs_login_rules *rules)
{
    struct pgs_buf relations = array_literal(rules->relations);
    struct pgs_buf roles = array_literal(rules->roles);

    if (relations.failed || roles.failed)
        abort();
    return (struct pgs_login){{relations.at, roles.at, rules->forbidden_role}};
}

static bool
is_refused(PGconn *conn, const struct pgs_login_rules *rules, char *why, size_t why_size)
{
    struct pgs_login login = pgs_login_of(rules);
    bool refused = has_fault(conn, &login, why, why_size);

    free((char *)(uintptr_t)login.values[0]);
    free((char *)(uintptr_t)login.values[1]);
    return refused;
}

bool
pgs_login_can_try(const char *conninfo, char *why, size_t why_size)
{
    if (pgs_conninfo_is_sound(conninfo))
        return true;
    (void)snprintf(why, why_size,
                   "is not a connection string; in postgresql://USER:PASSWORD@HOST/DATABASE, "
                   "write the characters %%@/:?# of the password as %%25, %%40, ...");
    return false;
}

enum pgs_login_result
pgs_login_check(const char *conninfo, const struct pgs_login_rules *rules, char *why,
                size_t why_size)
{
    static const char *const words[] = {"connect_timeout", "dbname", NULL};
    const char *const values[] = {"5", conninfo, NULL};
    enum pgs_login_result result = PGS_LOGIN_OK;
    PGconn *conn;

    if (!pgs_login_can_try(conninfo, why, why_size))
        return PGS_LOGIN_REFUSED;
    conn = PQconnectdbParams(words, values, 1);
    if (PQstatus(conn) != CONNECTION_OK) {
        (void)snprintf(why, why_size, "%s", PQerrorMessage(conn));
        why[strcspn(why, "\n")] = '\0';
        result = PGS_LOGIN_UNREACHABLE;
    } else if (is_refused(conn, rules, why, why_size)) {
        result = PQstatus(conn) == CONNECTION_OK ? PGS_LOGIN_REFUSED : PGS_LOGIN_UNREACHABLE;
    }
    PQfinish(conn);
    return result;
}
