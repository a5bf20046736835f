/* SPDX-License-Identifier: MIT */
/*
 * POST, PATCH and DELETE of a relation.  Each is one statement, so it happens as a whole or not at
 * all.
 */
#include <string.h>

#include "rest/columns.h"
#include "rest/respond.h"

static void
respond_written(struct pgs_request *rq, struct pgs_txn *txn)
{
    bool created = rq->route->method == PGS_POST;

    if (rq->prefer.count)
        pgs__add_content_range(rq, 0, 0, pgs_txn_affected(txn, 0));
    if (rq->prefer.returning == PGS_RETURN_REPRESENTATION) {
        pgs__respond_rows(rq, txn, created ? 201 : 200);
        return;
    }
    pgs__add_preferences(rq);
    pgs_reply_empty(rq->req, created ? 201 : 204);
}

/* `?id=eq.5`: where the one new row is found. */
static void
respond_location(struct pgs_request *rq, struct pgs_txn *txn)
{
    struct pgs_buf value;

    if (pgs_txn_row_count(txn, 0) == 1) {
        pgs_buf_init(&value, 0);
        pgs_buf_add_str(&value, rq->route->path);
        for (size_t i = 0; i < rq->n_outputs; i++) {
            size_t len = 0;
            const char *text = pgs_txn_value(txn, 0, 0, (int)i, &len);
            h2o_iovec_t escaped = h2o_uri_escape(&rq->req->pool, text, len, "-_.:");

            pgs_buf_add_char(&value, i == 0 ? '?' : '&');
            pgs_buf_add(&value, rq->outputs[i].name, rq->outputs[i].name_len);
            pgs_buf_add_str(&value, "=eq.");
            pgs_buf_add(&value, escaped.base, escaped.len);
        }
        if (!value.failed)
            pgs_reply_header(rq->req, "location", value.at, value.len);
        pgs_buf_clear(&value);
    }
    respond_written(rq, txn);
}

/* Adds `returning` with what the answer needs; false: answered. */
static bool
add_returning(struct pgs_request *rq, struct pgs_sql *sql, const struct pgs_relation *relation)
{
    struct pgs_source source;
    struct pgs_output *outputs;

    if (rq->prefer.returning == PGS_RETURN_REPRESENTATION) {
        if (!pgs__relation_source(rq, relation, &source)) {
            pgs__fail_denied(rq, relation->name);
            return false;
        }
        pgs__sql_add(sql, " returning ");
        return pgs__sql_select(rq, sql, &source);
    }
    if (rq->prefer.returning != PGS_RETURN_HEADERS_ONLY || relation->n_key == 0)
        return true;
    outputs = rq->memory.alloc(rq->memory.pool, relation->n_key * sizeof(*outputs));
    for (size_t i = 0; i < relation->n_key; i++) {
        const struct pgs_column *column = &relation->columns[relation->key[i]];

        pgs__sql_add(sql, i == 0 ? " returning " : ", ");
        pgs__sql_add(sql, column->ident);
        outputs[i] = (struct pgs_output){column->name, strlen(column->name), &column->type};
    }
    rq->outputs = outputs;
    rq->n_outputs = relation->n_key;
    return true;
}

/*
 * A single object is asked for: a write of several rows must not happen.  The statement becomes a
 * CTE, and a function of the platform raises PGS16 when it has more than one row.
 */
static bool
is_guarded(const struct pgs_request *rq)
{
    return rq->single && rq->prefer.returning == PGS_RETURN_REPRESENTATION;
}

static void
begin_write(struct pgs_request *rq, struct pgs_sql *sql)
{
    if (is_guarded(rq))
        pgs__sql_add(sql, "with written as (");
}

static void
end_write(struct pgs_request *rq, struct pgs_sql *sql)
{
    if (is_guarded(rq))
        pgs__sql_add(sql, ") select written.*, pgstack.single_row(count(*) over ()) from written");
}

/* The fields of a write: which of a shape's, in order. */
struct fields {
    size_t *at;
    size_t n;
};

