/* SPDX-License-Identifier: MIT */
/*
 * Prometheus' text form, piece by piece.
 */
#ifndef PGS_METRICS_TEXT_H
#define PGS_METRICS_TEXT_H

#include "base/buf.h"
#include "base/metric.h"

/* The two lines before the samples of a metric. */
void pgs__metrics_head(struct pgs_buf *out, const char *name, const char *type, const char *help);

/* `name{labels} value`; labels are text such as `lane="quick"`, or "". */
void pgs__metrics_sample(struct pgs_buf *out, const char *name, const char *labels, int64_t value);

/* The samples of one histogram: what `cells` of all threads sum up to. */
void pgs__metrics_histogram(struct pgs_buf *out, const char *name, const char *labels,
                            const uint64_t cells[PGS_CELLS_HISTOGRAM]);

/* `label="value"`, the value escaped. */
void pgs__metrics_label(struct pgs_buf *out, const char *label, const char *value);

/* Microseconds as seconds. */
void pgs__metrics_seconds(struct pgs_buf *out, uint64_t us);

/* The files of this folder, one part of the page each. */
void pgs__metrics_cells(struct pgs_buf *out);
void pgs__metrics_traffic(struct pgs_buf *out);
void pgs__metrics_process(struct pgs_buf *out);

#endif
