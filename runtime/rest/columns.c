/* SPDX-License-Identifier: MIT */
#include "rest/columns.h"

#include <string.h>

#include "rest/request.h"

const struct pgs_column *
pgs__find_column(struct pgs_request *rq, const struct pgs_source *source, struct pgs_text name)
{
    for (size_t i = 0; i < source->n_columns; i++) {
        const char *known = source->columns[i].name;

        if (strlen(known) == name.len && memcmp(known, name.at, name.len) == 0)
            return &source->columns[i];
    }
    pgs__fail(rq, 400, "42703", NULL, NULL, "column %s.%.*s does not exist", source->name,
              (int)name.len, name.at);
    return NULL;
}

bool
pgs__relation_source(const struct pgs_request *rq, const struct pgs_relation *relation,
                     struct pgs_source *source)
{
    *source = (struct pgs_source){
        .name = relation->name,
        .columns = relation->columns,
        .n_columns = relation->n_columns,
        .relation = relation,
    };
    for (size_t i = 0; i < relation->n_access; i++) {
        const struct pgs_access *access = &relation->access[i];

        if ((access->roles >> rq->who.role & 1) == 0)
            continue;
        source->visible = access->select;
        source->n_visible = access->n_select;
        return access->n_select > 0;
    }
    return false;
}

bool
pgs__is_listed(const uint16_t *numbers, size_t n, size_t number)
{
    for (size_t i = 0; i < n; i++)
        if (numbers[i] == number)
            return true;
    return false;
}

bool
pgs__is_star(const struct pgs_select_item *item)
{
    return item->column.len == 1 && item->column.at[0] == '*' && !item->embed;
}
