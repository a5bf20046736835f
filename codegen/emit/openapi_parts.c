/* SPDX-License-Identifier: MIT */
#include "emit/openapi.h"

#include <string.h>

#include "model/types.h"
#include "plan/names.h"

void
openapi_reference(struct str *out, const char *kind, const char *name)
{
    str_putc(out, '{');
    json_key_string(out, "$ref", arena_printf("#/components/%s/%s", kind, name));
    str_putc(out, '}');
}

/* ---- types ---- */

/* `"type":"string"`, or with null beside it. */
static void
add_type(struct str *out, const char *type, bool nullable)
{
    json_key(out, "type");
    if (nullable)
        str_printf(out, "[\"%s\",\"null\"]", type);
    else
        json_string(out, type);
}

static void
add_text(struct str *out, struct type type, bool nullable)
{
    add_type(out, "string", nullable);
    if (type.kind == TYPE_UUID)
        json_key_string(out, "format", "uuid");
    if (type.kind == TYPE_DATE)
        json_key_string(out, "format", "date");
    if (type.kind == TYPE_TIMESTAMPTZ)
        json_key_string(out, "format", "date-time");
    if (type.kind == TYPE_BYTEA)
        json_key_string(out, "pattern", "^\\\\x([0-9a-f]{2})*$");
    if (type.kind == TYPE_VARCHAR && type.length > 0)
        json_key_number(out, "maxLength", (size_t)type.length);
}

static void
add_integer(struct str *out, struct type type, bool nullable)
{
    add_type(out, "integer", nullable);
    if (type.kind == TYPE_INT2)
        str_puts(out, ",\"minimum\":-32768,\"maximum\":32767");
    else
        json_key_string(out, "format", type.kind == TYPE_INT4 ? "int32" : "int64");
}

/* What is no number travels as a string. */
static void
add_number(struct str *out, struct type type, bool nullable)
{
    const char *format = type.kind == TYPE_FLOAT4   ? ",\"format\":\"float\""
                         : type.kind == TYPE_FLOAT8 ? ",\"format\":\"double\""
                                                    : "";

    str_printf(out, "\"anyOf\":[{\"type\":\"number\"%s},", format);
    str_puts(out, "{\"enum\":[\"NaN\",\"Infinity\",\"-Infinity\"]}");
    str_puts(out, nullable ? ",{\"type\":\"null\"}]" : "]");
}

static const char *
enum_name(const struct openapi *api, const struct enumeration *enumeration)
{
    for (size_t i = 0; i < api->enums.n; i++)
        if (api->plan->model->enumerations.at[i] == enumeration)
            return api->enums.at[i];
    return "";
}

static const char *
composite_name(const struct openapi *api, const struct composite *composite)
{
    for (size_t i = 0; i < api->types.n; i++)
        if (api->plan->model->types.at[i].composite == composite)
            return api->types.at[i];
    return "";
}

/* An enumeration or a composite. */
static void
add_named(struct str *out, const struct openapi *api, struct type type, bool nullable)
{
    const char *name = type.kind == TYPE_ENUM ? enum_name(api, type.enumeration)
                                              : composite_name(api, type.composite);
    const char *reference = arena_printf("#/components/schemas/%s", name);

    if (nullable)
        str_puts(out, "\"anyOf\":[{");
    json_key_string(out, "$ref", reference);
    if (nullable)
        str_puts(out, "},{\"type\":\"null\"}]");
}

/* `value in ('a', 'b')` of a domain: one of these; false: it is another check. */
static bool
add_values(struct str *out, const struct expr *check, bool nullable)
{
    bool lists = check->kind == EXPR_IN && !check->negated && check->select == NULL &&
                 check->args.n > 1 && check->args.at[0]->kind == EXPR_COLUMN;

    for (size_t i = 1; lists && i < check->args.n; i++)
        lists = check->args.at[i]->kind == EXPR_LITERAL && check->args.at[i]->value != NULL;
    if (!lists)
        return false;
    json_key(out, "enum");
    str_putc(out, '[');
    for (size_t i = 1; i < check->args.n; i++) {
        json_comma(out);
        json_string(out, check->args.at[i]->value);
    }
    str_puts(out, nullable ? ",null]" : "]");
    return true;
}

/* Of a domain over text, or over one that is. */
static void
add_domain(struct str *out, const struct domain *domain, bool nullable)
{
    for (; domain != NULL && !domain->type.array; domain = domain->type.domain)
        for (size_t i = 0; i < domain->checks.n; i++)
            if (add_values(out, domain->checks.at[i].check, nullable))
                return;
}

