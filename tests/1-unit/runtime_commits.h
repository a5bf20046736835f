/* SPDX-License-Identifier: MIT */
/*
 * Commits as the feed makes them, of an application with a table note (id, body), whose rows are
 * matched, and another one, topic.
 */
#ifndef TESTS_RUNTIME_COMMITS_H
#define TESTS_RUNTIME_COMMITS_H

#include <stdlib.h>
#include <string.h>

#include "db/changes.h"

static const char *const note_columns[] = {"id", "body", NULL};
static const struct pgs_watched watched[] = {
    {"public", "note", note_columns}, {"public", "topic", note_columns}, {NULL, NULL, NULL}};

static inline struct pgs_changes_relation
note_relation(void)
{
    static const char message[] = "R\0\0\0\1public\0note\0d\0\2"
                                  "\1id\0\0\0\0\24\377\377\377\377"
                                  "\0body\0\0\0\0\31\377\377\377\377";
    struct pgs_changes_relation relation = {.oid = 1, .watched = 0};
    struct pgs_pgoutput m;

    assert_true(pgs_pgoutput_read((const uint8_t *)message, sizeof(message) - 1, &m));
    assert_true(pgs_changes_relation_read(&relation, &m, &watched[0]));
    return relation;
}

/* An insert of the note 7, whose body is `len` times an x. */
static inline struct pgs_changes *
commit_of(uint32_t xid, size_t len)
{
    static const char head[] = "I\0\0\0\1N\0\2t\0\0\0\1"
                               "7t";
    struct pgs_changes_relation relation = note_relation();
    size_t size = sizeof(head) - 1 + 4 + len;
    char *message = malloc(size);
    struct pgs_changes_maker maker;
    struct pgs_changes *changes;
    struct pgs_pgoutput m;

    assert_non_null(message);
    memset(message, 'x', size);
    memcpy(message, head, sizeof(head) - 1);
    for (size_t i = 0; i < 4; i++)
        message[sizeof(head) - 1 + i] = (char)(len >> (24 - 8 * i) & 0xff);
    assert_true(pgs_changes_maker_init(&maker, 2));
    assert_true(pgs_pgoutput_read((const uint8_t *)message, size, &m));
    assert_true(pgs_changes_add(&maker, &relation, &m, true));
    changes = pgs_changes_finish(&maker, xid, xid * 100);
    pgs_changes_maker_clear(&maker);
    pgs_changes_relation_clear(&relation);
    free(message);
    return changes;
}

#endif
