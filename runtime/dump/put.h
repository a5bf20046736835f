/* SPDX-License-Identifier: MIT */
/* The words of the grammar, and the rules of one relation or call. */
#ifndef PGS_DUMP_PUT_H
#define PGS_DUMP_PUT_H

#include <stdio.h>

#include "pgs/app.h"

/* What a group of rules is about: a relation or a call. */
struct pgs__subject {
    const char *kind;
    const char *name;
    size_t number;
    const struct pgs_column *columns;
    size_t n_columns;
};

/* Text in quotes, escaped as in JSON. */
void pgs__put_literal(FILE *out, const char *text);

/* `before` text `after`, as one literal. */
void pgs__put_joined(FILE *out, const char *before, const char *text, const char *after);

/* `table.ticket.list`; a name that is more than letters is a number: `table.#3.list`. */
void pgs__put_rule(FILE *out, const struct pgs__subject *subject, const char *rule);

/* The same and ` =`. */
void pgs__begin_rule(FILE *out, const struct pgs__subject *subject, const char *rule);

/* ` S.rule {", " S.rule}` and ` [S.rule]` */
void pgs__put_list(FILE *out, const struct pgs__subject *subject, const char *rule);
void pgs__put_optional(FILE *out, const struct pgs__subject *subject, const char *rule);

/* `value`, `insert`, `update`, `delete` and the statements that they are. */
void pgs__dump_insert(FILE *out, const struct pgs__subject *subject,
                      const struct pgs_relation *relation);
void pgs__dump_update(FILE *out, const struct pgs__subject *subject,
                      const struct pgs_relation *relation);
void pgs__dump_delete(FILE *out, const struct pgs__subject *subject,
                      const struct pgs_relation *relation);

#endif
