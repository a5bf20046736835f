/* SPDX-License-Identifier: MIT */
/*
 * All texts of a transaction lie in one buffer that may move while it grows: offsets until it is
 * sent, pointers only while it is written to a connection.
 */
#include "db/txn.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "db/pool_private.h"

#define MAX_PARAMS 65535 /* of a Bind message */

static void
refuse(struct pgs_txn *txn, const char *sqlstate, const char *why)
{
    if (txn->refused != NULL)
        return;
    txn->refused_state = sqlstate;
    txn->refused = why;
}

/* The offset of a copy. */
static size_t
keep(struct pgs_txn *txn, const char *text, size_t len)
{
    size_t offset = txn->bytes.len;

    pgs_buf_add(&txn->bytes, text, len);
    if (txn->bytes.failed)
        refuse(txn, "53200", "not enough memory for this statement");
    return offset;
}

/* False: no memory. */
static bool
grow_params(struct pgs_txn *txn)
{
    bool are_few = txn->params == txn->few_params;
    int room = txn->params_room * (are_few ? 4 : 2);
    struct pgs__param *params =
        realloc(are_few ? NULL : txn->params, (size_t)room * sizeof(*params));

    if (params == NULL)
        return false;
    if (are_few)
        memcpy(params, txn->few_params, sizeof(txn->few_params));
    txn->params = params;
    txn->params_room = room;
    return true;
}

static void
add_param(struct pgs_txn *txn, size_t at, size_t len)
{
    struct pgs__step *step = &txn->steps[txn->n_steps - 1];

    if (txn->n_params == txn->params_room && !grow_params(txn)) {
        refuse(txn, "53200", "not enough memory for this statement");
        return;
    }
    if (step->n_params == MAX_PARAMS) {
        refuse(txn, "54023", "too many values for one statement");
        return;
    }
    txn->params[txn->n_params++] = (struct pgs__param){at, len};
    step->n_params++;
}

/* The session's statement is its first step. */
static struct pgs_txn *
make(struct pgs_pool *pool, const char *session_sql, const struct pgs_text *session)
{
    struct pgs_txn *txn = malloc(sizeof(*txn)); /* quicker than calloc(), which asks no cache */

    if (txn == NULL)
        return NULL;
    *txn = (struct pgs_txn){.pool = pool, .params_room = PGS__FEW_PARAMS};
    txn->params = txn->few_params;
    pgs_buf_init(&txn->bytes, 0);
    (void)pgs_buf_reserve(&txn->bytes, 1024);
    pgs_txn_statement(txn, session_sql, strlen(session_sql));
    for (size_t i = 0; i < pool->config.n_session; i++)
        pgs_txn_bind_text(txn, session[i].at != NULL ? session[i].at : "",
                          session[i].at != NULL ? session[i].len : 0);
    txn->role_len = session[0].len;
    return txn;
}

struct pgs_txn *
pgs_txn_new(struct pgs_pool *pool, const struct pgs_text *session)
{
    return make(pool, pool->config.session_sql, session);
}

/* Only this transaction has the setting; each Execute begins its time anew. */
struct pgs_txn *
pgs_txn_new_within(struct pgs_pool *pool, const struct pgs_text *session, uint32_t within_ms)
{
    struct pgs_txn *txn;
    char ms[16];

    if (within_ms == 0 || within_ms >= (uint32_t)pool->config.statement_timeout_ms)
        return pgs_txn_new(pool, session);
    txn = make(pool, pool->session_within_sql, session);
    if (txn != NULL)
        pgs_txn_bind_text(txn, ms, (size_t)snprintf(ms, sizeof(ms), "%u", (unsigned)within_ms));
    return txn;
}

char *
pgs_session_within_sql(const char *session_sql, size_t n_session)
{
    size_t size = strlen(session_sql) + 80;
    char *sql = malloc(size);

    if (sql == NULL)
        abort();
    (void)snprintf(sql, size, "%s, set_config('statement_timeout', $%zu, true)", session_sql,
                   n_session + 1);
    return sql;
}

struct pgs_txn *
pgs__pool_own_txn(struct pgs_pool *pool, const char *sql)
{
    struct pgs_text *session = calloc(pool->config.n_session, sizeof(*session));
    struct pgs_txn *txn;

    if (session == NULL)
        return NULL;
    session[0] = (struct pgs_text){"none", strlen("none")};
    txn = pgs_txn_new(pool, session);
    free(session);
    if (txn != NULL)
        pgs_txn_statement(txn, sql, strlen(sql));
    return txn;
}

void
pgs_txn_statement(struct pgs_txn *txn, const char *sql, size_t len)
{
    struct pgs__step *step;

    if (txn->n_steps == PGS__MAX_STEPS) {
        refuse(txn, "54000", "too many statements in one transaction");
        return;
    }
    step = &txn->steps[txn->n_steps++];
    step->first_param = txn->n_params;
    step->sql_len = len;
    step->sql = keep(txn, sql, len);
}

void
pgs_txn_bind_text(struct pgs_txn *txn, const char *text, size_t len)
{
    /* PostgreSQL's text has no U+0000. */
    if (memchr(text, '\0', len) != NULL)
        refuse(txn, "22021", "invalid byte sequence for encoding \"UTF8\": 0x00");
    add_param(txn, keep(txn, text, len), len);
}

void
pgs_txn_bind_null(struct pgs_txn *txn)
{
    add_param(txn, SIZE_MAX, 0);
}

struct pgs_text
pgs__txn_role(const struct pgs_txn *txn)
{
    return (struct pgs_text){txn->bytes.at + txn->params[0].at, txn->role_len};
}

struct pgs_text
pgs__txn_sql(const struct pgs_txn *txn, const struct pgs__step *step)
{
    return (struct pgs_text){txn->bytes.at + step->sql, step->sql_len};
}

