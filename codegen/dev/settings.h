/* SPDX-License-Identifier: MIT */
/*
 * Settings of the project in the working directory: environment variables, and below them the
 * lines of `.env`.
 */
#ifndef SETTINGS_H
#define SETTINGS_H

#include <stdbool.h>

/* NULL when it is set nowhere or empty. */
const char *setting_get(const char *name);

/* The value of NAME=value in the text of an env file, or NULL. */
const char *setting_in(const char *text, const char *name);

#endif
