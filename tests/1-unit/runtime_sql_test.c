/* SPDX-License-Identifier: MIT */
/*
 * What a request becomes in SQL: each case is a query string and the statements with their
 * parameters, or the refusal, written out.  The names are as hostile as a schema allows.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>

#include "base/text.h"
#include "rest/build.h"
#include "codec/literal.h"
#include "runtime_heap.h"

static const char *const moods[] = {"sad", "so, \"so\"", NULL};

enum {
    ID,
    QUOTED,
    MOOD,
    TAGS,
    DOC,
    SECRET,
};

static const struct pgs_column columns[] = {
    PGS_COLUMN("id", "id", PGS_INT8, "bigint", PGS_NOT_NULL),
    PGS_COLUMN("a\"b; --", "\"a\"\"b; --\"", PGS_TEXT, "text", PGS_NULLABLE),
    PGS_ENUM_COLUMN("order", "\"order\"", "public.\"Mood\"", moods, PGS_NOT_NULL),
    PGS_ARRAY_COLUMN("tags", "tags", PGS_TEXT, "text", NULL, PGS_NOT_NULL),
    PGS_COLUMN("doc", "doc", PGS_JSONB, "jsonb", PGS_NULLABLE),
    PGS_COLUMN("secret", "secret", PGS_TEXT, "text", PGS_NULLABLE),
};

static const uint16_t key[] = {ID};
static const uint16_t visible[] = {ID, QUOTED, MOOD, TAGS, DOC};
static const uint16_t filters[] = {QUOTED, MOOD, TAGS, DOC};
static const uint16_t orders[] = {MOOD, QUOTED};
static const struct pgs_access access_of_all[] = {
    {.roles = 7, .select = visible, .n_select = PGS_COUNT(visible)}};

static const struct pgs_relation odd = {
    .name = "odd",
    .sql = "public.\"odd\"\"t\"",
    .columns = columns,
    .n_columns = PGS_COUNT(columns),
    .key = key,
    .n_key = PGS_COUNT(key),
    .access = access_of_all,
    .n_access = PGS_COUNT(access_of_all),
    .filters = filters,
    .n_filters = PGS_COUNT(filters),
    .orders = orders,
    .n_orders = PGS_COUNT(orders),
    .limit = 50,
    .max = 200,
};

struct odd_row {
    unsigned char has[4];
    int64_t id;
    struct pgs_text quoted;
    struct pgs_text order;
    struct pgs_text tags;
};

static const struct pgs_field row_fields[] = {
    PGS_FIELD(struct odd_row, id, columns[ID], PGS_OPTIONAL),
    PGS_FIELD(struct odd_row, quoted, columns[QUOTED], PGS_OPTIONAL),
    PGS_FIELD(struct odd_row, order, columns[MOOD], PGS_OPTIONAL),
    PGS_FIELD(struct odd_row, tags, columns[TAGS], PGS_OPTIONAL),
};
static const struct pgs_shape row_shape = PGS_SHAPE(struct odd_row, row_fields);

static const struct pgs_role roles[] = {{"anon", NULL, NULL}};
static const struct pgs_app app = {.roles = roles, .n_roles = 1, .max_rows = 1000};
static struct pgs_thread thread = {.app = &app};
static struct pgs_route route = {.path = "/rest/v1/odd"};
static struct pgs_request rq;

/* A request as it is when its handler runs. */
static void
begin(enum pgs_method method, const char *query, const struct pgs_shape *arguments,
      const char *prefer)
{
    struct pgs_read_error error;

    memset(&rq, 0, sizeof(rq));
    route.method = method;
    rq.route = &route;
    rq.thread = &thread;
    rq.memory = rq.scratch = heap;
    rq.who.role = 1;
    assert_true(pgs_query_string_read(query, strlen(query), arguments, heap, &rq.query, &error));
    rq.limit = rq.query.limit;
    rq.offset = rq.query.offset;
    pgs_prefer_read(prefer, strlen(prefer), &rq.prefer);
}

