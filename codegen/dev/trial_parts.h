/* SPDX-License-Identifier: MIT */
/* What the files of trial.h share. */
#ifndef TRIAL_PARTS_H
#define TRIAL_PARTS_H

#include <libpq-fe.h>

#include "base/vec.h"
#include "dev/trial.h"

/* $$ ... $$ of the sources: what stands between. */
VEC_STRUCT(raw_texts, struct span);

/* Where the text of the migration comes from. */
struct trial_map {
    const struct source *migration;
    VEC(const struct source *) files;
    struct raw_texts raws;
};

struct trial_map trial_map_make(const struct trial *trial);

/*
 * The place in the sources that byte `at` of the migration comes from: inside `$$`, that word;
 * else the line of the declaration.  In what no declaration is behind, the word of the migration.
 */
struct span trial_place(const struct trial_map *map, size_t at);

/* A declaration is behind this statement. */
bool trial_is_declared(const struct trial_map *map, const struct span *statement);

/* The word of a text that begins at `at`. */
struct span trial_word(const struct source *file, size_t at, size_t end);

/* PostgreSQL counts characters from 1: the byte at `position` of text from `start` to `end`. */
size_t trial_byte(const struct source *file, size_t start, size_t end, long position);

/* $$ ... $$ whose text has this byte of the sources; file NULL: none. */
struct span trial_raw_at(const struct trial_map *map, struct span place);

/* What a CREATE makes, as it is written: "public.ticket"; NULL: it makes nothing of a name. */
const char *trial_made_name(const char *statement);

/* The statement has this name in it. */
bool trial_names(const char *statement, const char *name);

/* ---- what PostgreSQL knows once all is made ---- */

/* Raw views have the columns that they say. */
void trial_check_views(PGconn *conn, const struct trial *trial);

/* Bodies in PL/pgSQL, with plpgsql_check; false: PostgreSQL has no such extension. */
bool trial_check_bodies(PGconn *conn, const struct trial *trial, const struct trial_map *map);

#endif
