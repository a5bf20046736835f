/* SPDX-License-Identifier: MIT */
/*
 * The rows that a subscriber has, and what makes them those that it should have.  Rows are JSON
 * texts, told apart by a JSON text of their key; where several have one key, by their order.
 */
#ifndef PGS_LIVE_RESULT_H
#define PGS_LIVE_RESULT_H

#include "base/buf.h"

struct pgs__row {
    size_t key, key_len; /* in `bytes` */
    size_t text, text_len;
    uint64_t hash;       /* of the key and `occurrence` */
    uint32_t occurrence; /* of its key, from 0 */
};

struct pgs__result {
    struct pgs_buf bytes;
    struct pgs__row *rows; /* in the order of the query */
    size_t n;
    size_t room;     /* private, as is */
    uint32_t *index; /* by hash: place of a row and one; 0: none */
    size_t index_size;
};

/* Empty; texts and rows may take up to `max_bytes`. */
void pgs__result_init(struct pgs__result *result, size_t max_bytes);
void pgs__result_clear(struct pgs__result *result);

/* What is added to `bytes` from here on is a key, then, from pgs__result_text on, a row. */
void pgs__result_key(struct pgs__result *result);
void pgs__result_text(struct pgs__result *result);
void pgs__result_end_row(struct pgs__result *result);

/* Once all rows are there.  False: they took too much memory. */
bool pgs__result_finish(struct pgs__result *result) __attribute__((warn_unused_result));

/* `[row,row]` */
void pgs__result_write(const struct pgs__result *result, struct pgs_buf *out);

/*
 * `"inserted":[row],"updated":[row],"deleted":[key]`, each only where there is one.  Of an ordered
 * result, `"inserted_at":[place]` and `"updated_at":[place]` say where the rows stand in the new
 * result, and a row that only changed its place counts as updated.  False: nothing to tell, and
 * nothing is written.
 */
bool pgs__result_write_changes(const struct pgs__result *before, const struct pgs__result *after,
                               bool ordered, struct pgs_buf *out);

#endif