static void
end(void)
{
    for (int i = 0; i < rq.n_statements; i++)
        pgs__sql_clear(&rq.statements[i]);
    heap_free_all();
}

/* `text | parameter | parameter`, a line each; or `status code message`. */
static void
describe(struct pgs_buf *out, bool built)
{
    if (!built) {
        pgs_buf_add_int(out, rq.refusal.status);
        pgs_buf_add_char(out, ' ');
        pgs_buf_add_str(out, rq.refusal.code);
        pgs_buf_add_char(out, ' ');
        pgs_buf_add_str(out, rq.refusal.message);
    }
    for (int i = 0; built && i < rq.n_statements; i++) {
        const struct pgs_sql *sql = &rq.statements[i];

        pgs_buf_add_str(out, i > 0 ? "\n" : "");
        pgs_buf_add(out, sql->text.at, sql->text.len);
        for (size_t p = 0; p < sql->n_params; p++) {
            pgs_buf_add_str(out, sql->params[p].at != NULL ? " | " : " / null");
            pgs_buf_add(out, sql->params[p].at != NULL ? sql->params[p].at : "",
                        sql->params[p].at != NULL ? sql->params[p].len : 0);
        }
    }
    pgs_buf_add_char(out, '\0');
}

static void
expect(bool built, const char *query, const char *expected)
{
    struct pgs_buf out;

    pgs_buf_init(&out, 0);
    describe(&out, built);
    if (strcmp(out.at, expected) != 0)
        fail_msg("\"%s\" gave\n%s\nand not\n%s", query, out.at, expected);
    pgs_buf_clear(&out);
    end();
}

#define ALL "id, \"a\"\"b; --\", \"order\", tags, doc"
#define FROM " from public.\"odd\"\"t\" as r"
#define PAGE(n) " limit $" #n "::bigint"

struct expectation {
    const char *query;
    const char *prefer;
    const char *sql;
};

