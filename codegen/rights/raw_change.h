/* SPDX-License-Identifier: MIT */
/* Parts of raw_sql.c: what changes or empties the tables that the schema declares. */
#ifndef CHECK_RAW_CHANGE_H
#define CHECK_RAW_CHANGE_H

#include "check/checker.h"
#include "rights/raw_text.h"

/* The statement that begins at `i`. */
void check_raw_changes(const struct checker *checker, const struct raw_tokens *tokens, size_t i);

/* ---- of raw_sql.c ---- */

struct span raw_from_to(const struct raw_tokens *tokens, size_t first, size_t last);

/* The last token of the statement of `i`. */
size_t raw_last_of(const struct raw_tokens *tokens, size_t i);

/* The table or view of the schema that is named at `i`, up to `last`; NULL: none of it. */
const struct table *raw_table_named(const struct checker *checker, const struct raw_tokens *tokens,
                                    size_t i, size_t *last);

#endif
