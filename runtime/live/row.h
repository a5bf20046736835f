/* SPDX-License-Identifier: MIT */
/* A row of a live query as its subscribers get it. */
#ifndef PGS_LIVE_ROW_H
#define PGS_LIVE_ROW_H

#include "base/buf.h"
#include "pgs/app.h"

/* Values are PostgreSQL's texts, one for each of live->columns. */

/* `{"id":1}` */
void pgs__row_write_key(const struct pgs_live *live, const struct pgs_text *values,
                        struct pgs_buf *out);

/* `{"id":1,"title":"x"}` */
void pgs__row_write(const struct pgs_live *live, const struct pgs_text *values,
                    struct pgs_buf *out);

/* `"key":["id"]`: the columns that tell rows apart, so that a client finds what is updated or
 * deleted. */
void pgs__row_write_key_names(const struct pgs_live *live, struct pgs_buf *out);

#endif