static void
test_list(void **state)
{
    static const struct expectation cases[] = {
        {"", "", "select " ALL FROM PAGE(1) " | 50"},
        {"select=*", "", "select " ALL FROM PAGE(1) " | 50"},
        {"select=x:id::text,secret&limit=3", "", "select id::text, secret" FROM PAGE(1) " | 3"},
        {"select=\"a\\\"b; --\"&limit=3", "", "select \"a\"\"b; --\"" FROM PAGE(1) " | 3"},
        {"select=id&limit=1000&offset=20", "",
         "select id" FROM PAGE(1) " offset $2::bigint | 200 | 20"},
        {"select=id&id=eq.5", "", "select id" FROM " where id = $1::bigint | 5"},
        {"select=id&id=eq.5&limit=0", "",
         "select id" FROM " where id = $1::bigint" PAGE(2) " | 5 | 0"},
        {"select=id&id=not.eq.5", "",
         "select id" FROM " where not id = $1::bigint" PAGE(2) " | 5 | 50"},
        {"select=id&id=eq.1;drop table x", "",
         "select id" FROM " where id = $1::bigint | 1;drop table x"},
        {"select=id&\"a\\\"b; --\"=like.*x*&limit=1", "",
         "select id" FROM " where \"a\"\"b; --\" like $1::text" PAGE(2) " | %x% | 1"},
        {"select=id&\"order\"=in.(sad,\"so, \\\"so\\\"\")&limit=1", "",
         "select id" FROM " where \"order\" = any ($1::public.\"Mood\"[])" PAGE(
             2) " | {\"sad\",\"so, \\\"so\\\"\"} | 1"},
        {"select=id&tags=not.cs.{a}&doc=is.not_null&limit=1", "",
         "select id" FROM " where not tags @> $1::text[] and doc is not null" PAGE(2) " | {a} | 1"},
        {"select=id&or=(id.eq.1,not.and(doc.is.null,id.gt.2))&limit=1", "",
         "select id" FROM " where (id = $1::bigint or not (doc is null and id > $2::bigint))" PAGE(
             3) " | 1 | 2 | 1"},
        {"select=id::text&order=id.desc.nullslast,\"order\"&limit=1", "",
         "select id::text" FROM " order by r.id desc nulls last, r.\"order\"" PAGE(1) " | 1"},
        {"select=id&doc=eq.{}&limit=1", "count=exact",
         "select id" FROM " where doc = $1::jsonb" PAGE(2) " | {} | 1\nselect count(*)" FROM
                                                           " where doc = $1::jsonb | {}"},
        {"select=nope", "", "400 42703 column odd.nope does not exist"},
        {"select=id;drop", NULL, NULL},
        {"select=id::\"bigint\"", NULL, NULL},
        {"select=id::bigint[]", NULL, NULL},
        {"select=id::regclass", "", "400 42704 type \"regclass\" does not exist"},
        {"select=id,team(*)", "", "400 PGRST200 Embedding \"team\" in \"odd\" is not supported"},
        {"nope=eq.1", "", "400 42703 column odd.nope does not exist"},
        {"secret=eq.1", "", "400 PGS101 The endpoint of \"odd\" does not filter by \"secret\""},
        {"or=(id.eq.1,secret.eq.1)", "",
         "400 PGS101 The endpoint of \"odd\" does not filter by \"secret\""},
        {"order=secret", "", "400 PGS102 The endpoint of \"odd\" does not order by \"secret\""},
    };

    (void)state;
    for (size_t i = 0; i < PGS_COUNT(cases); i++) {
        struct pgs_query_string query;
        struct pgs_read_error error;

        if (cases[i].sql == NULL) { /* the reader of the URL has refused it already */
            assert_false(pgs_query_string_read(cases[i].query, strlen(cases[i].query), NULL, heap,
                                               &query, &error));
            heap_free_all();
            continue;
        }
        begin(PGS_GET, cases[i].query, NULL, cases[i].prefer);
        expect(pgs__build_list(&rq, &odd), cases[i].query, cases[i].sql);
    }
}

static void
test_list_by_key_alone(void **state)
{
    struct pgs_relation relation = odd;

    (void)state;
    relation.key_only = true;
    begin(PGS_GET, "select=id&id=eq.5", NULL, "");
    expect(pgs__build_list(&rq, &relation), "id=eq.5",
           "select id" FROM " where id = $1::bigint | 5");
    begin(PGS_GET, "or=(id.eq.5)", NULL, "");
    expect(pgs__build_list(&rq, &relation), "or=(id.eq.5)",
           "400 PGS103 The endpoint of \"odd\" serves single rows only");
}

static void
test_select_is_bounded(void **state)
{
    char query[1024] = "select=*";

    (void)state;
    for (int i = 1; i < 321; i++)
        strncat(query, ",*", sizeof(query) - strlen(query) - 1);
    begin(PGS_GET, query, NULL, "");
    expect(pgs__build_list(&rq, &odd), query, "400 54011 too many columns in select: at most 1600");
}

/* Rows of a body, as the reader leaves them. */
static struct pgs_rows
read_rows(const char *json)
{
    struct pgs_rows rows;
    struct pgs_read_error error;

    assert_true(pgs_json_read(&row_shape, json, strlen(json), 100, heap, &rows.at, &rows.n,
                              &rows.was_array, &error));
    return rows;
}

#define INSERT "insert into public.\"odd\"\"t\""
#define SINGLE ", pgstack.single_row(count(*) over ())"