static void
add_scalar(struct str *out, const struct openapi *api, struct type type, bool nullable)
{
    const struct type_info *info = type_info(type.kind);
    bool integer = type.kind == TYPE_INT2 || type.kind == TYPE_INT4 || type.kind == TYPE_INT8;

    if (type.kind == TYPE_ENUM || type.kind == TYPE_COMPOSITE)
        add_named(out, api, type, nullable);
    else if (type.kind == TYPE_RANGE || type.kind == TYPE_MULTIRANGE || type.extension != NULL)
        add_type(out, "string", nullable);
    else if (info == NULL || info->json == JSON_FORM_ANY)
        return;
    else if (info->json == JSON_FORM_BOOLEAN)
        add_type(out, "boolean", nullable);
    else if (info->json == JSON_FORM_STRING)
        add_text(out, type, nullable), add_domain(out, type.domain, nullable);
    else if (integer)
        add_integer(out, type, nullable);
    else
        add_number(out, type, nullable);
}

void
openapi_schema(struct str *out, const struct openapi *api, struct type type, bool nullable)
{
    str_putc(out, '{');
    json_key_string(out, "description", type_text(type));
    if (type.array) {
        add_type(out, "array", nullable);
        json_key(out, "items");
        str_putc(out, '{');
        add_scalar(out, api, type_element(type), true);
        str_putc(out, '}');
    } else {
        struct str rest = {0};

        str_puts(&rest, "");
        add_scalar(&rest, api, type, nullable);
        str_printf(out, "%s%s", rest.n > 0 ? "," : "", rest.at);
    }
    str_putc(out, '}');
}

void
openapi_object(struct str *out, const struct openapi *api, const struct members *members, bool body)
{
    size_t required = 0;

    str_puts(out, "{\"type\":\"object\",\"properties\":{");
    for (size_t i = 0; i < members->n; i++) {
        json_key(out, members->at[i].name);
        openapi_schema(out, api, members->at[i].type, members->at[i].nullable);
        required += members->at[i].required;
    }
    str_putc(out, '}');
    if (required > 0) {
        json_key(out, "required");
        str_putc(out, '[');
        for (size_t i = 0; i < members->n; i++) {
            if (!members->at[i].required)
                continue;
            json_comma(out);
            json_string(out, members->at[i].name);
        }
        str_putc(out, ']');
    }
    str_puts(out, body ? ",\"additionalProperties\":false}" : "}");
}

/* ---- types of the schema's own ---- */

void
openapi_name_types(struct openapi *api)
{
    const struct model *model = api->plan->model;
    struct words taken = {0};

    for (size_t i = 0; i < model->enumerations.n; i++)
        vec_push(
            &api->enums,
            arena_printf("%s.labels", plan_object_name(model->enumerations.at[i]->name, &taken)));
    for (size_t i = 0; i < model->types.n; i++) {
        const struct composite *composite = model->types.at[i].composite;

        vec_push(&api->types,
                 composite == NULL
                     ? NULL
                     : arena_printf("%s.fields", plan_object_name(composite->name, &taken)));
    }
}

static void
add_enums(struct str *out, const struct openapi *api)
{
    for (size_t i = 0; i < api->enums.n; i++) {
        const struct enumeration *enumeration = api->plan->model->enumerations.at[i];

        json_key(out, api->enums.at[i]);
        str_puts(out, "{\"enum\":[");
        for (size_t l = 0; l < enumeration->labels.n; l++) {
            json_comma(out);
            json_string(out, enumeration->labels.at[l]);
        }
        str_puts(out, "]}");
    }
}

static void
add_composites(struct str *out, const struct openapi *api)
{
    for (size_t i = 0; i < api->types.n; i++) {
        struct members fields;

        if (api->types.at[i] == NULL)
            continue;
        fields = surface_fields(api->plan->model->types.at[i].composite);
        json_key(out, api->types.at[i]);
        openapi_object(out, api, &fields, false);
    }
}

void
openapi_own_types(struct str *out, const struct openapi *api)
{
    add_enums(out, api);
    add_composites(out, api);
}

/* ---- filters ---- */

static bool
is_range(struct type type)
{
    const struct type_info *info = type_info(type.kind);

    return type.kind == TYPE_RANGE || type.kind == TYPE_MULTIRANGE ||
           (info != NULL && strstr(info->sql, "range") != NULL);
}

const char *
openapi_filter_schema(struct type type)
{
    if (type.array)
        return "filter.array";
    if (is_range(type))
        return "filter.range";
    if (type.kind == TYPE_JSONB)
        return "filter.contained";
    if (type_is_text(type))
        return "filter.text";
    return type.kind == TYPE_ENUM || type_is_comparable(type) ? "filter.ordered" : "filter.null";
}

