/* SPDX-License-Identifier: MIT */
#include "db/login.h"

#include <libpq-fe.h>
#include <stdio.h>
#include <string.h>

/* One row: what is wrong, in words; no row: nothing. */
static const char attributes_sql[] =
    "select case when rolsuper then 'is a superuser' else 'has BYPASSRLS' end"
    " from pg_catalog.pg_roles where rolname = current_user and (rolsuper or rolbypassrls)";

static const char owner_sql[] =
    "select 'owns ' || $1 || ', or is a member of its owner'"
    " from pg_catalog.pg_class c where c.oid = pg_catalog.to_regclass($1)"
    " and pg_catalog.pg_has_role(current_user, c.relowner, 'member')";

static const char member_sql[] =
    "select 'may become ' || rolname || ', which belongs to the admin plane'"
    " from pg_catalog.pg_roles where rolname = $1"
    " and pg_catalog.pg_has_role(current_user, oid, 'member')";

static const char lacks_sql[] =
    "select 'is not a member of ' || $1 || ': have the migrations run?'"
    " where not exists (select from pg_catalog.pg_roles where rolname = $1"
    " and pg_catalog.pg_has_role(current_user, oid, 'member'))";

/* True when the question finds a fault, or cannot be asked; `why` has it. */
static bool
finds(PGconn *conn, const char *sql, const char *param, char *why, size_t why_size)
{
    PGresult *result = PQexecParams(conn, sql, param != NULL ? 1 : 0, NULL, &param, NULL, NULL, 0);
    bool found = true;

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

static bool
is_refused(PGconn *conn, const struct pgs_login_rules *rules, char *why, size_t why_size)
{
    if (finds(conn, attributes_sql, NULL, why, why_size))
        return true;
    for (const char *const *r = rules->relations; *r != NULL; r++)
        if (finds(conn, owner_sql, *r, why, why_size))
            return true;
    for (const char *const *r = rules->roles; *r != NULL; r++)
        if (finds(conn, lacks_sql, *r, why, why_size))
            return true;
    return rules->forbidden_role != NULL &&
           finds(conn, member_sql, rules->forbidden_role, why, why_size);
}

enum pgs_login_result
pgs_login_check(const char *conninfo, const struct pgs_login_rules *rules, char *why,
                size_t why_size)
{
    PGconn *conn = PQconnectdb(conninfo);
    enum pgs_login_result result = PGS_LOGIN_OK;

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