static void
test_insert(void **state)
{
    static const struct {
        const char *query, *prefer, *body, *sql;
    } cases[] = {
        {"", "", "{}", INSERT " default values"},
        {"", "", "[{},{},{}]", INSERT " select from generate_series(1, $1::bigint) | 3"},
        {"", "", "{\"a\\\"b; --\":\"'); drop table x; --\",\"id\":null}",
         INSERT
         " (id, \"a\"\"b; --\") values ($1::bigint, $2::text) / null | '); drop table x; --"},
        {"", "",
         "[{\"order\":\"sad\",\"tags\":[\"a\"]},{\"tags\":null,\"order\":\"so, \\\"so\\\"\"}]",
         INSERT
         " (\"order\", tags) select v0::public.\"Mood\", v1::text[] from unnest($1::text[],"
         " $2::text[]) as v (v0, v1) | {\"sad\",\"so, \\\"so\\\"\"} | {\"{\\\"a\\\"}\",NULL}"},
        {"", "", "[{\"id\":1},{\"id\":2,\"tags\":[]}]", "400 PGRST102 All object keys must match"},
        {"columns=id,tags", "", "[{\"id\":1},{\"id\":2,\"tags\":[]}]",
         INSERT " (id, tags) select v0::bigint, v1::text[] from unnest($1::text[], $2::text[])"
                " as v (v0, v1) | {\"1\",\"2\"} | {NULL,\"{}\"}"},
        {"columns=id,tags", "missing=default", "[{\"id\":1},{\"id\":2,\"tags\":[]}]",
         "400 PGRST102 All object keys must match"},
        {"columns=id,tags", "missing=default", "{\"id\":1}",
         INSERT " (id) values ($1::bigint) | 1"},
        {"columns=id", "", "[{\"id\":1,\"tags\":[]}]", INSERT " (id) values ($1::bigint) | 1"},
        {"columns=id,doc", "", "{\"id\":1}",
         "400 PGRST204 Could not find the 'doc' column of 'odd' among those that may be written"},
        {"select=id,x:tags::text", "return=representation", "{\"id\":1}",
         INSERT " (id) values ($1::bigint) returning id, tags::text | 1"},
        {"select=id&order=\"order\".desc,id", "return=representation", "{\"id\":1}",
         "with written as (" INSERT " (id) values ($1::bigint) returning id, \"order\", id) select"
         " written.* from written order by 2 desc, 3 | 1"},
        {"", "return=headers-only", "{\"id\":1}",
         INSERT " (id) values ($1::bigint) returning id | 1"},
        {"", "resolution=ignore-duplicates", "{\"id\":1}",
         INSERT " (id) values ($1::bigint) on conflict (id) do nothing | 1"},
        {"", "resolution=merge-duplicates", "{\"id\":1,\"tags\":[],\"order\":\"sad\"}",
         INSERT " (id, \"order\", tags) values ($1::bigint, $2::public.\"Mood\", $3::text[]) on"
                " conflict (id) do update set \"order\" = excluded.\"order\", tags = excluded.tags"
                " | 1 | sad | {}"},
        {"", "resolution=merge-duplicates", "{\"id\":1}",
         INSERT " (id) values ($1::bigint) on conflict (id) do update set id = excluded.id | 1"},
        {"on_conflict=\"a\\\"b; --\",\"order\"", "resolution=merge-duplicates", "{\"id\":1}",
         INSERT " (id) values ($1::bigint) on conflict (\"a\"\"b; --\", \"order\") do update set"
                " id = excluded.id | 1"},
        {"on_conflict=nope", "resolution=merge-duplicates", "{\"id\":1}",
         "400 42703 column odd.nope does not exist"},
        {"id=eq.1", "", "{}", "400 PGRST100 filters, limit and offset do not go with INSERT"},
        {"limit=1", "", "{}", "400 PGRST100 filters, limit and offset do not go with INSERT"},
    };

    (void)state;
    for (size_t i = 0; i < PGS_COUNT(cases); i++) {
        struct pgs_rows rows;

        begin(PGS_POST, cases[i].query, NULL, cases[i].prefer);
        rows = read_rows(cases[i].body);
        expect(pgs__build_insert(&rq, &odd, &row_shape, &rows), cases[i].body, cases[i].sql);
    }
}

