/* SPDX-License-Identifier: MIT */
/*
 * What the server's files share.  Two lifetimes: the process (the client, its open documents) and a
 * compilation (the arena: the project as it was checked last, and answers about it).
 */
#ifndef LSP_PARTS_H
#define LSP_PARTS_H

#include <stdbool.h>
#include <yajl/yajl_tree.h>

#include "base/json.h"
#include "model/uses.h"
#include "syntax/ast.h"

/* ---- wire.c ---- */

/* One message, malloc'd; NULL: the client is gone. */
char *wire_read(void);

/* Another one is there already. */
bool wire_has_more(void);

void wire_write(const struct str *message);

/* A value by its path, "a.b.c"; NULL when there is none of that kind. */
yajl_val wire_get(yajl_val from, const char *path);
const char *wire_text(yajl_val from, const char *path);
long wire_number(yajl_val from, const char *path, long otherwise);

/* ---- client.c ---- */

/* From `initialize`: the project's folder becomes the working directory. */
void client_open(yajl_val params);

/* A path of the project as an URI, and the other way; NULL: it is not of this project. */
const char *client_uri(const char *path);
const char *client_path(const char *uri);

/* A document may show where the project is, if nothing has before. */
void client_find_project(const char *uri);

size_t client_offset(const struct source *source, yajl_val position);
void client_put_range(struct str *out, const char *key, struct span span);

/* "utf-8" or "utf-16": what a column counts. */
const char *client_encoding(void);

/* ---- documents.c ---- */

void documents_open(const char *uri, const char *text);
void documents_change(const char *uri, yajl_val changes);
void documents_close(const char *uri);

/* ---- project.c ---- */

struct project {
    struct ast ast;
    const struct model *model;
    const struct uses *uses;
    const struct project *earlier; /* when all could be read; NULL: it can now */
};

/* Checked again if something has changed; the answer lives until then. */
const struct project *project_get(void);
void project_changed(void);

/* Before a message is taken: what earlier answers left may be too much. */
void project_trim(void);

/* The checked text of a document; NULL: it is no part of the project. */
const struct source *project_source(const struct project *project, const char *uri);

/* What the params of a request point at: document and position. */
struct target {
    const struct source *source;
    size_t offset;
    const struct use *use; /* the name there; NULL: none */
};
struct target project_target(const struct project *project, yajl_val params);

/* The name at a place of a checked file; NULL: none. */
const struct use *project_use_at(const struct project *project, const struct source *file,
                                 size_t offset);

/* ---- earlier.c ---- */

/* All of it could be read: the texts are kept. */
void earlier_keep(const struct project *project);

/* The project of the texts that are kept; NULL: it is not needed, or there is none. */
const struct project *earlier_get(const struct project *now);

/* What is not known of a place now, as it was known. */
void earlier_target(const struct project *now, struct target *target);

/* Where a place of an earlier text is today, or else what it was. */
struct span earlier_span(const struct project *now, struct span span);

/* ---- answers: each writes the `result`, or leaves it empty for null ---- */

void findings_publish(void);
void answer_actions(struct str *out, yajl_val params);
void answer_hover(struct str *out, yajl_val params);
void answer_definition(struct str *out, yajl_val params);
void answer_references(struct str *out, yajl_val params);
void answer_prepare_rename(struct str *out, yajl_val params);
void answer_completion(struct str *out, yajl_val params);
void answer_symbols(struct str *out, yajl_val params);
void answer_formatting(struct str *out, yajl_val params);

/* NULL, or why it is refused. */
const char *answer_rename(struct str *out, yajl_val params);

/* ---- describe.c ---- */

/* "bigint not null" */
const char *describe_type(struct type type, bool not_null);

/* One line: what an object is, as it would be declared. */
const char *describe_use(const struct use *use);

#endif
