# Reads tests/lint/tiers.txt, then lines `file:line:#include ...`; prints each include that it forbids.

function glob(text, pattern) { # `*` matches anything
    gsub(/[.+^$()|]/, "[&]", pattern)
    gsub(/\*/, ".*", pattern)
    return text ~ ("^" pattern "$")
}

# "codegen/sql/expr.c" is of the unit "sql", "runtime/db/pool.c" of "db", "runtime/main.c" of "main".
function unit_of(path, parts, n) {
    n = split(path, parts, "/")
    if (n > 2)
        return parts[2]
    sub(/\..*/, "", parts[n])
    return parts[n]
}

function tier_of(side, unit, i) {
    for (i = 1; i <= n_tiers; i++)
        if (tier_side[i] == side && glob(unit, tier_name[i]))
            return tier_number[i]
    return -1
}

function say(text) { print where ": " text }

function check_own(side, unit, file, name, other, mine, its) {
    if (side == "codegen" && name ~ /^pgs\//) {
        if (name != shared)
            say("the compiler shares " shared " with the runtime, and nothing else: " name)
        return
    }
    other = name ~ /^pgs\// ? "include" : unit_of(side "/" name)
    mine = tier_of(side, unit)
    its = tier_of(side, other)
    if (mine < 0)
        say("\"" unit "\" has no line in tests/lint/tiers.txt")
    else if (its < 0)
        say("\"" other "\" has no line in tests/lint/tiers.txt")
    else if (its > mine)
        say(unit " (tier " mine ") includes " name " (tier " its ")")
    else if (its == mine && unit != other && name ~ /\//)
        say(unit "/ and " other "/ are of one tier and do not include one another: " name)
}

FNR == NR {
    if ($1 == "tier")
        for (i = 4; i <= NF; i++) {
            n_tiers++
            tier_side[n_tiers] = $2
            tier_number[n_tiers] = $3
            tier_name[n_tiers] = $i
        }
    else if ($1 == "never" || $1 == "only") {
        n_rules++
        rule_kind[n_rules] = $1
        rule_subject[n_rules] = $2
        rule_list[n_rules] = ""
        for (i = 3; i <= NF; i++)
            rule_list[n_rules] = rule_list[n_rules] " " $i
    } else if ($1 == "shared")
        shared = $2
    next
}

{
    match($0, /^[^:]*:[0-9]*/)
    where = substr($0, 1, RLENGTH)
    file = where
    sub(/:.*/, "", file)
    match($0, /[<"][^>"]*/)
    ours = substr($0, RSTART, 1) == "\""
    name = substr($0, RSTART + 1, RLENGTH - 1)
    side = file
    sub(/\/.*/, "", side)

    if (side == "generated") {
        if (ours && name ~ /\// && name !~ /^pgs\//)
            say("generated code includes pgs/ and its own files only: " name)
        next
    }
    for (r = 1; r <= n_rules; r++) {
        n = split(rule_list[r], list, " ")
        hit = 0
        for (i = 1; i <= n; i++)
            if (glob(rule_kind[r] == "only" ? file : name, list[i]))
                hit = 1
        if (rule_kind[r] == "only" && glob(name, rule_subject[r]) && !hit)
            say(name " has no place here; it has in" rule_list[r])
        if (rule_kind[r] == "never" && glob(file, rule_subject[r]) && hit)
            say("never includes " name)
    }
    if (ours)
        check_own(side, unit_of(file), file, name)
}
