/* SPDX-License-Identifier: MIT */
#include "live/shelf.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/limit.h"
#include "live/thread.h"

#define N_PLACES 1024 /* a power of two */

struct parked {
    h2o_linklist_t by_age, by_gen;
    struct pgs__subscription *subscription;
    uint64_t gen;
    struct pgs_buf caller;
    size_t bytes; /* that were counted for it, beside its frames */
    int64_t until_ms;
};

struct pgs__shelf {
    atomic_size_t bytes;
    pthread_mutex_t mutex; /* over what follows */
    h2o_linklist_t by_age; /* oldest first */
    h2o_linklist_t by_gen[N_PLACES];
    h2o_linklist_t living[N_PLACES]; /* sessions */
};

/* ---- bytes ---- */

bool
pgs__shelf_take(struct pgs__shelf *shelf, size_t n)
{
    if (atomic_fetch_add(&shelf->bytes, n) + n <= PGS_SHELF_MAX_BYTES)
        return true;
    pgs__shelf_give_back(shelf, n);
    pgs_limit_hit(PGS_LIMIT_LIVE_KEPT);
    return false;
}

void
pgs__shelf_give_back(struct pgs__shelf *shelf, size_t n)
{
    atomic_fetch_sub(&shelf->bytes, n);
}

/* ---- what lies there ---- */

static h2o_linklist_t *
place_of(h2o_linklist_t *places, uint64_t gen)
{
    return &places[gen & (N_PLACES - 1)];
}

/* All that decides what a caller sees: role, user, claims. */
static void
write_caller(const struct pgs_identity *who, struct pgs_buf *out)
{
    pgs_buf_init(out, 0);
    pgs_buf_add_int(out, who->role);
    for (size_t i = 0; i < who->n_session; i++) {
        pgs_buf_add_char(out, ' ');
        pgs_buf_add_int(out, (int64_t)who->session[i].len);
        pgs_buf_add_char(out, ' ');
        pgs_buf_add(out, who->session[i].at, who->session[i].len);
    }
}

/* The mutex is held, also for those below.  Answers what it held. */
static struct pgs__subscription *
take_off(struct pgs__shelf *shelf, struct parked *parked)
{
    struct pgs__subscription *subscription = parked->subscription;

    h2o_linklist_unlink(&parked->by_age);
    h2o_linklist_unlink(&parked->by_gen);
    pgs__shelf_give_back(shelf, parked->bytes);
    pgs_buf_clear(&parked->caller);
    free(parked);
    return subscription;
}

static void
drop(struct pgs__shelf *shelf, struct pgs__subscription *subscription)
{
    pgs__sent_clear(&subscription->sent, shelf);
    pgs__subscription_free(subscription);
}

/* False: nothing lies there that is older than `before_ms`. */
static bool
drop_oldest(struct pgs__shelf *shelf, int64_t before_ms)
{
    struct parked *oldest;

    if (h2o_linklist_is_empty(&shelf->by_age))
        return false;
    oldest = H2O_STRUCT_FROM_MEMBER(struct parked, by_age, shelf->by_age.next);
    if (oldest->until_ms > before_ms)
        return false;
    drop(shelf, take_off(shelf, oldest));
    return true;
}

static bool
make_room(struct pgs__shelf *shelf, size_t bytes)
{
    while (!pgs__shelf_take(shelf, bytes))
        if (bytes > PGS_SHELF_MAX_BYTES || !drop_oldest(shelf, INT64_MAX))
            return false;
    return true;
}

void
pgs__shelf_put(struct pgs__shelf *shelf, const struct pgs__session *session,
               struct pgs__subscription *subscription, int64_t ms)
{
    struct parked *parked = calloc(1, sizeof(*parked));
    bool is_put = false;

    if (parked == NULL) {
        drop(shelf, subscription);
        return;
    }
    write_caller(&session->who, &parked->caller);
    parked->subscription = subscription;
    parked->gen = session->gen;
    parked->bytes = sizeof(*parked) + sizeof(*subscription) + parked->caller.len +
                    subscription->own_bytes + subscription->held.bytes;
    parked->until_ms = pgs_clock_ms() + ms;
    pthread_mutex_lock(&shelf->mutex);
    if (!parked->caller.failed && make_room(shelf, parked->bytes)) {
        h2o_linklist_insert(&shelf->by_age, &parked->by_age);
        h2o_linklist_insert(place_of(shelf->by_gen, parked->gen), &parked->by_gen);
        is_put = true;
    }
    pthread_mutex_unlock(&shelf->mutex);
    if (is_put)
        return;
    drop(shelf, subscription);
    pgs_buf_clear(&parked->caller);
    free(parked);
}

static bool
same_caller(const struct pgs_buf *a, const struct pgs_buf *b)
{
    return !a->failed && !b->failed && a->len == b->len && memcmp(a->at, b->at, b->len) == 0;
}

static bool
same_arguments(const struct pgs_text *a, const struct pgs_text *b, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if ((a[i].at == NULL) != (b[i].at == NULL) || a[i].len != b[i].len ||
            (a[i].len > 0 && memcmp(a[i].at, b[i].at, a[i].len) != 0))
            return false;
    return true;
}

static bool
is_wanted(const struct parked *parked, const struct pgs__wanted *wanted,
          const struct pgs_buf *caller, const struct pgs__mark *mark)
{
    const struct pgs__subscription *subscription = parked->subscription;

    return parked->until_ms > pgs_clock_ms() && parked->gen == mark->gen &&
           subscription->live == wanted->live && strcmp(subscription->id, wanted->id) == 0 &&
           same_caller(&parked->caller, caller) &&
           same_arguments(subscription->arguments, wanted->arguments,
                          wanted->live->arguments->n_fields) &&
           pgs__sent_holds(&subscription->sent, mark);
}

