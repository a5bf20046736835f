/* SPDX-License-Identifier: MIT */
/*
 * A body for a shape with a member of each kind, and the same bytes as the text of each member.
 * What is taken must be fit for PostgreSQL: valid UTF-8 without U+0000, and within the body's size.
 */
#include "base/utf8.h"
#include "codec/json_read.h"
#include "fuzz_heap.h"
#include "fuzz_json.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char *const labels[] = {"open", "on hold", NULL};

#define COLUMN(name_, kind_, array_)                                                               \
    {                                                                                              \
        .name = (name_), .ident = (name_), .nullable = true, .type = {                             \
            .kind = PGS_##kind_,                                                                   \
            .sql = #kind_,                                                                         \
            .labels = labels,                                                                      \
            .max_chars = 4,                                                                        \
            .array = (array_)                                                                      \
        }                                                                                          \
    }

static const struct pgs_column inner[] = {
    COLUMN("a", INT4, false),
    COLUMN("b", TEXT, true),
    COLUMN("c", JSONB, false),
};

static const struct pgs_column outer[] = {
    COLUMN("a", TEXT, false),
    PGS_COMPOSITE_COLUMN("b", "b", "inner", inner, true),
    PGS_COMPOSITE_ARRAY_COLUMN("c", "c", "inner", inner, true),
    COLUMN("d", ENUM, true),
};

static const struct pgs_column columns[] = {
    COLUMN("a", INT8, false),
    COLUMN("b", INT2, false),
    COLUMN("c", INT4, false),
    COLUMN("d", FLOAT4, false),
    COLUMN("e", FLOAT8, false),
    COLUMN("f", NUMERIC, false),
    COLUMN("g", BOOL, false),
    COLUMN("h", TEXT, false),
    COLUMN("i", VARCHAR, false),
    COLUMN("j", UUID, false),
    COLUMN("k", BYTEA, false),
    COLUMN("l", DATE, false),
    COLUMN("m", TIME, false),
    COLUMN("n", TIMESTAMP, false),
    COLUMN("o", TIMESTAMPTZ, false),
    COLUMN("p", ENUM, false),
    COLUMN("q", JSON, false),
    COLUMN("r", JSONB, false),
    COLUMN("s", TEXT, true),
    COLUMN("t", INT4, true),
    COLUMN("u", JSONB, true),
    COLUMN("v", TIMESTAMPTZ, true),
    COLUMN("w", TIMETZ, false),
    COLUMN("x", BPCHAR, false),
    COLUMN("y", MONEY, true),
    PGS_COMPOSITE_COLUMN("z", "z", "outer", outer, true),
    PGS_COMPOSITE_ARRAY_COLUMN("zz", "zz", "outer", outer, true),
};

struct row {
    unsigned char has[PGS_COUNT(columns)];
    int64_t a;
    int16_t b;
    int32_t c;
    float d;
    double e;
    struct pgs_text f;
    bool g;
    struct pgs_text h, i;
    struct pgs_uuid j;
    struct pgs_text k, l, m, n, o, p, q, r, s, t, u, v, w, x, y, z, zz;
};

#define FIELD(i, member) PGS_FIELD(struct row, member, columns[i], false)

static const struct pgs_field fields[] = {
    FIELD(0, a),  FIELD(1, b),  FIELD(2, c),   FIELD(3, d),  FIELD(4, e),  FIELD(5, f),
    FIELD(6, g),  FIELD(7, h),  FIELD(8, i),   FIELD(9, j),  FIELD(10, k), FIELD(11, l),
    FIELD(12, m), FIELD(13, n), FIELD(14, o),  FIELD(15, p), FIELD(16, q), FIELD(17, r),
    FIELD(18, s), FIELD(19, t), FIELD(20, u),  FIELD(21, v), FIELD(22, w), FIELD(23, x),
    FIELD(24, y), FIELD(25, z), FIELD(26, zz),
};
static const struct pgs_shape shape = PGS_SHAPE(struct row, fields);

static void
check_member(const struct row *row, size_t i, size_t size)
{
    const char *at = (const char *)row + fields[i].offset;
    struct pgs_text text;

    require(row->has[i] <= PGS_SET);
    if (row->has[i] != PGS_SET || fields[i].size != sizeof(text))
        return;
    if (columns[i].type.kind == PGS_UUID && !columns[i].type.array)
        return;
    memcpy(&text, at, sizeof(text));
    require(text.at != NULL);
    if (columns[i].type.kind != PGS_COMPOSITE) /* quotes within quotes within quotes */
        require(text.len <= 4 * size + 16);
    require(pgs_utf8_check(text.at, text.len) == text.len);
    require(memchr(text.at, '\0', text.len) == NULL);
    if (!columns[i].type.array &&
        (columns[i].type.kind == PGS_JSON || columns[i].type.kind == PGS_JSONB))
        require(is_json(text.at, text.len));
}

static void
check_error(const struct pgs_read_error *error)
{
    size_t len = strlen(error->code);

    require((len == 5 || len == 8) && error->message[0] != '\0');
    require(pgs_utf8_check(error->message, strlen(error->message)) == strlen(error->message));
    require(pgs_utf8_check(error->field, strlen(error->field)) == strlen(error->field));
}

static void
read_body(const uint8_t *data, size_t size, size_t rows_max)
{
    const char *json = heap_copy(data, size);
    struct pgs_read_error error;
    size_t n_rows;
    bool was_array;
    void *rows;

    if (!pgs_json_read(&shape, json, size, rows_max, heap, &rows, &n_rows, &was_array, &error)) {
        check_error(&error);
        return;
    }
    require(is_json(json, size));
    require(n_rows <= rows_max && (was_array || n_rows == 1));
    for (size_t i = 0; i < n_rows; i++)
        for (size_t f = 0; f < PGS_COUNT(fields); f++)
            check_member((const struct row *)rows + i, f, size);
}

static void
read_texts(const uint8_t *data, size_t size)
{
    for (size_t f = 0; f < PGS_COUNT(fields); f++) {
        struct row row = {.a = 0};
        struct pgs_read_error error;
        const char *text = heap_copy(data, size);

        if (pgs_text_read(&fields[f], f, text, size, heap, &row, &error))
            check_member(&row, f, size);
        else
            check_error(&error);
    }
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    read_body(data, size, 1000);
    read_body(data, size, 1);
    heap_free_all();
    if (size < 200)
        read_texts(data, size);
    heap_free_all();
    return 0;
}
