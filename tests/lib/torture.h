/* SPDX-License-Identifier: MIT */
/*
 * As curl does it: the calls of a piece of work that can fail are counted, then the work is done
 * again for each of them, with that one failing, and once more with all failing from there on.
 * Each time is a process of its own, so that a crash is that of one call, and a leak too.
 *
 * What fails: our allocations, files, descriptors and threads (TORTURED in the Makefile), and all
 * of OpenSSL's allocations.  libh2o ends the process when it has no memory; that is not counted
 * against us.
 */
#ifndef TESTS_LIB_TORTURE_H
#define TESTS_LIB_TORTURE_H

#include <stdbool.h>

/* First in main, before OpenSSL has allocated anything. */
void torture_init(void);

/* At most so many calls fail in turn, without LONG=1. */
void torture_sample(long calls);

/*
 * `work` is to be true when all calls work, and false or true else; by `require` it says what must
 * hold in any case.  It arms the failing call by torture_begin and disarms it by torture_end, so
 * that what it prepares and looks at cannot fail.  Returns how many calls there are; 0: told why
 * on stderr.
 */
long torture(const char *name, bool (*work)(void));

void torture_begin(void);
void torture_end(void);

/* Nothing fails any more in this process. */
void torture_stop(void);

/* Ends the process of a failing call, which says so. */
void torture_require(bool holds, const char *what);

#endif
