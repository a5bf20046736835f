/* SPDX-License-Identifier: MIT */
/* A price that the client says, where it stands in the table of what is bought. */
#include "rights/privilege.h"

#include <string.h>

#include "base/words.h"
#include "rights/branch.h"

static bool
is_price(const char *name)
{
    static const char *const words[] = {"price",    "unit_price",   "price_cents", "total",
                                        "subtotal", "total_price",  "total_cents", "total_amount",
                                        "amount",   "amount_cents", "cost",        "fee"};

    return WORD_IS_AMONG(name, words);
}

static bool
is_purchase(const struct table *table)
{
    static const char *const words[] = {"order",   "purchase",    "cart",         "line",
                                        "booking", "reservation", "checkout",     "basket",
                                        "rental",  "item",        "subscription", "payment"};

    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
        if (strstr(table->name, words[i]))
            return true;
    return false;
}

/* A price of what the row refers to, which the role cannot write; NULL: there is none. */
static const struct column *
price_referred(const struct table *table, const struct role *role)
{
    static const char *const words[] = {"price",      "unit_price", "price_cents", "unit_cents",
                                        "list_price", "fee",        "unit_amount", "rate"};

    for (size_t i = 0; i < table->constraints.n; i++) {
        const struct table *target = table->constraints.at[i]->target;

        for (size_t j = 0; target && target != table && j < target->columns.n; j++) {
            const struct column *price = target->columns.at[j];

            if (WORD_IS_AMONG(price->name, words) && !access_column(role, price, CMD_INSERT) &&
                !access_column(role, price, CMD_UPDATE))
                return price;
        }
    }
    return NULL;
}

/* The same of its lines, for a sum. */
static const struct column *
price_of_lines(const struct model *model, const struct table *table, const struct role *role)
{
    for (size_t i = 0; i < model->tables.n; i++)
        for (size_t j = 0; j < model->tables.at[i]->constraints.n; j++)
            if (model->tables.at[i]->constraints.at[j]->target == table) {
                const struct column *price = price_referred(model->tables.at[i], role);

                if (price && price->table != table)
                    return price;
            }
    return NULL;
}

static const struct column *
true_price(const struct writing *writing)
{
    const struct table *table = writing->grant->table;
    const struct role *role = writing->grant->role;
    const struct column *price = price_referred(table, role);

    if (!price &&
        (strstr(writing->column->name, "total") || strstr(writing->column->name, "amount")))
        price = price_of_lines(writing->checker->model, table, role);
    return price;
}

void
check_price(const struct writing *writing)
{
    const struct grant *grant = writing->grant;
    const struct column *price;
    struct branches written = {0};
    struct diag *diag;

    if (!is_price(writing->column->name) || !is_purchase(grant->table) ||
        check_has_trigger(writing->checker->model, grant->table, grant->command))
        return;
    price = true_price(writing);
    if (!price || !check_role_branches(grant->role, grant->table, grant->command, true, &written) ||
        check_is_read_by(&written, writing->column) ||
        !check_has_free_side(&written, grant->role) || check_write_is_told(writing))
        return;
    diag = diag_at(writing->span, PGS3120_PRICE_FROM_CLIENT,
                   "\"%s\" may say what \"%s\" of \"%s\" is: nothing compares it with %s.%s",
                   grant->role->name, writing->column->name, grant->table->name, price->table->name,
                   price->name);
    diag_note(diag, price->span, "the price is here");
    diag_hint(diag,
              "take \"%s\" out of the grant and let a trigger or a definer function take it from "
              "\"%s\", or compare the two in `with check`",
              writing->column->name, price->table->name);
}
