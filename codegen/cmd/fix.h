/* SPDX-License-Identifier: MIT */
#ifndef FIX_H
#define FIX_H

#include <stdbool.h>

/*
 * Makes the fixes that findings carry, until none is left, and says which; a dry run shows the
 * difference instead.  A file that could not be read to its end is left alone.  False: a file could
 * not be written.
 */
bool fix_sources(bool dry_run);

#endif
