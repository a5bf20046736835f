# Prints functions over 50 lines and files over 500.  A comment `/* long: reason */` in front of a
# function, or among the first 30 lines of a file, says why one is longer.

function end_of_file() {
    if (previous != "" && lines > 500 && !file_reason)
        print previous ":1: " lines " lines; 500 is the limit, or say why: /* long: ... */"
}

FNR == 1 {
    end_of_file()
    previous = FILENAME
    file_reason = reason = 0
    name = ""
}

{ lines = FNR }

/\/\* long: ./ {
    reason = FNR
    if (FNR <= 30)
        file_reason = 1
}

# A definition's name stands in column 0, and so do its braces.
/^[A-Za-z_][A-Za-z0-9_]*\(/ { name = $0; sub(/\(.*/, "", name); named = FNR }
/^\{/ { opened = FNR }
/^\}/ {
    if (name != "" && FNR - named >= 50 && (reason == 0 || reason < named - 6))
        print FILENAME ":" named ": " name " has " FNR - named + 1 " lines; 50 is the limit, or say why: /* long: ... */"
    name = ""
}

END { end_of_file() }
