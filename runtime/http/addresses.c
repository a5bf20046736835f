/* SPDX-License-Identifier: MIT */
/*
 * Rows of eight places.  A row and what is in it are read and written under its mutex; that is held
 * for some tens of nanoseconds, and there are many of them.
 */
#include "http/addresses.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "base/limit.h"
#include "http/keyed_hash.h"

enum {
    PLACES = 8,
    MUTEXES = 64, /* a power of two */
    FLOOD_WINDOW_MS = 60000,
    SHUT_OUT_MS = 60000,
};

struct pgs__place {
    struct pgs_address client;
    pthread_mutex_t *mutex; /* of its row */
    int connections;
    int requests;
    int floods;
    int64_t floods_since_ms;
    int64_t shut_out_until_ms;
};

struct row {
    struct pgs__place places[PLACES];
};

struct pgs_addresses {
    struct pgs_addresses_config config;
    pthread_mutex_t mutexes[MUTEXES];
    size_t mask; /* of rows */
    struct row rows[];
};

struct pgs_addresses *
pgs_addresses_open(const struct pgs_addresses_config *config)
{
    size_t rows = 1;
    struct pgs_addresses *addresses;

    while (rows * PLACES < (size_t)config->room)
        rows *= 2;
    addresses = calloc(1, sizeof(*addresses) + rows * sizeof(addresses->rows[0]));
    if (addresses == NULL)
        abort();
    addresses->config = *config;
    addresses->mask = rows - 1;
    for (size_t i = 0; i < MUTEXES; i++)
        (void)pthread_mutex_init(&addresses->mutexes[i], NULL);
    return addresses;
}

void
pgs_addresses_close(struct pgs_addresses *addresses)
{
    for (size_t i = 0; i < MUTEXES; i++)
        (void)pthread_mutex_destroy(&addresses->mutexes[i]);
    free(addresses);
}

const struct pgs_networks *
pgs__addresses_trusted(const struct pgs_addresses *addresses)
{
    return addresses->config.trusted;
}

/* ---- finding a place ---- */

static bool
is_busy(const struct pgs__place *place)
{
    return place->connections > 0 || place->requests > 0;
}

/* One that is remembered for less than another makes room first. */
static bool
goes_before(const struct pgs__place *a, const struct pgs__place *b)
{
    return a->floods != b->floods ? a->floods < b->floods
                                  : a->shut_out_until_ms < b->shut_out_until_ms;
}

/* The client's place, or one that it takes now; NULL: all of its row are busy. */
static struct pgs__place *
find(struct row *row, const struct pgs_address *client, pthread_mutex_t *mutex)
{
    struct pgs__place *free_place = NULL;

    for (struct pgs__place *place = row->places; place < row->places + PLACES; place++) {
        if (place->mutex != NULL && memcmp(&place->client, client, sizeof(*client)) == 0)
            return place;
        if (!is_busy(place) && (free_place == NULL || goes_before(place, free_place)))
            free_place = place;
    }
    if (free_place == NULL) {
        pgs_limit_hit(PGS_LIMIT_ADDRESSES);
        return NULL;
    }
    *free_place = (struct pgs__place){.client = *client, .mutex = mutex};
    return free_place;
}

/* Its row's mutex is held, to be unlocked. */
static struct pgs__place *
lock(struct pgs_addresses *addresses, const struct pgs_address *address, pthread_mutex_t **mutex)
{
    struct pgs_address client = pgs_address_client(address);
    size_t row = pgs__keyed_hash(&client, sizeof(client)) & addresses->mask;

    *mutex = &addresses->mutexes[row % MUTEXES];
    (void)pthread_mutex_lock(*mutex);
    return find(&addresses->rows[row], &client, *mutex);
}

/* ---- counting ---- */

/* False: `*limit` is what it ran into. */
static bool
may_connect(const struct pgs_addresses *addresses, const struct pgs__place *place, int64_t now_ms,
            enum pgs_limit *limit)
{
    *limit = PGS_LIMIT_ADDRESS_PENALTY;
    if (now_ms < place->shut_out_until_ms)
        return false;
    *limit = PGS_LIMIT_ADDRESS_CONNECTIONS;
    return place->connections < addresses->config.max_connections;
}

bool
pgs__address_connect(struct pgs_addresses *addresses, const struct pgs_address *address,
                     int64_t now_ms, struct pgs__place **place)
{
    bool is_trusted = pgs_networks_hold(addresses->config.trusted, address), may;
    pthread_mutex_t *mutex;
    enum pgs_limit limit;

    *place = lock(addresses, address, &mutex);
    may = is_trusted || *place == NULL || may_connect(addresses, *place, now_ms, &limit);
    if (may && *place != NULL)
        (*place)->connections++;
    (void)pthread_mutex_unlock(mutex);
    if (!may)
        pgs_limit_hit(limit);
    return may;
}

void
pgs__address_leave(struct pgs__place *place)
{
    if (place == NULL)
        return;
    (void)pthread_mutex_lock(place->mutex);
    place->connections--;
    (void)pthread_mutex_unlock(place->mutex);
}

void
pgs__address_flooded(struct pgs_addresses *addresses, struct pgs__place *place, int64_t now_ms)
{
    if (place == NULL || addresses->config.max_floods == 0)
        return;
    (void)pthread_mutex_lock(place->mutex);
    if (now_ms - place->floods_since_ms > FLOOD_WINDOW_MS) {
        place->floods = 0;
        place->floods_since_ms = now_ms;
    }
    if (++place->floods >= addresses->config.max_floods)
        place->shut_out_until_ms = now_ms + SHUT_OUT_MS;
    (void)pthread_mutex_unlock(place->mutex);
}

bool
pgs__address_begin(struct pgs_addresses *addresses, const struct pgs_address *address,
                   struct pgs__place **place)
{
    pthread_mutex_t *mutex;
    bool may;

    if (*place != NULL)
        (void)pthread_mutex_lock(mutex = (*place)->mutex);
    else
        *place = lock(addresses, address, &mutex);
    may = *place == NULL || (*place)->requests < addresses->config.max_requests;
    if (may && *place != NULL)
        (*place)->requests++;
    (void)pthread_mutex_unlock(mutex);
    if (!may)
        pgs_limit_hit(PGS_LIMIT_ADDRESS_REQUESTS);
    return may;
}

void
pgs__address_finish(struct pgs__place *place)
{
    if (place == NULL)
        return;
    (void)pthread_mutex_lock(place->mutex);
    place->requests--;
    (void)pthread_mutex_unlock(place->mutex);
}
