/* SPDX-License-Identifier: MIT */
#include "metrics/text.h"

#include <inttypes.h>
#include <stdio.h>

void
pgs__metrics_head(struct pgs_buf *out, const char *name, const char *type, const char *help)
{
    pgs_buf_add_str(out, "# HELP ");
    pgs_buf_add_str(out, name);
    pgs_buf_add_char(out, ' ');
    pgs_buf_add_str(out, help);
    pgs_buf_add_str(out, "\n# TYPE ");
    pgs_buf_add_str(out, name);
    pgs_buf_add_char(out, ' ');
    pgs_buf_add_str(out, type);
    pgs_buf_add_char(out, '\n');
}

static void
add_name(struct pgs_buf *out, const char *name, const char *suffix, const char *labels)
{
    pgs_buf_add_str(out, name);
    pgs_buf_add_str(out, suffix);
    if (labels[0] != '\0') {
        pgs_buf_add_char(out, '{');
        pgs_buf_add_str(out, labels);
        pgs_buf_add_char(out, '}');
    }
    pgs_buf_add_char(out, ' ');
}

void
pgs__metrics_sample(struct pgs_buf *out, const char *name, const char *labels, int64_t value)
{
    add_name(out, name, "", labels);
    pgs_buf_add_int(out, value);
    pgs_buf_add_char(out, '\n');
}

void
pgs__metrics_seconds(struct pgs_buf *out, uint64_t us)
{
    char text[32];
    int len = snprintf(text, sizeof(text), "%" PRIu64 ".%06" PRIu64, us / 1000000, us % 1000000);

    while (text[len - 1] == '0')
        len--;
    if (text[len - 1] == '.')
        len--;
    pgs_buf_add(out, text, (size_t)len);
}

static void
add_bucket(struct pgs_buf *out, const char *name, const char *labels, int i, uint64_t n)
{
    pgs_buf_add_str(out, name);
    pgs_buf_add_str(out, "_bucket{");
    pgs_buf_add_str(out, labels);
    pgs_buf_add_str(out, labels[0] != '\0' ? ",le=\"" : "le=\"");
    if (i < PGS_BUCKETS - 1)
        pgs__metrics_seconds(out, (uint64_t)pgs_bounds_us[i]);
    else
        pgs_buf_add_str(out, "+Inf");
    pgs_buf_add_str(out, "\"} ");
    pgs_buf_add_int(out, (int64_t)n);
    pgs_buf_add_char(out, '\n');
}

void
pgs__metrics_histogram(struct pgs_buf *out, const char *name, const char *labels,
                       const uint64_t cells[PGS_CELLS_HISTOGRAM])
{
    uint64_t n = 0;

    for (int i = 0; i < PGS_BUCKETS; i++) {
        n += cells[1 + i];
        add_bucket(out, name, labels, i, n);
    }
    add_name(out, name, "_sum", labels);
    pgs__metrics_seconds(out, cells[0]);
    pgs_buf_add_char(out, '\n');
    add_name(out, name, "_count", labels);
    pgs_buf_add_int(out, (int64_t)n);
    pgs_buf_add_char(out, '\n');
}

void
pgs__metrics_label(struct pgs_buf *out, const char *label, const char *value)
{
    pgs_buf_add_str(out, label);
    pgs_buf_add_str(out, "=\"");
    for (; *value != '\0'; value++) {
        if (*value == '\n') {
            pgs_buf_add_str(out, "\\n");
            continue;
        }
        if (*value == '"' || *value == '\\')
            pgs_buf_add_char(out, '\\');
        pgs_buf_add_char(out, *value);
    }
    pgs_buf_add_char(out, '"');
}
