/* SPDX-License-Identifier: MIT */
/*
 * Names on both sides of the wall: SQL names as C identifiers, when a SQL name must be quoted, and
 * the names that PostgreSQL would choose for constraints and indexes.
 */
#ifndef NAMES_H
#define NAMES_H

#include <stdbool.h>
#include <stddef.h>

/* PostgreSQL cuts longer names silently. */
#define NAME_MAX_BYTES 63

/* A C identifier: what is no letter or digit becomes `_`, a C keyword gets a final `_`. */
const char *name_c(const char *name);

/* The same in upper case, for constants. */
const char *name_c_upper(const char *name);

/* As it stands in SQL text: "quoted" only when it must be. */
const char *name_sql(const char *name);

/* Text as a SQL literal: 'it''s', with E'...' when it holds a backslash. */
const char *name_literal(const char *text);

/* A key word of PostgreSQL that cannot name a column or table without quotes. */
bool name_is_sql_keyword(const char *name);

/* table_columns_label, cut to 63 bytes the way PostgreSQL cuts; `columns` may be NULL. */
const char *name_object(const char *table, const char *columns, const char *label);

/* The name as PostgreSQL cuts what is longer than 63 bytes. */
const char *name_cut(const char *name);

/* Names joined with `_`, as PostgreSQL joins the columns of an index. */
const char *name_join(const char *const *names, size_t n);

#endif