static bool
is_in_columns(const struct pgs_request *rq, const char *name)
{
    for (size_t i = 0; i < rq->query.n_columns; i++)
        if (rq->query.columns[i].len == strlen(name) &&
            memcmp(rq->query.columns[i].at, name, rq->query.columns[i].len) == 0)
            return true;
    return false;
}

static bool
check_columns(struct pgs_request *rq, const struct pgs_relation *relation,
              const struct pgs_shape *shape)
{
    for (size_t i = 0; i < rq->query.n_columns; i++) {
        const struct pgs_text *name = &rq->query.columns[i];
        bool found = false;

        for (size_t f = 0; f < shape->n_fields && !found; f++)
            found = strlen(shape->fields[f].column->name) == name->len &&
                    memcmp(shape->fields[f].column->name, name->at, name->len) == 0;
        if (!found) {
            pgs__fail(rq, 400, "PGRST204", NULL, NULL,
                      "Could not find the '%.*s' column of '%s' among those that may be written",
                      (int)name->len, name->at, relation->name);
            return false;
        }
    }
    return true;
}

static const unsigned char *
row_at(const struct pgs_shape *shape, const struct pgs_rows *rows, size_t i)
{
    return (const unsigned char *)rows->at + i * shape->struct_size;
}

/*
 * The columns to insert: those of `columns=`, else those of the first row, and then every row must
 * have the same.  A row that lacks one of `columns=` gets null there, or, alone and with
 * missing=default, the default.
 */
static bool
choose_fields(struct pgs_request *rq, const struct pgs_relation *relation,
              const struct pgs_shape *shape, const struct pgs_rows *rows, struct fields *fields)
{
    bool listed = rq->query.n_columns > 0;

    if (!check_columns(rq, relation, shape))
        return false;
    fields->at = rq->memory.alloc(rq->memory.pool, (shape->n_fields + 1) * sizeof(size_t));
    fields->n = 0;
    for (size_t f = 0; f < shape->n_fields; f++) {
        bool in_first = rows->n > 0 && row_at(shape, rows, 0)[f] != PGS_ABSENT;
        bool wanted = listed ? is_in_columns(rq, shape->fields[f].column->name) : in_first;
        bool may_lack = listed && !rq->prefer.missing_default;

        for (size_t r = 1; r < rows->n && (!listed || wanted) && !may_lack; r++)
            if ((row_at(shape, rows, r)[f] != PGS_ABSENT) != in_first) {
                pgs__fail(rq, 400, "PGRST102", NULL,
                          "give every object the same keys, or name them in `columns=`",
                          "All object keys must match");
                return false;
            }
        if (wanted && (in_first || may_lack))
            fields->at[fields->n++] = f;
    }
    return true;
}

static void
add_column_list(struct pgs_sql *sql, const struct pgs_shape *shape, const struct fields *fields)
{
    for (size_t i = 0; i < fields->n; i++) {
        pgs__sql_add(sql, i == 0 ? " (" : ", ");
        pgs__sql_add(sql, shape->fields[fields->at[i]].column->ident);
    }
    if (fields->n > 0)
        pgs__sql_add(sql, ")");
}

static void
add_one_row(struct pgs_request *rq, struct pgs_sql *sql, const struct pgs_shape *shape,
            const struct fields *fields, const void *row)
{
    if (fields->n == 0) {
        pgs__sql_add(sql, " default values");
        return;
    }
    pgs__sql_add(sql, " values (");
    for (size_t i = 0; i < fields->n; i++) {
        if (i > 0)
            pgs__sql_add(sql, ", ");
        pgs__sql_param(sql, pgs__field_text(rq->memory, shape, fields->at[i], row),
                       shape->fields[fields->at[i]].column->type.sql);
    }
    pgs__sql_add(sql, ")");
}

/* One text array a column, taken apart by unnest: the statement's text is the same for any number
 * of rows. */
