/* SPDX-License-Identifier: MIT */
#ifndef CHECK_INLINE_H
#define CHECK_INLINE_H

#include "check/checker.h"

/* Endpoints with `inline policies`: what stands in their policies must mean the same in a view. */
void check_inline(struct checker *checker);

#endif
