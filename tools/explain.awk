# docs/errors.md as a C table, an entry a code: what `pgstack explain` prints.
#
#   awk -f tools/explain.awk docs/errors.md

function quoted(line) {
  gsub(/\\/, "\\\\\\\\", line)
  gsub(/"/, "\\\"", line)
  gsub(/\?\?/, "?\\?", line)
  return "\"" line "\""
}

function end_entry() {
  if (code != "") print "    NULL,\n};\n"
  code = ""
}

BEGIN { print "/* GENERATED from docs/errors.md */\n" }

/^## / { end_entry() }

/^### PGS[0-9][0-9][0-9][0-9]: / {
  end_entry()
  code = substr($2, 4, 4)
  codes[n++] = code
  print "static const char *const text_" code "[] = {"
  sub(/^### PGS[0-9]+: /, "")
  print "    " quoted($0) ","
  next
}

code != "" { print "    " quoted($0) "," }

END {
  end_entry()
  print "static const struct entry entries[] = {"
  for (i = 0; i < n; i++) print "    {" (codes[i] + 0) ", text_" codes[i] "},"
  print "};"
}
