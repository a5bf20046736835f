/* SPDX-License-Identifier: MIT */
/*
 * A condition as the checks of rights read it: nothing hides what is read.  Views, sub-selects in
 * from, `with` and functions in SQL are put where they are used, so that each select names tables
 * alone, all that narrows it stands in its `where`, and each column is a table's.  A union becomes
 * one select a side, joined by `or`.  Predicates stay calls.
 *
 * It may be true where the condition is not (limits, groups and `except` are left out), but admits
 * whatever the condition admits.
 */
#ifndef CHECK_FLAT_H
#define CHECK_FLAT_H

#include "model/model.h"

/* The same condition each time it is asked for. */
const struct expr *check_flat(const struct expr *condition);

#endif
