/* SPDX-License-Identifier: MIT */
/*
 * Typed arrays that grow in the arena.  `VEC(int) v = {0}; vec_push(&v, 3); v.at[0]; v.n`.
 * An array that was pushed to may move: keep no pointer into `at` across a push.
 */
#ifndef VEC_H
#define VEC_H

#include <stddef.h>

#include "base/arena.h"

#define VEC(T)                                                                                     \
    struct {                                                                                       \
        T *at;                                                                                     \
        size_t n;                                                                                  \
        size_t room;                                                                               \
    }

/* The same with a name, where it is passed around: `VEC_STRUCT(names, struct name);`. */
#define VEC_STRUCT(tag, T)                                                                         \
    struct tag {                                                                                   \
        T *at;                                                                                     \
        size_t n;                                                                                  \
        size_t room;                                                                               \
    }

#define vec_push(v, item)                                                                          \
    do {                                                                                           \
        if ((v)->n == (v)->room)                                                                   \
            (v)->at = vec_grow((v)->at, (v)->n, &(v)->room, sizeof(*(v)->at));                     \
        (v)->at[(v)->n++] = (item);                                                                \
    } while (0)

/* Room for at least one more item; `*room` becomes the new capacity. */
void *vec_grow(void *at, size_t n, size_t *room, size_t item_size);

#endif
