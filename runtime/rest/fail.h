/* SPDX-License-Identifier: MIT */
/*
 * Every way in which a request is not served, in PostgREST's form: {code, message, details, hint}.
 */
#ifndef PGS_REST_FAIL_H
#define PGS_REST_FAIL_H

#include "rest/request.h"

/* Answers with an error; `format` makes the message. */
void pgs__fail(struct pgs_request *rq, int status, const char *code, const char *details,
               const char *hint, const char *format, ...) __attribute__((format(printf, 6, 7)));

/* 42501 as PostgreSQL would say it: 401 for anon, 403 for everybody else. */
void pgs__fail_denied(struct pgs_request *rq);

/* Notes why a statement cannot be built; always false.  The handler answers, once. */
bool pgs__refuse(struct pgs_request *rq, int status, const char *code, const char *hint,
                 const char *format, ...) __attribute__((format(printf, 5, 6)));

/* Answers with what pgs__refuse noted. */
void pgs__fail_refused(struct pgs_request *rq);

/* Answers with an error of PostgreSQL; what it says about its own troubles is for the log alone. */
void pgs__fail_database(struct pgs_request *rq, const struct pgs_db_error *error);

#endif