static void
test_insert_of_a_single_object(void **state)
{
    struct pgs_rows rows;

    (void)state;
    begin(PGS_POST, "select=id", NULL, "return=representation");
    rq.single = true;
    rows = read_rows("{\"id\":1}");
    expect(pgs__build_insert(&rq, &odd, &row_shape, &rows), "single",
           "with written as (" INSERT
           " (id) values ($1::bigint) returning id) select written.*" SINGLE " from written | 1");
    begin(PGS_POST, "", NULL, "");
    rq.single = true;
    rows = read_rows("{\"id\":1}");
    expect(pgs__build_insert(&rq, &odd, &row_shape, &rows), "single, not shown",
           "with written as (" INSERT
           " (id) values ($1::bigint) returning 1) select written.*" SINGLE " from written | 1");
}

static void
test_a_row_may_be_written_unseen(void **state)
{
    struct pgs_relation relation = odd;
    struct pgs_rows rows;

    (void)state;
    relation.n_access = 0;
    begin(PGS_POST, "", NULL, "return=representation");
    rows = read_rows("{}");
    expect(pgs__build_insert(&rq, &relation, &row_shape, &rows), "shown",
           "403 42501 permission denied for table odd");
    begin(PGS_POST, "", NULL, "");
    rows = read_rows("{}");
    expect(pgs__build_insert(&rq, &relation, &row_shape, &rows), "not shown",
           INSERT " default values");
}

#define UPDATE "update public.\"odd\"\"t\""

static void
test_update(void **state)
{
    static const struct {
        const char *query, *prefer, *body, *sql;
        bool changes;
    } cases[] = {
        {"id=eq.1", "", "{\"tags\":null,\"a\\\"b; --\":\"x\"}",
         UPDATE " set \"a\"\"b; --\" = $1::text, tags = $2::text[] where id = $3::bigint | x / null"
                " | 1",
         true},
        {"id=eq.1&columns=tags", "", "{\"tags\":[],\"order\":\"sad\"}",
         UPDATE " set tags = $1::text[] where id = $2::bigint | {} | 1", true},
        {"id=gt.1&select=id&order=\"order\"", "return=representation", "{\"tags\":[]}",
         "with written as (" UPDATE " set tags = $1::text[] where id > $2::bigint returning id,"
         " \"order\") select written.* from written order by 2 | {} | 1",
         true},
        {"id=gt.1", "return=headers-only", "{\"tags\":[]}",
         UPDATE " set tags = $1::text[] where id > $2::bigint | {} | 1", true},
        {"id=eq.1", "", "{}", UPDATE " where id = $1::bigint | 1", false},
        {"", "", "{\"tags\":[]}", "400 21000 UPDATE requires a WHERE clause", true},
        {"id=eq.1&limit=1", "", "{}", "400 PGRST100 limit and offset do not go with UPDATE", true},
        {"nope=eq.1", "", "{}", "400 42703 column odd.nope does not exist", false},
        {"secret=eq.1", "", "{}",
         "400 PGS101 The endpoint of \"odd\" does not filter by \"secret\"", false},
    };

    (void)state;
    for (size_t i = 0; i < PGS_COUNT(cases); i++) {
        struct pgs_rows rows;
        bool changes = true, built;

        begin(PGS_PATCH, cases[i].query, NULL, cases[i].prefer);
        rows = read_rows(cases[i].body);
        built = pgs__build_update(&rq, &odd, &row_shape, rows.at, &changes);
        assert_int_equal(changes, cases[i].changes);
        expect(built, cases[i].query, cases[i].sql);
    }
}

