/* SPDX-License-Identifier: MIT */
#include "live/row.h"

#include "codec/json_write.h"

static void
write_member(const struct pgs_column *column, struct pgs_text value, struct pgs_buf *out)
{
    pgs_json_string(out, column->name, strlen(column->name));
    pgs_buf_add_char(out, ':');
    pgs_json_value(out, &column->type, value.at, value.len);
}

void
pgs__row_write_key(const struct pgs_live *live, const struct pgs_text *values, struct pgs_buf *out)
{
    pgs_buf_add_char(out, '{');
    for (size_t i = 0; i < live->n_key; i++) {
        if (i > 0)
            pgs_buf_add_char(out, ',');
        write_member(&live->columns[live->key[i]], values[live->key[i]], out);
    }
    pgs_buf_add_char(out, '}');
}

void
pgs__row_write(const struct pgs_live *live, const struct pgs_text *values, struct pgs_buf *out)
{
    for (size_t i = 0; i < live->n_columns; i++) {
        pgs_buf_add_char(out, i == 0 ? '{' : ',');
        write_member(&live->columns[i], values[i], out);
    }
    pgs_buf_add_char(out, '}');
}

void
pgs__row_write_key_names(const struct pgs_live *live, struct pgs_buf *out)
{
    pgs_buf_add_str(out, "\"key\":[");
    for (size_t i = 0; i < live->n_key; i++) {
        const char *name = live->columns[live->key[i]].name;

        if (i > 0)
            pgs_buf_add_char(out, ',');
        pgs_json_string(out, name, strlen(name));
    }
    pgs_buf_add_char(out, ']');
}
