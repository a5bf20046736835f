/* SPDX-License-Identifier: MIT */
/* The version of the compiler; it stands at the head of every generated file. */
#ifndef VERSION_H
#define VERSION_H

#define PGSTACK_VERSION "0.1.0"

/* The runtime that generated code is for: PGS_ABI of runtime/include/pgs/abi.h. */
#define PGSTACK_ABI "3"

#endif