static void
add_many_rows(struct pgs_request *rq, struct pgs_sql *sql, const struct pgs_shape *shape,
              const struct fields *fields, const struct pgs_rows *rows)
{
    struct pgs_text *values = rq->memory.alloc(rq->memory.pool, (rows->n + 1) * sizeof(*values));

    pgs__sql_add(sql, " select ");
    for (size_t i = 0; i < fields->n; i++) {
        pgs__sql_add(sql, i == 0 ? "v" : ", v");
        pgs_buf_add_int(&sql->text, (int64_t)i);
        pgs__sql_add(sql, "::");
        pgs__sql_add(sql, shape->fields[fields->at[i]].column->type.sql);
    }
    pgs__sql_add(sql, " from unnest(");
    for (size_t i = 0; i < fields->n; i++) {
        for (size_t r = 0; r < rows->n; r++)
            values[r] = pgs__field_text(rq->memory, shape, fields->at[i], row_at(shape, rows, r));
        if (i > 0)
            pgs__sql_add(sql, ", ");
        pgs__sql_param(sql, pgs__array_literal(rq->memory, values, rows->n), "text[]");
    }
    pgs__sql_add(sql, ") as v (");
    for (size_t i = 0; i < fields->n; i++) {
        pgs__sql_add(sql, i == 0 ? "v" : ", v");
        pgs_buf_add_int(&sql->text, (int64_t)i);
    }
    pgs__sql_add(sql, ")");
}

static bool
add_conflict_target(struct pgs_request *rq, struct pgs_sql *sql,
                    const struct pgs_relation *relation)
{
    struct pgs_source source = {
        relation->name, relation->columns, relation->n_columns, relation, NULL, 0};
    size_t n = rq->query.n_on_conflict > 0 ? rq->query.n_on_conflict : relation->n_key;

    if (n == 0) {
        pgs__fail(rq, 400, "PGS104", NULL, "name the unique columns in `on_conflict=`",
                  "\"%s\" has no primary key to resolve duplicates by", relation->name);
        return false;
    }
    pgs__sql_add(sql, " on conflict (");
    for (size_t i = 0; i < n; i++) {
        const struct pgs_column *column =
            rq->query.n_on_conflict > 0 ? pgs__find_column(rq, &source, rq->query.on_conflict[i])
                                        : &relation->columns[relation->key[i]];

        if (column == NULL)
            return false;
        if (i > 0)
            pgs__sql_add(sql, ", ");
        pgs__sql_add(sql, column->ident);
    }
    pgs__sql_add(sql, ")");
    return true;
}

static bool
add_conflict(struct pgs_request *rq, struct pgs_sql *sql, const struct pgs_relation *relation,
             const struct pgs_shape *shape, const struct fields *fields)
{
    if (rq->prefer.resolution == PGS_RESOLUTION_NONE)
        return true;
    if (!add_conflict_target(rq, sql, relation))
        return false;
    if (rq->prefer.resolution == PGS_RESOLUTION_IGNORE || fields->n == 0) {
        pgs__sql_add(sql, " do nothing");
        return true;
    }
    for (size_t i = 0; i < fields->n; i++) {
        const char *ident = shape->fields[fields->at[i]].column->ident;

        pgs__sql_add(sql, i == 0 ? " do update set " : ", ");
        pgs__sql_add(sql, ident);
        pgs__sql_add(sql, " = excluded.");
        pgs__sql_add(sql, ident);
    }
    return true;
}

static void
reply_none(struct pgs_request *rq, int status)
{
    struct pgs_buf body;

    pgs__add_preferences(rq);
    if (rq->prefer.returning != PGS_RETURN_REPRESENTATION) {
        pgs_reply_empty(rq->req, status == 200 ? 204 : status);
        return;
    }
    pgs_buf_init(&body, 0);
    pgs_buf_add_str(&body, "[]");
    pgs_reply(rq->req, status, "application/json; charset=utf-8", &body);
}

