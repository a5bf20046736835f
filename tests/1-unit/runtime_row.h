/* SPDX-License-Identifier: MIT */
/*
 * A struct with a member of each kind, as generated code has them, and its printing: `id=1 t=x`.
 */
#ifndef TESTS_RUNTIME_ROW_H
#define TESTS_RUNTIME_ROW_H

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "codec/json_read.h"

/* One column of each kind, named by the letters that the cases below use. */
static const char *const labels[] = {"open", "on hold", "done", NULL};

#define COLUMN(name_, kind_) COLUMN_WITH(name_, kind_, .array = false)

#define COLUMN_WITH(name_, kind_, ...)                                                             \
    {                                                                                              \
        .name = (name_), .ident = (name_), .nullable = true, .type = {                             \
            .kind = PGS_##kind_,                                                                   \
            .sql = #kind_,                                                                         \
            __VA_ARGS__                                                                            \
        }                                                                                          \
    }

static const struct pgs_column place_fields[] = {
    COLUMN("street", TEXT),
    COLUMN("floor", INT4),
    COLUMN_WITH("tags", TEXT, .array = true),
    COLUMN("doc", JSONB),
};

static const struct pgs_column person_fields[] = {
    COLUMN_WITH("name", VARCHAR, .max_chars = 3),
    PGS_COMPOSITE_COLUMN("home", "home", "place", place_fields, true),
    PGS_COMPOSITE_ARRAY_COLUMN("others", "others", "place", place_fields, true),
};

static const struct pgs_column columns[] = {
    COLUMN("id", INT8),
    COLUMN("i2", INT2),
    COLUMN("i4", INT4),
    COLUMN("f4", FLOAT4),
    COLUMN("f8", FLOAT8),
    COLUMN("n", NUMERIC),
    COLUMN("b", BOOL),
    COLUMN("t", TEXT),
    COLUMN_WITH("v3", VARCHAR, .max_chars = 3),
    COLUMN("u", UUID),
    COLUMN("y", BYTEA),
    COLUMN("d", DATE),
    COLUMN("h", TIME),
    COLUMN("ts", TIMESTAMP),
    COLUMN("tz", TIMESTAMPTZ),
    COLUMN_WITH("e", ENUM, .labels = labels),
    COLUMN("j", JSON),
    COLUMN("jb", JSONB),
    COLUMN_WITH("ta", TEXT, .array = true),
    COLUMN_WITH("ia", INT4, .array = true),
    COLUMN_WITH("ja", JSONB, .array = true),
    COLUMN_WITH("ea", ENUM, .array = true, .labels = labels),
    COLUMN("hz", TIMETZ),
    COLUMN_WITH("c3", BPCHAR, .max_chars = 3),
    COLUMN("mo", MONEY),
    PGS_COMPOSITE_COLUMN("co", "co", "person", person_fields, true),
    PGS_COMPOSITE_ARRAY_COLUMN("ca", "ca", "place", place_fields, true),
};

struct row {
    unsigned char has[PGS_COUNT(columns)];
    int64_t id;
    int16_t i2;
    int32_t i4;
    float f4;
    double f8;
    struct pgs_text n;
    bool b;
    struct pgs_text t;
    struct pgs_text v3;
    struct pgs_uuid u;
    struct pgs_text y, d, h, ts, tz, e, j, jb, ta, ia, ja, ea, hz, c3, mo, co, ca;
};

#define FIELD(i, member) PGS_FIELD(struct row, member, columns[i], (i) == 0)

static const struct pgs_field fields[] = {
    FIELD(0, id),  FIELD(1, i2),  FIELD(2, i4),  FIELD(3, f4),  FIELD(4, f8),  FIELD(5, n),
    FIELD(6, b),   FIELD(7, t),   FIELD(8, v3),  FIELD(9, u),   FIELD(10, y),  FIELD(11, d),
    FIELD(12, h),  FIELD(13, ts), FIELD(14, tz), FIELD(15, e),  FIELD(16, j),  FIELD(17, jb),
    FIELD(18, ta), FIELD(19, ia), FIELD(20, ja), FIELD(21, ea), FIELD(22, hz), FIELD(23, c3),
    FIELD(24, mo), FIELD(25, co), FIELD(26, ca),
};
static const struct pgs_shape shape = PGS_SHAPE(struct row, fields);

static inline void
describe_text(struct pgs_buf *out, const void *member)
{
    struct pgs_text text;

    memcpy(&text, member, sizeof(text));
    if (text.at == NULL) /* that is SQL's null */
        pgs_buf_add_str(out, "NULL, not a text");
    else
        pgs_buf_add(out, text.at, text.len);
}

static inline void
describe_member(struct pgs_buf *out, const struct row *row, size_t i)
{
    const struct pgs_type *type = &columns[i].type;
    const void *member = (const char *)row + fields[i].offset;
    char text[64] = "";

    if (type->array) {
        describe_text(out, member);
        return;
    }
    switch (type->kind) {
    case PGS_BOOL:
        snprintf(text, sizeof(text), "%s", row->b ? "true" : "false");
        break;
    case PGS_INT2:
        snprintf(text, sizeof(text), "%d", row->i2);
        break;
    case PGS_INT4:
        snprintf(text, sizeof(text), "%" PRId32, row->i4);
        break;
    case PGS_INT8:
        snprintf(text, sizeof(text), "%" PRId64, row->id);
        break;
    case PGS_FLOAT4:
        snprintf(text, sizeof(text), "%.9g", (double)row->f4);
        break;
    case PGS_FLOAT8:
        snprintf(text, sizeof(text), "%.17g", row->f8);
        break;
    case PGS_UUID:
        for (size_t n = 0; n < 16; n++)
            snprintf(text + 2 * n, sizeof(text) - 2 * n, "%02x", row->u.bytes[n]);
        break;
    default:
        describe_text(out, member);
        break;
    }
    pgs_buf_add_str(out, text);
}

static inline void
describe_row(struct pgs_buf *out, const struct row *row)
{
    size_t before = out->len;

    for (size_t i = 0; i < PGS_COUNT(columns); i++) {
        if (row->has[i] == PGS_ABSENT)
            continue;
        if (out->len > before)
            pgs_buf_add_char(out, ' ');
        pgs_buf_add_str(out, columns[i].name);
        pgs_buf_add_char(out, '=');
        if (row->has[i] == PGS_NULL)
            pgs_buf_add_str(out, "NULL");
        else
            describe_member(out, row, i);
    }
}

static inline void
describe_error(struct pgs_buf *out, const struct pgs_read_error *error, bool array)
{
    pgs_buf_add_str(out, error->code);
    if (array) {
        pgs_buf_add_str(out, " row ");
        pgs_buf_add_int(out, (int64_t)error->row);
    }
    pgs_buf_add_char(out, ' ');
    pgs_buf_add_str(out, error->field[0] == '\0' ? "-" : error->field);
    pgs_buf_add_str(out, ": ");
    pgs_buf_add_str(out, error->message);
    if (error->details[0] != '\0') {
        pgs_buf_add_str(out, " | ");
        pgs_buf_add_str(out, error->details);
    }
}

#endif