static void
test_delete(void **state)
{
    (void)state;
    begin(PGS_DELETE, "id=in.(1,2)", NULL, "");
    expect(pgs__build_delete(&rq, &odd), "id=in.(1,2)",
           "delete from public.\"odd\"\"t\" where id = any ($1::bigint[]) | {\"1\",\"2\"}");
    begin(PGS_DELETE, "id=eq.1&select=id", NULL, "return=representation");
    rq.single = true;
    expect(pgs__build_delete(&rq, &odd), "id=eq.1",
           "with written as (delete from public.\"odd\"\"t\" where id = $1::bigint returning id)"
           " select written.*" SINGLE " from written | 1");
    begin(PGS_DELETE, "order=id", NULL, "");
    expect(pgs__build_delete(&rq, &odd), "order=id", "400 21000 DELETE requires a WHERE clause");
}

static const struct pgs_call rows_call = {
    .name = "f",
    .sql = "public.f",
    .arguments = &row_shape,
    .columns = columns,
    .n_columns = PGS_COUNT(columns),
    .returns_set = true,
};
static const struct pgs_call scalar_call = {
    .name = "g",
    .sql = "public.g",
    .arguments = &row_shape,
    .columns = columns,
    .n_columns = 1,
    .scalar = true,
};

#define READ_ONLY "select set_config('transaction_read_only', 'on', true)\n"

static void
test_call(void **state)
{
    static const struct {
        const struct pgs_call *call;
        enum pgs_method method;
        const char *query, *prefer, *arguments, *sql;
    } cases[] = {
        {&rows_call, PGS_POST, "select=id", "", "{}",
         "select id from public.f() as r" PAGE(1) " | 1000"},
        {&rows_call, PGS_POST, "select=id::text&id=gt.1&order=id&limit=2", "count=exact",
         "{\"id\":1,\"order\":null}",
         "select id::text, count(*) over () from public.f(id => $1::bigint, \"order\" =>"
         " $2::public.\"Mood\") as r where id > $3::bigint order by r.id" PAGE(
             4) " | 1 / null | 1 | 2"},
        {&rows_call, PGS_GET, "select=id&secret=eq.x", "", "{}",
         READ_ONLY "select id from public.f() as r where secret = $1::text" PAGE(2) " | x | 1000"},
        {&scalar_call, PGS_GET, "", "count=exact", "{}", READ_ONLY "select * from public.g() as r"},
        {&scalar_call, PGS_POST, "", "", "{\"a\\\"b; --\":\"x\"}",
         "select * from public.g(\"a\"\"b; --\" => $1::text) as r | x"},
        {&scalar_call, PGS_POST, "id=eq.1", "", "{}",
         "400 PGRST100 The result of \"g\" has no columns"},
        {&scalar_call, PGS_POST, "select=id", "", "{}",
         "400 PGRST100 The result of \"g\" has no columns"},
    };

    (void)state;
    for (size_t i = 0; i < PGS_COUNT(cases); i++) {
        struct pgs_rows rows;

        begin(cases[i].method, cases[i].query, NULL, cases[i].prefer);
        rows = read_rows(cases[i].arguments);
        expect(pgs__build_call(&rq, cases[i].call, rows.at), cases[i].query, cases[i].sql);
    }
}

/* A member of every C type that is no text. */
struct value_row {
    unsigned char has[7];
    bool yes;
    int16_t i2;
    int32_t i4;
    int64_t i8;
    float f4;
    double f8;
    struct pgs_uuid uid;
};

