/* SPDX-License-Identifier: MIT */
#ifndef SPELL_H
#define SPELL_H

/* A name as a schema writes it: in double quotes where it would be read otherwise. */
const char *spell_name(const char *name);

/* A value in single quotes. */
const char *spell_string(const char *value);

#endif
