/* SPDX-License-Identifier: MIT */
/* The order of what is made before tables. */
#ifndef RIGHTS_MADE_H
#define RIGHTS_MADE_H

#include "model/model.h"

/* Fills model->made; after it is known which functions tables call. */
void check_made(struct model *model);

#endif
