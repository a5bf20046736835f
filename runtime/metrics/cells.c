/* SPDX-License-Identifier: MIT */
/*
 * The metrics of base/metrics.def.
 */
#include <stdio.h>

#include "metrics/text.h"

static const char *const types[] = {
    [PGS_METRIC_COUNTER] = "counter",
    [PGS_METRIC_GAUGE] = "gauge",
    [PGS_METRIC_HISTOGRAM] = "histogram",
};

static void
add_histogram(struct pgs_buf *out, const struct pgs_metric *metric, const char *labels, int cell)
{
    uint64_t cells[PGS_CELLS_HISTOGRAM];

    for (int i = 0; i < PGS_CELLS_HISTOGRAM; i++)
        cells[i] = pgs_cell_sum(cell + i);
    pgs__metrics_histogram(out, metric->name, labels, cells);
}

static void
add_metric(struct pgs_buf *out, const struct pgs_metric *metric)
{
    int cell = metric->cell;

    pgs__metrics_head(out, metric->name, types[metric->kind], metric->meaning);
    for (size_t i = 0; i < metric->n_labels; i++)
        for (size_t j = 0; j < metric->n_more; j++) {
            char labels[128];

            (void)snprintf(labels, sizeof(labels), "%s%s%s", metric->labels[i],
                           metric->more[j][0] != '\0' ? "," : "", metric->more[j]);
            if (metric->kind == PGS_METRIC_HISTOGRAM) {
                add_histogram(out, metric, labels, cell);
                cell += PGS_CELLS_HISTOGRAM;
            } else {
                pgs__metrics_sample(out, metric->name, labels, (int64_t)pgs_cell_sum(cell++));
            }
        }
}

void
pgs__metrics_cells(struct pgs_buf *out)
{
    for (size_t i = 0; i < pgs_n_metrics; i++)
        add_metric(out, &pgs_metrics[i]);
}
