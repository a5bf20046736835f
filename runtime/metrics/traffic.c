/* SPDX-License-Identifier: MIT */
/*
 * Each thread has rows of its own for a route, so they are sorted and what is the same is added up.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "http/traffic.h"
#include "metrics/text.h"

struct answer {
    const struct pgs_traffic_row *row;
    const char *role;
    int status;
    uint64_t n;
};

struct gathered {
    const struct pgs_traffic_row **rows;
    size_t n_rows, rows_room;
    struct answer *answers;
    size_t n_answers, answers_room;
    bool failed;
};

/* One more place at the end of an array; NULL: no memory. */
static void *
grow(void **at, size_t *n, size_t *room, size_t size)
{
    if (*n == *room) {
        size_t more = *room > 0 ? *room * 2 : 64;
        void *moved = realloc(*at, more * size);

        if (moved == NULL)
            return NULL;
        *at = moved;
        *room = more;
    }
    return (char *)*at + (*n)++ * size;
}

static void
on_row(const struct pgs_traffic_row *row, void *arg)
{
    struct gathered *all = arg;
    const struct pgs_traffic_row **at =
        grow((void **)&all->rows, &all->n_rows, &all->rows_room, sizeof(*all->rows));

    if (at == NULL) {
        all->failed = true;
        return;
    }
    *at = row;
    for (struct pgs_answered *it = atomic_load(&row->answered); it != NULL;
         it = atomic_load(&it->next)) {
        struct answer *answer = grow((void **)&all->answers, &all->n_answers, &all->answers_room,
                                     sizeof(*all->answers));

        if (answer == NULL) {
            all->failed = true;
            return;
        }
        *answer = (struct answer){row, it->role != NULL ? it->role : "", it->status,
                                  pgs_cell_get(&it->n)};
    }
}

static int
compare_names(const struct pgs_traffic_row *a, const struct pgs_traffic_row *b)
{
    int order = strcmp(a->route, b->route);

    return order != 0 ? order : strcmp(a->method, b->method);
}

static int
compare_rows(const void *a, const void *b)
{
    return compare_names(*(const struct pgs_traffic_row *const *)a,
                         *(const struct pgs_traffic_row *const *)b);
}

static int
compare_answers(const void *left, const void *right)
{
    const struct answer *a = left, *b = right;
    int order = compare_names(a->row, b->row);

    if (order == 0)
        order = strcmp(a->role, b->role);
    return order != 0 ? order : a->status - b->status;
}

static void
add_names(struct pgs_buf *out, const struct pgs_traffic_row *row)
{
    pgs__metrics_label(out, "route", row->route);
    pgs_buf_add_char(out, ',');
    pgs__metrics_label(out, "method", row->method);
}

static void
add_answers(struct pgs_buf *out, struct gathered *all)
{
    static const char name[] = "pgstack_http_requests_total";

    pgs__metrics_head(out, name, "counter",
                      "Requests that have ended; status 0: the client had gone.");
    for (size_t i = 0; i < all->n_answers;) {
        const struct answer *first = &all->answers[i];
        uint64_t n = 0;
        char status[16];

        for (; i < all->n_answers && compare_answers(first, &all->answers[i]) == 0; i++)
            n += all->answers[i].n;
        (void)snprintf(status, sizeof(status), "%d", first->status);
        pgs_buf_add_str(out, name);
        pgs_buf_add_char(out, '{');
        add_names(out, first->row);
        pgs_buf_add_char(out, ',');
        pgs__metrics_label(out, "role", first->role);
        pgs_buf_add_char(out, ',');
        pgs__metrics_label(out, "status", status);
        pgs__metrics_sample(out, "}", "", (int64_t)n);
    }
}

static void
add_durations(struct pgs_buf *out, const struct gathered *all)
{
    static const char name[] = "pgstack_http_request_duration_seconds";

    pgs__metrics_head(out, name, "histogram",
                      "From the head of a request to the end of its answer.");
    for (size_t i = 0; i < all->n_rows;) {
        const struct pgs_traffic_row *first = all->rows[i];
        uint64_t cells[PGS_CELLS_HISTOGRAM] = {0};
        struct pgs_buf labels;

        for (; i < all->n_rows && compare_names(first, all->rows[i]) == 0; i++)
            for (int cell = 0; cell < PGS_CELLS_HISTOGRAM; cell++)
                cells[cell] += pgs_cell_get(&all->rows[i]->histogram[cell]);
        pgs_buf_init(&labels, 0);
        add_names(&labels, first);
        pgs_buf_add(&labels, "", 1);
        if (!labels.failed)
            pgs__metrics_histogram(out, name, labels.at, cells);
        out->failed |= labels.failed;
        pgs_buf_clear(&labels);
    }
}

void
pgs__metrics_traffic(struct pgs_buf *out)
{
    struct gathered all = {0};

    pgs_traffic_each(on_row, &all);
    if (all.n_rows > 0)
        qsort(all.rows, all.n_rows, sizeof(*all.rows), compare_rows);
    if (all.n_answers > 0)
        qsort(all.answers, all.n_answers, sizeof(*all.answers), compare_answers);
    add_answers(out, &all);
    add_durations(out, &all);
    out->failed |= all.failed;
    free(all.rows);
    free(all.answers);
}