static void
add_filter(struct str *out, const char *name, const char *operators)
{
    json_key(out, arena_printf("filter.%s", name));
    str_puts(out, "{\"type\":\"string\"");
    json_key_string(out, "pattern",
                    arena_printf("^(not\\.)?(is\\.(null|not_null|true|false|unknown)$%s%s%s)",
                                 *operators ? "|in\\.\\(|(" : "", operators,
                                 *operators ? ")\\." : ""));
    str_putc(out, '}');
}

void
openapi_shared_schemas(struct str *out)
{
#define ORDERED "eq|neq|gt|gte|lt|lte"
    add_filter(out, "ordered", ORDERED);
    add_filter(out, "text", ORDERED "|like|ilike");
    add_filter(out, "array", ORDERED "|cs|cd|ov");
    add_filter(out, "contained", ORDERED "|cs|cd");
    add_filter(out, "range", ORDERED "|cs|cd|ov|sl|sr|nxl|nxr|adj");
    add_filter(out, "null", "");
#undef ORDERED
    json_key(out, "api.error");
    str_puts(out, "{\"type\":\"object\",\"properties\":{\"code\":{\"type\":\"string\"},"
                  "\"message\":{\"type\":\"string\"},\"details\":{\"type\":[\"string\",\"null\"]},"
                  "\"hint\":{\"type\":[\"string\",\"null\"]}},"
                  "\"required\":[\"code\",\"message\",\"details\",\"hint\"]}");
}

/* ---- what all paths share ---- */

static void
add_parameter(struct str *out, const char *key, const char *in, const char *schema,
              const char *description)
{
    json_key(out, key);
    str_putc(out, '{');
    json_key_string(out, "name", key);
    json_key_string(out, "in", in);
    json_key_string(out, "description", description);
    str_printf(out, ",\"schema\":%s}", schema);
}

void
openapi_shared_parameters(struct str *out)
{
    static const char text[] = "{\"type\":\"string\"}";
    static const char whole[] = "{\"type\":\"integer\",\"minimum\":0}";

    add_parameter(out, "select", "query", text, "Columns: `a,alias:b,c::type,*`");
    add_parameter(out, "order", "query", text, "`a.desc.nullslast,b`");
    add_parameter(out, "limit", "query", whole, "At most so many rows");
    add_parameter(out, "offset", "query", whole, "Without the first rows");
    add_parameter(out, "or", "query", "{\"type\":\"string\",\"pattern\":\"^\\\\(.*\\\\)$\"}",
                  "One of these filters holds: `(a.eq.1,and(b.gt.2,c.is.null))`");
    add_parameter(out, "and", "query", "{\"type\":\"string\",\"pattern\":\"^\\\\(.*\\\\)$\"}",
                  "All of these filters hold");
    add_parameter(out, "columns", "query", text, "What is taken from the body");
    add_parameter(out, "on_conflict", "query", text, "Columns by which duplicates are known");
    add_parameter(out, "Range", "header", "{\"type\":\"string\",\"pattern\":\"^[0-9]+-[0-9]*$\"}",
                  "A page: `0-24`");
    add_parameter(out, "Prefer", "header", text,
                  "`return=minimal|headers-only|representation`, `count=exact`, "
                  "`resolution=merge-duplicates|ignore-duplicates`, `missing=default`, "
                  "`handling=strict|lenient`, separated by commas");
}

void
openapi_shared_responses(struct str *out)
{
    json_key(out, "api.error");
    str_puts(out, "{\"description\":\"The request was refused; docs/api.md lists the codes\","
                  "\"content\":{\"application/json\":{\"schema\":"
                  "{\"$ref\":\"#/components/schemas/api.error\"}}}}");
    json_key(out, "api.done");
    str_puts(out, "{\"description\":\"Done; no body\"}");
    json_key(out, "api.head");
    str_puts(out, "{\"description\":\"What GET answers, without its body\",\"headers\":"
                  "{\"Content-Range\":{\"description\":\"Which rows, of how many: `0-24/*`\","
                  "\"schema\":{\"type\":\"string\"}}}}");
    json_key(out, "api.refused");
    str_puts(out, "{\"description\":\"The request was refused; no body\"}");
}

void
openapi_credentials(struct str *out)
{
    json_key(out, "apikey");
    str_puts(out, "{\"type\":\"apiKey\",\"in\":\"header\",\"name\":\"apikey\"}");
    json_key(out, "bearer");
    str_puts(out, "{\"type\":\"http\",\"scheme\":\"bearer\",\"bearerFormat\":\"JWT\"}");
}