void
pgs__txn_execute(const struct pgs_txn *txn, const struct pgs__step *step, struct pgs_buf *out,
                 struct pgs_text *values)
{
    for (int i = 0; i < step->n_params; i++) {
        const struct pgs__param *param = &txn->params[step->first_param + i];

        values[i] = param->at != SIZE_MAX ? (struct pgs_text){txn->bytes.at + param->at, param->len}
                                          : (struct pgs_text){NULL, 0};
    }
    pgs__wire_bind(out, step->statement->name, values, step->n_params);
    pgs__wire_execute(out);
}

void
pgs__txn_rewind(struct pgs_txn *txn)
{
    for (int i = 0; i < txn->n_steps; i++) {
        struct pgs__step *step = &txn->steps[i];

        step->result = (struct pgs__result){0};
        if (step->statement != NULL)
            pgs__statement_unref(step->statement);
        step->statement = NULL;
    }
    txn->is_too_large = false;
    txn->answer = NULL;
    txn->cursor = (struct pgs__cursor){0};
    txn->error = (struct pgs_text){NULL, 0};
}

void
pgs_txn_keep(struct pgs_txn *txn, void *cell)
{
    txn->kept = cell;
}

void
pgs_txn_leaves_traces(struct pgs_txn *txn)
{
    txn->leaves_traces = true;
}

void
pgs__txn_free(struct pgs_txn *txn)
{
    pgs__txn_rewind(txn);
    if (txn->kept != NULL)
        h2o_mem_release_shared(txn->kept);
    pgs_buf_clear(&txn->bytes);
    if (txn->params != txn->few_params)
        free(txn->params);
    free(txn);
}

void
pgs_txn_discard(struct pgs_txn *txn)
{
    pgs__txn_free(txn);
}

/* ---- what `done` may ask ---- */

enum pgs_txn_state
pgs_txn_state(const struct pgs_txn *txn)
{
    return txn->state;
}

/* The source files of PostgreSQL's procedural languages, which raise what functions say. */
static bool
is_raised(struct pgs_text error)
{
    static const char *const files[] = {"pl_", "plpy", "plperl", "pltcl", "plv8"};
    const char *file = pgs__error_field(error, 'F');

    for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++)
        if (strncmp(file, files[i], strlen(files[i])) == 0)
            return true;
    return false;
}

struct pgs_db_error
pgs_txn_error(const struct pgs_txn *txn)
{
    if (txn->error.at == NULL)
        return (struct pgs_db_error){.sqlstate = txn->refused != NULL ? txn->refused_state : "",
                                     .message = txn->refused != NULL ? txn->refused : "",
                                     .detail = "",
                                     .hint = "",
                                     .is_too_large = txn->is_too_large};
    return (struct pgs_db_error){
        .sqlstate = pgs__error_field(txn->error, 'C'),
        .message = pgs__error_field(txn->error, 'M'),
        .detail = pgs__error_field(txn->error, 'D'),
        .hint = pgs__error_field(txn->error, 'H'),
        .is_raised = is_raised(txn->error),
    };
}

void
pgs_txn_times(const struct pgs_txn *txn, int64_t *wait_us, int64_t *db_us)
{
    *wait_us = txn->sent_us > 0 ? txn->sent_us - txn->queued_us : 0;
    *db_us = txn->db_us;
}

int
pgs_txn_row_count(const struct pgs_txn *txn, int statement)
{
    return txn->steps[statement + 1].result.n_rows;
}

int64_t
pgs_txn_affected(const struct pgs_txn *txn, int statement)
{
    return txn->steps[statement + 1].result.affected;
}

int
pgs_txn_column_count(const struct pgs_txn *txn, int statement)
{
    return txn->steps[statement + 1].result.n_columns;
}

/* The message of the next row; other messages may come between. */
static const char *
next_row(const char *at)
{
    struct pgs__message message;

    do {
        (void)pgs__wire_next(at, SIZE_MAX, &message);
        at = message.at + message.len;
    } while (*at != PGS__MESSAGE_ROW);
    return at;
}

static void
go_to_row(const struct pgs_txn *txn, struct pgs__cursor *cursor, const struct pgs__result *result,
          int row)
{
    if (cursor->result != result || row < cursor->row) {
        cursor->result = result;
        cursor->row_at = txn->answer + result->first;
        cursor->row = 0;
    }
    for (; cursor->row < row; cursor->row++)
        cursor->row_at = next_row(cursor->row_at);
    cursor->value_at = pgs__row_values(cursor->row_at + PGS__MESSAGE_HEAD);
    cursor->column = 0;
}

const char *
pgs_txn_value(struct pgs_txn *txn, int statement, int row, int column, size_t *len)
{
    const struct pgs__result *result = &txn->steps[statement + 1].result;
    struct pgs__cursor *cursor = &txn->cursor;
    struct pgs_text value;

    *len = 0;
    if (row >= result->n_rows || column >= result->n_columns)
        return NULL;
    if (cursor->result != result || row != cursor->row || column < cursor->column)
        go_to_row(txn, cursor, result, row);
    for (; cursor->column < column; cursor->column++)
        (void)pgs__row_next(&cursor->value_at);
    value = pgs__row_next(&cursor->value_at);
    cursor->column++;
    *len = value.len;
    return value.at;
}

int64_t
pgs_txn_int(struct pgs_txn *txn, int statement, int row, int column)
{
    char digits[24];
    size_t len;
    const char *text = pgs_txn_value(txn, statement, row, column, &len);

    if (text == NULL || len >= sizeof(digits))
        return 0;
    memcpy(digits, text, len);
    digits[len] = '\0';
    return strtoll(digits, NULL, 10);
}
