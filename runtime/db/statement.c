/* SPDX-License-Identifier: MIT */
/*
 * A statement is referred to by the cache, by its prepare while that is under way, and by each
 * transaction that executes it: they ask it for the error when it was never prepared.
 */
#include "db/statement.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/hash.h"

static uint64_t
hash(struct pgs_text role, struct pgs_text sql)
{
    return pgs_hash(pgs_hash(14695981039346656037u, role.at, role.len), sql.at, sql.len);
}

static struct pgs__statement **
bucket_of(struct pgs__statements *statements, uint64_t h)
{
    return &statements->buckets[h & (PGS__STATEMENT_BUCKETS - 1)];
}

void
pgs__statements_init(struct pgs__statements *statements)
{
    memset(statements, 0, sizeof(*statements));
    h2o_linklist_init_anchor(&statements->lru);
}

void
pgs__statements_clear(struct pgs__statements *statements)
{
    struct pgs__statement *statement;

    while ((statement = pgs__statement_oldest(statements)) != NULL)
        pgs__statement_forget(statements, statement);
}

static bool
is_it(const struct pgs__statement *statement, uint64_t h, struct pgs_text role, struct pgs_text sql)
{
    return statement->hash == h && statement->role_len == role.len &&
           statement->sql_len == sql.len && memcmp(statement->key, role.at, role.len) == 0 &&
           memcmp(statement->key + role.len, sql.at, sql.len) == 0;
}

struct pgs__statement *
pgs__statement_find(struct pgs__statements *statements, struct pgs_text role, struct pgs_text sql)
{
    uint64_t h = hash(role, sql);
    struct pgs__statement *statement = *bucket_of(statements, h);

    while (statement != NULL && !is_it(statement, h, role, sql))
        statement = statement->next;
    if (statement != NULL) {
        h2o_linklist_unlink(&statement->lru);
        h2o_linklist_insert(&statements->lru, &statement->lru);
    }
    return statement;
}

struct pgs__statement *
pgs__statement_add(struct pgs__statements *statements, struct pgs_text role, struct pgs_text sql)
{
    struct pgs__statement *statement = calloc(1, sizeof(*statement) + role.len + sql.len + 1);
    struct pgs__statement **bucket;

    if (statement == NULL)
        return NULL;
    statement->hash = hash(role, sql);
    statement->role_len = role.len;
    statement->sql_len = sql.len;
    memcpy(statement->key, role.at, role.len);
    memcpy(statement->key + role.len, sql.at, sql.len);
    (void)snprintf(statement->name, sizeof(statement->name), "p%llu",
                   (unsigned long long)++statements->next_number);
    bucket = bucket_of(statements, statement->hash);
    statement->next = *bucket;
    *bucket = statement;
    h2o_linklist_insert(&statements->lru, &statement->lru);
    statements->n++;
    statement->is_cached = true;
    statement->refs = 1;
    return statement;
}

struct pgs__statement *
pgs__statement_oldest(struct pgs__statements *statements)
{
    if (h2o_linklist_is_empty(&statements->lru))
        return NULL;
    return H2O_STRUCT_FROM_MEMBER(struct pgs__statement, lru, statements->lru.next);
}

void
pgs__statement_forget(struct pgs__statements *statements, struct pgs__statement *statement)
{
    struct pgs__statement **at = bucket_of(statements, statement->hash);

    if (!statement->is_cached)
        return;
    while (*at != statement)
        at = &(*at)->next;
    *at = statement->next;
    h2o_linklist_unlink(&statement->lru);
    statements->n--;
    statement->is_cached = false;
    pgs__statement_unref(statement);
}

struct pgs_text
pgs__statement_sql(const struct pgs__statement *statement)
{
    return (struct pgs_text){statement->key + statement->role_len, statement->sql_len};
}

void
pgs__statement_fail(struct pgs__statement *statement, struct pgs_text error)
{
    char *copy = malloc(error.len);

    if (copy == NULL)
        return;
    statement->error = (struct pgs_text){memcpy(copy, error.at, error.len), error.len};
}

struct pgs__statement *
pgs__statement_ref(struct pgs__statement *statement)
{
    statement->refs++;
    return statement;
}

void
pgs__statement_unref(struct pgs__statement *statement)
{
    if (--statement->refs > 0)
        return;
    free((char *)(uintptr_t)statement->error.at);
    free(statement);
}
