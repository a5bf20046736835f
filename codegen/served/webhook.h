/* SPDX-License-Identifier: MIT */
#ifndef CHECK_WEBHOOK_H
#define CHECK_WEBHOOK_H

#include "served/served.h"
#include "model/served.h"

/* The condition: of this row alone, neither always nor never true. */
void check_webhook_when(const struct webhook *webhook);

#endif