void
pgs_run_insert(struct pgs_request *rq, const struct pgs_relation *relation,
               const struct pgs_shape *shape, const struct pgs_rows *rows)
{
    struct fields fields;
    struct pgs_sql *sql;

    if (rows->n == 0) {
        reply_none(rq, 201);
        return;
    }
    if (!choose_fields(rq, relation, shape, rows, &fields))
        return;
    if (fields.n == 0 && rows->n > 1) {
        pgs__fail(rq, 400, "PGRST102", NULL, "send empty objects one at a time",
                  "An array of empty objects cannot be inserted");
        return;
    }
    sql = pgs__statement(rq);
    begin_write(rq, sql);
    pgs__sql_add(sql, "insert into ");
    pgs__sql_add(sql, relation->sql);
    add_column_list(sql, shape, &fields);
    if (rows->n == 1)
        add_one_row(rq, sql, shape, &fields, rows->at);
    else
        add_many_rows(rq, sql, shape, &fields, rows);
    if (!add_conflict(rq, sql, relation, shape, &fields) || !add_returning(rq, sql, relation))
        return;
    end_write(rq, sql);
    rq->slow = rows->n > 100;
    pgs__send(rq,
              rq->prefer.returning == PGS_RETURN_HEADERS_ONLY ? respond_location : respond_written);
}

/* As the safeupdate module has it: to change all rows, say so with a filter that all pass. */
static bool
check_filtered(struct pgs_request *rq, const char *word)
{
    if (rq->query.where == NULL) {
        pgs__fail(rq, 400, "21000", NULL, "filter by the primary key, or by what you mean",
                  "%s requires a WHERE clause", word);
        return false;
    }
    if (rq->query.limit >= 0 || rq->query.offset > 0 || rq->query.n_order > 0) {
        pgs__fail(rq, 400, "PGRST100", NULL, "filter the rows instead",
                  "order, limit and offset do not go with %s", word);
        return false;
    }
    return true;
}

static bool
add_filters(struct pgs_request *rq, struct pgs_sql *sql, const struct pgs_relation *relation)
{
    struct pgs_source source = {
        relation->name, relation->columns, relation->n_columns, relation, NULL, 0};

    return pgs__sql_where(rq, sql, &source) && add_returning(rq, sql, relation);
}

void
pgs_run_update(struct pgs_request *rq, const struct pgs_relation *relation,
               const struct pgs_shape *shape, const void *row)
{
    const unsigned char *has = row;
    struct pgs_sql *sql;
    size_t n = 0;

    if (!check_filtered(rq, "UPDATE") || !check_columns(rq, relation, shape))
        return;
    sql = pgs__statement(rq);
    begin_write(rq, sql);
    pgs__sql_add(sql, "update ");
    pgs__sql_add(sql, relation->sql);
    for (size_t f = 0; f < shape->n_fields; f++) {
        const struct pgs_column *column = shape->fields[f].column;

        if (has[f] == PGS_ABSENT || (rq->query.n_columns > 0 && !is_in_columns(rq, column->name)))
            continue;
        pgs__sql_add(sql, n++ == 0 ? " set " : ", ");
        pgs__sql_add(sql, column->ident);
        pgs__sql_add(sql, " = ");
        pgs__sql_param(sql, pgs__field_text(rq->memory, shape, f, row), column->type.sql);
    }
    if (n == 0) {
        reply_none(rq, 200);
        return;
    }
    if (!add_filters(rq, sql, relation))
        return;
    end_write(rq, sql);
    pgs__send(rq, respond_written);
}

void
pgs_run_delete(struct pgs_request *rq, const struct pgs_relation *relation)
{
    struct pgs_sql *sql;

    if (!check_filtered(rq, "DELETE"))
        return;
    sql = pgs__statement(rq);
    begin_write(rq, sql);
    pgs__sql_add(sql, "delete from ");
    pgs__sql_add(sql, relation->sql);
    if (!add_filters(rq, sql, relation))
        return;
    end_write(rq, sql);
    pgs__send(rq, respond_written);
}