struct pgs__subscription *
pgs__shelf_find(struct pgs__shelf *shelf, const struct pgs__wanted *wanted,
                const struct pgs__mark *mark)
{
    h2o_linklist_t *place = place_of(shelf->by_gen, mark->gen);
    struct pgs__subscription *found = NULL;
    struct pgs_buf caller;

    write_caller(&wanted->session->who, &caller);
    pthread_mutex_lock(&shelf->mutex);
    for (h2o_linklist_t *link = place->next; link != place && found == NULL && !caller.failed;
         link = link->next) {
        struct parked *parked = H2O_STRUCT_FROM_MEMBER(struct parked, by_gen, link);

        if (!is_wanted(parked, wanted, &caller, mark))
            continue;
        link = link->prev;
        found = take_off(shelf, parked);
    }
    pthread_mutex_unlock(&shelf->mutex);
    pgs_buf_clear(&caller);
    return found;
}

/* ---- sessions that live ---- */

void
pgs__shelf_know(struct pgs__shelf *shelf, struct pgs__session *session)
{
    if (shelf == NULL)
        return;
    pthread_mutex_lock(&shelf->mutex);
    h2o_linklist_insert(place_of(shelf->living, session->gen), &session->living);
    session->n_claims = 0; /* those of another gen find nobody */
    pthread_mutex_unlock(&shelf->mutex);
}

void
pgs__shelf_forget(struct pgs__shelf *shelf, struct pgs__session *session)
{
    if (shelf == NULL)
        return;
    pthread_mutex_lock(&shelf->mutex);
    if (h2o_linklist_is_linked(&session->living))
        h2o_linklist_unlink(&session->living);
    pthread_mutex_unlock(&shelf->mutex);
}

/* The mutex is held. */
static struct pgs__session *
find_living(struct pgs__shelf *shelf, uint64_t gen)
{
    h2o_linklist_t *place = place_of(shelf->living, gen);

    for (h2o_linklist_t *link = place->next; link != place; link = link->next) {
        struct pgs__session *session = H2O_STRUCT_FROM_MEMBER(struct pgs__session, living, link);

        if (session->gen == gen)
            return session;
    }
    return NULL;
}

static struct pgs__news *
make_claim(const struct pgs__session *by, uint64_t gen)
{
    struct pgs__news *news = calloc(1, sizeof(*news));

    if (news == NULL)
        return NULL;
    news->kind = PGS__NEWS_CLAIMED;
    news->number = gen;
    write_caller(&by->who, &news->caller);
    return news;
}

/* What waits to be read by a thread has a bound, whatever its session is claimed by; all that one
 * connection comes back for is one claim. */
static bool
send_claim(struct pgs__session *living, const struct pgs__session *by)
{
    struct pgs__news *news;

    if (living->n_claims > 0 && living->claimed_by == by->gen)
        return true;
    if (living->n_claims == PGS_SHELF_MAX_CLAIMS) {
        pgs_limit_hit(PGS_LIMIT_LIVE_CLAIMS);
        return false;
    }
    news = make_claim(by, living->gen);
    if (news == NULL)
        return false;
    living->n_claims++;
    living->claimed_by = by->gen;
    h2o_multithread_send_message(&living->thread->listener.receiver, &news->super);
    return true;
}

bool
pgs__shelf_claim(struct pgs__shelf *shelf, const struct pgs__session *by, uint64_t gen)
{
    struct pgs__session *living;
    bool is_sent;

    pthread_mutex_lock(&shelf->mutex);
    living = find_living(shelf, gen);
    is_sent = living != NULL && send_claim(living, by);
    pthread_mutex_unlock(&shelf->mutex);
    return is_sent;
}

struct pgs__session *
pgs__shelf_claimed(struct pgs__shelf *shelf, const struct pgs_live_thread *thread, uint64_t gen,
                   const struct pgs_buf *caller)
{
    struct pgs__session *session;
    struct pgs_buf own;
    bool is_same;

    pthread_mutex_lock(&shelf->mutex);
    session = find_living(shelf, gen);
    if (session != NULL && session->thread != thread)
        session = NULL;
    if (session != NULL)
        session->n_claims--;
    pthread_mutex_unlock(&shelf->mutex);
    if (session == NULL)
        return NULL;
    write_caller(&session->who, &own);
    is_same = same_caller(&own, caller);
    pgs_buf_clear(&own);
    return is_same ? session : NULL;
}

void
pgs__shelf_sweep(struct pgs__shelf *shelf)
{
    int64_t now_ms = pgs_clock_ms();

    pthread_mutex_lock(&shelf->mutex);
    while (drop_oldest(shelf, now_ms))
        ;
    pthread_mutex_unlock(&shelf->mutex);
}

/* ---- opening and closing ---- */

struct pgs__shelf *
pgs__shelf_open(void)
{
    struct pgs__shelf *shelf = calloc(1, sizeof(*shelf));

    if (shelf == NULL)
        return NULL;
    atomic_init(&shelf->bytes, 0);
    pthread_mutex_init(&shelf->mutex, NULL);
    h2o_linklist_init_anchor(&shelf->by_age);
    for (size_t i = 0; i < N_PLACES; i++) {
        h2o_linklist_init_anchor(&shelf->by_gen[i]);
        h2o_linklist_init_anchor(&shelf->living[i]);
    }
    return shelf;
}

void
pgs__shelf_close(struct pgs__shelf *shelf)
{
    while (drop_oldest(shelf, INT64_MAX))
        ;
    pthread_mutex_destroy(&shelf->mutex);
    free(shelf);
}
