/* SPDX-License-Identifier: MIT */
#include "rest/fail.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/limit.h"
#include "base/log.h"
#include "http/info.h"
#include "codec/sqlstate.h"

#define REFUSAL_BYTES 512

void
pgs__fail(struct pgs_request *rq, int status, const char *code, const char *details,
          const char *hint, const char *format, ...)
{
    char message[1024];
    va_list args;

    va_start(args, format);
    (void)vsnprintf(message, sizeof(message), format, args);
    va_end(args);
    pgs_reply_problem(rq->req, &(struct pgs_problem){status, code, message, details, hint});
}

void
pgs__fail_denied(struct pgs_request *rq)
{
    const char *path = rq->route->path, *name = strrchr(path, '/');

    pgs__fail(rq, rq->who.role == 0 ? 401 : 403, "42501", NULL, NULL, "permission denied for %s %s",
              strstr(path, "/rpc/") != NULL ? "function" : "table", name != NULL ? name + 1 : path);
}

bool
pgs__refuse(struct pgs_request *rq, int status, const char *code, const char *hint,
            const char *format, ...)
{
    char *message = rq->memory.alloc(rq->memory.pool, REFUSAL_BYTES);
    va_list args;

    va_start(args, format);
    (void)vsnprintf(message, REFUSAL_BYTES, format, args);
    va_end(args);
    rq->refusal = (struct pgs_refusal){status, code, hint, message};
    return false;
}

void
pgs__fail_refused(struct pgs_request *rq)
{
    const struct pgs_refusal *refusal = &rq->refusal;

    pgs__fail(rq, refusal->status, refusal->code, NULL, refusal->hint, "%s", refusal->message);
}

static const char *
or_null(const char *text)
{
    return text[0] != '\0' ? text : NULL;
}

static void
fail_internal(struct pgs_request *rq, int status, const struct pgs_db_error *error)
{
    PGS_LOG(PGS_LOG_ERROR, "database_error", PGS_LOG_STR("sqlstate", error->sqlstate),
            PGS_LOG_STR("message", error->is_raised ? NULL : error->message),
            PGS_LOG_STR("route", rq->route->path),
            PGS_LOG_STR("id", pgs_request_info(rq->req)->id));
    pgs__fail(rq, status, error->sqlstate, NULL, NULL, "%s",
              pgs_sqlstate_message(error->sqlstate, status, error->message));
}

/* GET and HEAD of a call that writes (25006).  A standby refuses writes the same way; there, no
 * method would do. */
static void
add_allow(struct pgs_request *rq, int status)
{
    if (status == 405 && rq->route->method == PGS_GET)
        pgs_reply_header(rq->req, "allow", "POST, OPTIONS", strlen("POST, OPTIONS"));
}

/* It is too large to be kept, but PostgreSQL has done what was asked for. */
static void
fail_too_large(struct pgs_request *rq)
{
    pgs_limit_hit(PGS_LIMIT_ANSWER_BYTES);
    pgs__fail(rq, 413, "PGS107",
              rq->route->method == PGS_GET ? NULL : "It was done; only the answer is missing",
              "ask for fewer rows or columns", "The answer has too many bytes");
}

void
pgs__fail_database(struct pgs_request *rq, const struct pgs_db_error *error)
{
    int status = pgs_sqlstate_status(error->sqlstate, rq->who.role == 0);

    if (error->is_too_large) {
        fail_too_large(rq);
        return;
    }
    add_allow(rq, status);
    if (strcmp(error->sqlstate, "57014") == 0)
        pgs_limit_hit(rq->route->within_ms > 0 ? PGS_LIMIT_ROUTE_TIME
                                               : PGS_LIMIT_STATEMENT_TIMEOUT);
    /* Of pgstack.single_row(), which keeps a write from touching several rows. */
    if (strcmp(error->sqlstate, "PGS16") == 0)
        pgs__fail(rq, 406, "PGRST116", error->message, NULL,
                  "Cannot coerce the result to a single JSON object");
    else if (status >= 500 && strncmp(error->sqlstate, "PT", 2) != 0)
        fail_internal(rq, status, error);
    else
        pgs__fail(rq, status, error->sqlstate, or_null(error->detail), or_null(error->hint), "%s",
                  error->message);
}
