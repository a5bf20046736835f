/* SPDX-License-Identifier: MIT */
#include "rest/sql.h"

#include <string.h>

#include "base/digits.h"
#include "codec/literal.h"

void
pgs__sql_init(struct pgs_sql *sql, struct pgs_memory memory)
{
    *sql = (struct pgs_sql){.memory = memory};
    pgs_buf_init(&sql->text, 0);
}

void
pgs__sql_clear(struct pgs_sql *sql)
{
    pgs_buf_clear(&sql->text);
    sql->n_params = 0;
}

void
pgs__sql_add_int(struct pgs_sql *sql, int64_t number)
{
    pgs_buf_add_int(&sql->text, number);
}

static void
push_param(struct pgs_sql *sql, struct pgs_text value)
{
    if (sql->n_params == sql->room) {
        size_t room = sql->room > 0 ? sql->room * 2 : 8;
        struct pgs_text *grown = sql->memory.alloc(sql->memory.pool, room * sizeof(*grown));

        if (sql->n_params > 0)
            memcpy(grown, sql->params, sql->n_params * sizeof(*grown));
        sql->params = grown;
        sql->room = room;
    }
    sql->params[sql->n_params++] = value;
}

void
pgs__sql_param(struct pgs_sql *sql, struct pgs_text value, const char *cast)
{
    push_param(sql, value);
    pgs_buf_add_char(&sql->text, '$');
    pgs_buf_add_int(&sql->text, (int64_t)sql->n_params);
    pgs_buf_add(&sql->text, "::", 2);
    pgs_buf_add_str(&sql->text, cast);
}

static struct pgs_text
text_of(struct pgs_memory memory, const char *bytes, size_t len)
{
    char *at = memory.alloc(memory.pool, len + 1);

    memcpy(at, bytes, len);
    at[len] = '\0';
    return (struct pgs_text){at, len};
}

void
pgs__sql_param_int(struct pgs_sql *sql, int64_t value, const char *cast)
{
    char digits[PGS_DIGITS_MAX];
    size_t len = (size_t)(pgs_write_int(digits, value) - digits);

    pgs__sql_param(sql, text_of(sql->memory, digits, len), cast);
}

void
pgs__sql_field(struct pgs_sql *sql, const struct pgs_shape *shape, size_t index, const void *row)
{
    char room[PGS_FIELD_ROOM];
    struct pgs_text text = pgs__field_text(shape, index, row, room);

    if (text.at == room)
        text = text_of(sql->memory, text.at, text.len);
    pgs__sql_param(sql, text, shape->fields[index].column->type.sql);
}
