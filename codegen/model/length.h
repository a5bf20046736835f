/* SPDX-License-Identifier: MIT */
/* How long texts can be, as far as the schema says. */
#ifndef LENGTH_H
#define LENGTH_H

#include "model/model.h"

/* Characters at most, by the type, its domain or a check; 0: nothing bounds them. */
int column_max_length(const struct column *column);

#endif
