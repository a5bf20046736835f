/* SPDX-License-Identifier: MIT */
#include "change/change.h"

bool
change_is_suspect(const struct change *change, const void *object)
{
    for (size_t i = 0; i < change->suspects.n; i++)
        if (change->suspects.at[i] == object)
            return true;
    return false;
}

void
check_changes(const struct checker *checker, const struct model *last)
{
    struct change change = {.checker = checker, .now = checker->model, .last = last};

    change_check_gone(&change);
    change_check_was(&change);
    change_check_types(&change);
    change_check_columns(&change);
    change_check_keys(&change);
    change_check_labels(&change);
    change_check_rules(&change);
    change_check_parts(&change);
    change_check_rights(&change);
    change_check_served(&change);
    change_check_deciding(&change);
}
