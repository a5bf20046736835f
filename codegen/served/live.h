/* SPDX-License-Identifier: MIT */
#ifndef CHECK_LIVE_H
#define CHECK_LIVE_H

#include "served/served.h"
#include "model/served.h"

/* What cannot be followed change by change, what tells too much, what costs too much. */
void check_live_rules(const struct model *model, const struct live *live);

/* live_watch.c.  False: something is wrong, and was said. */
bool check_live_watched(const struct model *model, const struct live *live);

/* live_matched.c */

/* Who may subscribe: those that it names, and who inherits from them. */
struct roles live_subscribers(const struct model *model, const struct live *live);

void check_live_matched(const struct model *model, const struct live *live);

/* check_live_compare.c, for check_live_rule.c */
void check_live_comparisons(const struct live *live);

#endif
