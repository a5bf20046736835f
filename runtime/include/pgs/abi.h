/* SPDX-License-Identifier: MIT */
/*
 * The version of the agreement between generated code and the runtime.  Generated files state the
 * version that they were made for; another one does not compile.
 *
 * 1  first version
 * 2  pgs_access without `select_all`, which nothing read
 * 3  pgs_app with has_outbox and writes_leave_traces; pgs_relation with followed; pgs_match_rows
 *    with totals and joins; live queries end by themselves, behind the row that is one too many
 */
#ifndef PGS_ABI_H
#define PGS_ABI_H

#define PGS_ABI 3

#define PGS_GENERATED_FOR_ABI(n)                                                                   \
    _Static_assert((n) == PGS_ABI, "generated for another runtime: run `pgstack generate`")

#endif
