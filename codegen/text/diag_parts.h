/* SPDX-License-Identifier: MIT */
/* What a finding holds: for those who show findings, the printers and the editor's server. */
#ifndef DIAG_PARTS_H
#define DIAG_PARTS_H

#include "text/diag.h"

enum severity {
    ERROR,
    WARNING,
};

struct note {
    struct span span;
    const char *text;
};

/* Bytes [span.start, span.end) become `text`. */
struct edit {
    struct span span;
    const char *text;
};

struct diag {
    struct span span;
    enum diag_code code;
    enum severity severity;
    size_t order; /* in which it was recorded: keeps the sort stable */
    const char *text;
    VEC(struct note) notes;
    VEC(const char *) hints;
    VEC(struct edit) fix; /* all of them or none */
};

VEC_STRUCT(diags, struct diag *);

/* All, sorted by file, offset and code, each once; valid until the next one is recorded. */
const struct diags *diag_sorted(void);

#endif
