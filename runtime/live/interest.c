/* SPDX-License-Identifier: MIT */
#include "live/interest.h"

#include <stdlib.h>
#include <string.h>

#include "http/keyed_hash.h"

bool
pgs__interests_init(struct pgs__interests *interests, const struct pgs_app *app)
{
    interests->n_tables = 0;
    while (app->watched[interests->n_tables].schema != NULL)
        interests->n_tables++;
    interests->tables = calloc(interests->n_tables + 1, sizeof(struct pgs__interest *));
    return interests->tables != NULL;
}

void
pgs__interests_clear(struct pgs__interests *interests)
{
    for (size_t i = 0; i < interests->n_tables; i++)
        while (interests->tables[i] != NULL) {
            struct pgs__interest *interest = interests->tables[i];

            interests->tables[i] = interest->next;
            free(interest->buckets);
            free(interest);
        }
    free(interests->tables);
}

/* ---- who is interested ---- */

static void
link_member(struct pgs__interest *interest, struct pgs__member *member)
{
    struct pgs__member **head = &interest->buckets[member->hash & (interest->n_buckets - 1)];

    member->next = *head;
    member->link = head;
    if (*head != NULL)
        (*head)->link = &member->next;
    *head = member;
}

static void
unlink_member(struct pgs__member *member)
{
    *member->link = member->next;
    if (member->next != NULL)
        member->next->link = member->link;
}

/* A table that cannot grow is a slow one, not a wrong one. */
static void
grow(struct pgs__interest *interest)
{
    size_t n = interest->n_buckets * 2, old = interest->n_buckets;
    struct pgs__member **before = interest->buckets;
    struct pgs__member **buckets = calloc(n, sizeof(struct pgs__member *));

    if (buckets == NULL)
        return;
    interest->buckets = buckets;
    interest->n_buckets = n;
    for (size_t i = 0; i < old; i++)
        while (before[i] != NULL) {
            struct pgs__member *member = before[i];

            unlink_member(member);
            link_member(interest, member);
        }
    free(before);
}

static struct pgs__interest *
find_interest(struct pgs__interests *interests, const struct pgs_live_source *source,
              uint16_t watched)
{
    struct pgs__interest *interest = interests->tables[watched];

    while (interest != NULL && interest->source != source)
        interest = interest->next;
    return interest;
}

/* They stay when their last member leaves: there are as many as the application has sources. */
static struct pgs__interest *
open_interest(struct pgs__interests *interests, const struct pgs_live *live,
              const struct pgs_live_source *source, bool is_matched, uint16_t watched)
{
    struct pgs__interest *interest = find_interest(interests, source, watched);

    if (interest != NULL)
        return interest;
    interest = calloc(1, sizeof(*interest));
    if (interest == NULL)
        abort();
    interest->buckets = calloc(1, sizeof(struct pgs__member *));
    if (interest->buckets == NULL)
        abort();
    interest->n_buckets = 1;
    interest->live = live;
    interest->source = source;
    interest->is_matched = is_matched;
    interest->next = interests->tables[watched];
    interests->tables[watched] = interest;
    return interest;
}

static uint64_t
add_hash(uint64_t hash, struct pgs_text text)
{
    return hash * 0x9e3779b97f4a7c15u + pgs__keyed_hash(text.at, text.len);
}

/* False: a value is null. */
static bool
hash_facts(const struct pgs_live_source *source, const struct pgs_text *values, uint64_t *hash)
{
    *hash = 0;
    for (size_t i = 0; i < source->n_ties; i++) {
        struct pgs_text value = values[source->ties[i].value];

        if (value.at == NULL)
            return false;
        *hash = add_hash(*hash, value);
    }
    return true;
}

void
pgs__interest_join(struct pgs__interests *interests, struct pgs__member *member,
                   const struct pgs_live *live, const struct pgs_live_source *source,
                   bool is_matched, uint16_t watched, const struct pgs_text *values)
{
    struct pgs__interest *interest;

    member->interest = NULL;
    member->hash = 0;
    if (source != NULL && !hash_facts(source, values, &member->hash))
        return;
    interest = open_interest(interests, live, source, is_matched, watched);
    /* Half of the buckets are empty: most rows concern nobody here, and no member is looked at. */
    if (2 * interest->n >= interest->n_buckets && interest->source != NULL &&
        interest->source->n_ties > 0)
        grow(interest);
    member->interest = interest;
    interest->n++;
    link_member(interest, member);
}

void
pgs__interest_leave(struct pgs__member *member)
{
    if (member->interest == NULL)
        return;
    unlink_member(member);
    member->interest->n--;
    member->interest = NULL;
}

/* ---- whom a row concerns ---- */

enum told {
    NOBODY, /* a value is null, or there is no such row */
    SOME,   /* those with that hash */
    ANYBODY,
};

static enum told
hash_row(const struct pgs_live_source *source, const struct pgs_text *row, uint64_t *hash)
{
    *hash = 0;
    if (row == NULL)
        return NOBODY;
    for (size_t i = 0; i < source->n_ties; i++) {
        struct pgs_text value = row[source->ties[i].column];

        if (value.at == NULL)
            return NOBODY;
        if (value.at == pgs_untold)
            return ANYBODY;
        *hash = add_hash(*hash, value);
    }
    return SOME;
}

static void
visit_all(const struct pgs__interest *interest, bool is_sure, pgs__visit_member *visit, void *arg)
{
    for (size_t i = 0; i < interest->n_buckets; i++)
        for (struct pgs__member *member = interest->buckets[i]; member != NULL;
             member = member->next)
            visit(member, is_sure, arg);
}

static void
visit_some(const struct pgs__interest *interest, uint64_t hash, pgs__visit_member *visit, void *arg)
{
    for (struct pgs__member *member = interest->buckets[hash & (interest->n_buckets - 1)];
         member != NULL; member = member->next)
        if (member->hash == hash)
            visit(member, true, arg);
}

void
pgs__interest_visit(const struct pgs__interest *interest, const struct pgs_change *change,
                    pgs__visit_member *visit, void *arg)
{
    uint64_t before_hash, after_hash;
    enum told before, after;

    if (interest->n == 0)
        return;
    if (interest->source == NULL || change->kind == PGS_CHANGE_UNREAD) {
        visit_all(interest, interest->source == NULL, visit, arg);
        return;
    }
    before = hash_row(interest->source, change->before, &before_hash);
    after = hash_row(interest->source, change->after, &after_hash);
    if (before == ANYBODY || after == ANYBODY) {
        visit_all(interest, false, visit, arg);
        return;
    }
    if (before == SOME)
        visit_some(interest, before_hash, visit, arg);
    if (after == SOME && (before != SOME || before_hash != after_hash))
        visit_some(interest, after_hash, visit, arg);
}

static bool
may_concern(const struct pgs_live_source *source, const struct pgs_text *values,
            const struct pgs_text *row)
{
    if (row == NULL)
        return false;
    for (size_t i = 0; i < source->n_ties; i++) {
        struct pgs_text of_row = row[source->ties[i].column],
                        of_facts = values[source->ties[i].value];

        if (of_row.at == pgs_untold)
            continue;
        if (of_row.at == NULL || of_facts.at == NULL || of_row.len != of_facts.len ||
            memcmp(of_row.at, of_facts.at, of_row.len) != 0)
            return false;
    }
    return true;
}

bool
pgs__interest_concerns(const struct pgs_live_source *source, const struct pgs_text *values,
                       const struct pgs_change *change)
{
    return change->kind == PGS_CHANGE_UNREAD || may_concern(source, values, change->before) ||
           may_concern(source, values, change->after);
}
