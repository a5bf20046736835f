/* SPDX-License-Identifier: MIT */
/*
 * The model against the last released one, migrations/current.schema: what a change of the schema
 * would lose, lock, or stop at.  Nothing here looks at data; what depends on it is a warning.
 */
#ifndef CHECK_CHANGE_H
#define CHECK_CHANGE_H

#include "check/checker.h"

/* The passes: former names into the model; then, when the model is whole, all that changed. */
void check_former_names(struct checker *checker);
void check_changes(const struct checker *checker, const struct model *last);

struct change {
    const struct checker *checker; /* of the model to be */
    const struct model *now, *last;
    VEC(const void *) suspects; /* new columns and tables that may be what is gone, once told so */
};

bool change_is_suspect(const struct change *change, const void *object);

/* ---- change_pair.c: what became of what ---- */

/* By its name, else by `was`; NULL: it is gone. */
const struct table *change_table_now(const struct change *change, const struct table *last);
const struct column *change_column_now(const struct table *now, const struct column *last);
const struct enumeration *change_type_now(const struct change *change,
                                          const struct enumeration *last);

/* The other way round; NULL: it is new. */
const struct table *change_table_before(const struct change *change, const struct table *now);
const struct column *change_column_before(const struct table *last, const struct column *now);
const struct enumeration *change_type_before(const struct change *change,
                                             const struct enumeration *now);

/* The value is new to a type that was there. */
bool change_is_new_label(const struct change *change, const struct enumeration *now,
                         const char *label);

/* The same type of the two models, its length and precision included. */
bool change_same_type(const struct change *change, struct type last, struct type now);

/* The same words, whatever stands between them. */
bool change_same_words(struct span a, struct span b);

/* ---- the parts ---- */

void change_check_gone(struct change *change);
void change_check_was(const struct change *change);
void change_check_types(const struct change *change);
void change_check_columns(const struct change *change);
void change_check_type_of(const struct change *change, const struct column *last,
                          const struct column *now);
void change_check_keys(const struct change *change);
void change_check_labels(const struct change *change);
void change_check_rules(const struct change *change);
void change_check_parts(const struct change *change);
void change_check_rights(const struct change *change);
void change_check_served(const struct change *change);
void change_check_deciding(const struct change *change);

/* The references are one, by the names of today; `now` is the table of `a`. */
bool change_same_reference(const struct change *change, const struct table *now,
                           const struct constraint *a, const struct constraint *b);

#endif