static const struct pgs_column value_columns[] = {
    PGS_COLUMN("yes", "yes", PGS_BOOL, "boolean", PGS_NULLABLE),
    PGS_COLUMN("i2", "i2", PGS_INT2, "smallint", PGS_NULLABLE),
    PGS_COLUMN("i4", "i4", PGS_INT4, "integer", PGS_NULLABLE),
    PGS_COLUMN("i8", "i8", PGS_INT8, "bigint", PGS_NULLABLE),
    PGS_COLUMN("f4", "f4", PGS_FLOAT4, "real", PGS_NULLABLE),
    PGS_COLUMN("f8", "f8", PGS_FLOAT8, "double precision", PGS_NULLABLE),
    PGS_COLUMN("uid", "uid", PGS_UUID, "uuid", PGS_NULLABLE),
};
static const struct pgs_field value_fields[] = {
    PGS_FIELD(struct value_row, yes, value_columns[0], PGS_OPTIONAL),
    PGS_FIELD(struct value_row, i2, value_columns[1], PGS_OPTIONAL),
    PGS_FIELD(struct value_row, i4, value_columns[2], PGS_OPTIONAL),
    PGS_FIELD(struct value_row, i8, value_columns[3], PGS_OPTIONAL),
    PGS_FIELD(struct value_row, f4, value_columns[4], PGS_OPTIONAL),
    PGS_FIELD(struct value_row, f8, value_columns[5], PGS_OPTIONAL),
    PGS_FIELD(struct value_row, uid, value_columns[6], PGS_OPTIONAL),
};
static const struct pgs_shape value_shape = PGS_SHAPE(struct value_row, value_fields);

/* Nothing is rounded on the way, neither of one row nor of many. */
static void
test_values(void **state)
{
    static const char *const expected[][2] = {
        {"t", "{\"t\",\"f\",NULL}"},
        {"-32768", "{\"-32768\",\"32767\",NULL}"},
        {"-2147483648", "{\"-2147483648\",\"2147483647\",NULL}"},
        {"-9223372036854775808", "{\"-9223372036854775808\",\"9223372036854775807\",NULL}"},
        {"0.100000001", "{\"0.100000001\",\"3.40282347e+38\",NULL}"},
        {"0.10000000000000001", "{\"0.10000000000000001\",\"1.7976931348623157e+308\",NULL}"},
        {"00000000-0000-4000-8000-0123456789ab",
         "{\"00000000-0000-4000-8000-0123456789ab\",\"ffffffff-ffff-ffff-ffff-ffffffffffff\","
         "NULL}"},
    };
    static const char json[] =
        "[{\"yes\":true,\"i2\":-32768,\"i4\":-2147483648,\"i8\":-9223372036854775808,"
        "\"f4\":0.1,\"f8\":0.1,\"uid\":\"00000000-0000-4000-8000-0123456789AB\"},"
        "{\"yes\":false,\"i2\":32767,\"i4\":2147483647,\"i8\":9223372036854775807,"
        "\"f4\":3.4028235e38,\"f8\":1.7976931348623157e308,"
        "\"uid\":\"FFFFFFFF-FFFF-FFFF-FFFF-FFFFFFFFFFFF\"},{}]";
    char room[PGS_FIELD_ROOM];
    struct pgs_rows rows;
    struct pgs_read_error error;

    (void)state;
    assert_true(pgs_json_read(&value_shape, json, strlen(json), 9, heap, &rows.at, &rows.n,
                              &rows.was_array, &error));
    for (size_t i = 0; i < PGS_COUNT(expected); i++) {
        struct pgs_text one = pgs__field_text(&value_shape, i, rows.at, room);
        struct pgs_text many = pgs__field_array(heap, &value_shape, i, rows.at, rows.n);

        assert_true(pgs_text_is(one, expected[i][0]));
        assert_true(pgs_text_is(many, expected[i][1]));
    }
    assert_true(pgs_text_is(pgs__array_literal(heap, NULL, 0), "{}"));
    heap_free_all();
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_list),
        cmocka_unit_test(test_list_by_key_alone),
        cmocka_unit_test(test_select_is_bounded),
        cmocka_unit_test(test_insert),
        cmocka_unit_test(test_insert_of_a_single_object),
        cmocka_unit_test(test_a_row_may_be_written_unseen),
        cmocka_unit_test(test_update),
        cmocka_unit_test(test_delete),
        cmocka_unit_test(test_call),
        cmocka_unit_test(test_values),
    };

    return cmocka_run_group_tests_name("runtime_sql", tests, NULL, NULL);
}
