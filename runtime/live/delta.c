/* SPDX-License-Identifier: MIT */
#include "live/delta.h"

#include <stdlib.h>
#include <string.h>

/* ---- gathering ---- */

static void
add(struct pgs__delta_list *list, const struct pgs__held_row *row, struct pgs_text text,
    size_t place)
{
    list->rows[list->n++] = (struct pgs__delta_row){text, pgs__held_key(row), place};
}

static void
make_room(struct pgs__delta_list *list, size_t n, h2o_mem_pool_t *pool)
{
    list->rows = h2o_mem_alloc_pool(pool, (n + 1) * sizeof(*list->rows));
    list->n = 0;
}

static bool
stands_as_before(const struct pgs__touch *touch)
{
    const struct pgs__held_row *before = touch->before, *now = touch->now;

    return before->sort_len == now->sort_len &&
           memcmp(before->bytes + before->key_len, now->bytes + now->key_len, now->sort_len) == 0;
}

static void
add_touch(struct pgs__delta *delta, const struct pgs__held *held, const struct pgs__touch *touch)
{
    const struct pgs__held_row *now = touch->now, *before = touch->before;

    if (now == NULL) {
        if (before != NULL)
            add(&delta->deleted, before, pgs__held_key(before), 0);
        return;
    }
    if (!touch->was_there && before == NULL)
        add(&delta->inserted, now, touch->text, pgs__held_place(held, now));
    else if (now->text_hash != (before != NULL ? before->text_hash : touch->old_hash) ||
             (before != NULL && !stands_as_before(touch)))
        add(&delta->updated, now, touch->text, pgs__held_place(held, now));
}

static int
by_place(const void *a, const void *b)
{
    const struct pgs__delta_row *one = a, *other = b;

    return one->place < other->place ? -1 : one->place > other->place;
}

void
pgs__delta_of_work(struct pgs__delta *delta, const struct pgs__work *work)
{
    make_room(&delta->inserted, work->n_touches, work->pool);
    make_room(&delta->updated, work->n_touches, work->pool);
    make_room(&delta->deleted, work->n_touches, work->pool);
    for (const struct pgs__touch *touch = work->touches; touch != NULL; touch = touch->next)
        add_touch(delta, work->held, touch);
    qsort(delta->inserted.rows, delta->inserted.n, sizeof(*delta->inserted.rows), by_place);
    qsort(delta->updated.rows, delta->updated.n, sizeof(*delta->updated.rows), by_place);
}

void
pgs__delta_of_results(struct pgs__delta *delta, struct pgs__held *before, struct pgs__held *after,
                      bool ordered, h2o_mem_pool_t *pool)
{
    size_t furthest = 0; /* place before of the rows that stayed as they were */

    make_room(&delta->inserted, after->n, pool);
    make_room(&delta->updated, after->n, pool);
    make_room(&delta->deleted, before->n, pool);
    pgs__held_number(before);
    for (size_t i = 0; i < after->n; i++) {
        const struct pgs__held_row *now = after->rows[i];
        const struct pgs__touch *touch = now->mark;
        struct pgs__held_row *old = pgs__held_find(before, pgs__held_key(now), now->occurrence);

        if (old == NULL) {
            add(&delta->inserted, now, touch->text, i);
            continue;
        }
        old->mark = after;
        if (old->text_hash != now->text_hash || (ordered && old->place < furthest))
            add(&delta->updated, now, touch->text, i);
        else
            furthest = old->place;
    }
    for (size_t i = 0; i < before->n; i++)
        if (before->rows[i]->mark == NULL)
            add(&delta->deleted, before->rows[i], pgs__held_key(before->rows[i]), 0);
}

/* ---- telling ---- */

bool
pgs__delta_is_empty(const struct pgs__delta *delta)
{
    return delta->inserted.n + delta->updated.n + delta->deleted.n == 0;
}

static void
open_list(const char *name, bool first, struct pgs_buf *out)
{
    if (!first)
        pgs_buf_add_char(out, ',');
    pgs_buf_add_char(out, '"');
    pgs_buf_add_str(out, name);
    pgs_buf_add_str(out, "\":[");
}

static void
write_texts(const struct pgs__delta_list *list, struct pgs_buf *out)
{
    for (size_t i = 0; i < list->n; i++) {
        if (i > 0)
            pgs_buf_add_char(out, ',');
        pgs_buf_add(out, list->rows[i].text.at, list->rows[i].text.len);
    }
    pgs_buf_add_char(out, ']');
}

static void
write_places(const struct pgs__delta_list *list, struct pgs_buf *out)
{
    for (size_t i = 0; i < list->n; i++) {
        if (i > 0)
            pgs_buf_add_char(out, ',');
        pgs_buf_add_int(out, (int64_t)list->rows[i].place);
    }
    pgs_buf_add_char(out, ']');
}

/* `places`: their name, or NULL. */
static void
write_list(const struct pgs__delta_list *list, const char *name, const char *places, bool *first,
           struct pgs_buf *out)
{
    if (list->n == 0)
        return;
    open_list(name, *first, out);
    write_texts(list, out);
    *first = false;
    if (places == NULL)
        return;
    open_list(places, false, out);
    write_places(list, out);
}

void
pgs__delta_write(const struct pgs__delta *delta, bool ordered, struct pgs_buf *out)
{
    bool first = true;

    write_list(&delta->inserted, "inserted", ordered ? "inserted_at" : NULL, &first, out);
    write_list(&delta->updated, "updated", ordered ? "updated_at" : NULL, &first, out);
    write_list(&delta->deleted, "deleted", NULL, &first, out);
}
