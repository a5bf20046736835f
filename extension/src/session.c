/* SPDX-License-Identifier: MIT */
/*
 * Acting as somebody else.  What is done for the extension itself runs as the bootstrap superuser
 * with a search_path on which nobody can put an operator or function of their own.
 */
#include "postgres.h"

#include "catalog/objectaccess.h"
#include "catalog/pg_authid.h"
#include "executor/spi.h"
#include "lib/stringinfo.h"
#include "miscadmin.h"
#include "utils/fmgroids.h"
#include "utils/guc.h"

#include "pg_reactive.h"

static bool is_silent = false;
static object_access_hook_type next_access = NULL;

void
pgr_session_enter(struct pgr_session *before, Oid user, const char *search_path)
{
    GetUserIdAndSecContext(&before->user, &before->security);
    before->guc_level = NewGUCNestLevel();
    SetUserIdAndSecContext(user, before->security | SECURITY_LOCAL_USERID_CHANGE |
                                     SECURITY_RESTRICTED_OPERATION);
    (void)set_config_option("search_path", search_path, PGC_USERSET, PGC_S_SESSION, GUC_ACTION_SAVE,
                            true, 0, false);
}

void
pgr_session_enter_superuser(struct pgr_session *before)
{
    pgr_session_enter(before, BOOTSTRAP_SUPERUSERID, "pg_catalog, pg_temp");
    SetUserIdAndSecContext(BOOTSTRAP_SUPERUSERID, before->security | SECURITY_LOCAL_USERID_CHANGE);
}

void
pgr_session_leave(const struct pgr_session *before)
{
    AtEOXact_GUC(false, before->guc_level);
    SetUserIdAndSecContext(before->user, before->security);
}

void
pgr_sql(const char *text, int count, Oid *types, Datum *values, const char *nulls)
{
    int result = SPI_execute_with_args(text, count, types, values, nulls, false, 0);

    if (result < 0)
        elog(ERROR, "%s: %s", SPI_result_code_string(result), text);
}

void
pgr_command(const char *format, ...)
{
    StringInfoData text;
    int needed;

    initStringInfo(&text);
    do {
        va_list arguments;

        va_start(arguments, format);
        needed = appendStringInfoVA(&text, format, arguments);
        va_end(arguments);
        if (needed > 0)
            enlargeStringInfo(&text, needed);
    } while (needed > 0);
    pgr_sql(text.data, 0, NULL, NULL, NULL);
    pfree(text.data);
}

void
pgr_refuse_notify(void)
{
    if (is_silent)
        ereport(ERROR, errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
                errmsg("a query that is watched may not notify"),
                errdetail("Who listens would take it for a message of pg_reactive."));
}

static void
on_access(ObjectAccessType access, Oid class, Oid object, int part, void *argument)
{
    if (access == OAT_FUNCTION_EXECUTE && object == F_PG_NOTIFY)
        pgr_refuse_notify();
    if (next_access != NULL)
        next_access(access, class, object, part, argument);
}

void
pgr_session_silence(void)
{
    is_silent = true;
    next_access = object_access_hook;
    object_access_hook = on_access;
}
