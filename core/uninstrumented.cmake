# Gives the inline functions of an uninstrumented archive names of their own.
#
# An inline function or template of a header is compiled into every object that uses it, and
# the linker keeps one copy: the instrumented code might get a copy that no sanitizer watches,
# the runtime one that is watched, whichever came first.  After this the archive keeps its own
# copies (`name.uninstrumented`).  Data stays shared: variables, vtables, type information.
#
# Run after each link of the archive: cmake -DNM= -DOBJCOPY= -DARCHIVE= -P this-file
execute_process(COMMAND ${NM} --defined-only ${ARCHIVE}
                OUTPUT_VARIABLE symbols COMMAND_ERROR_IS_FATAL ANY)
string(REGEX MATCHALL " W _Z[^\n]+" symbols "${symbols}")  # W: weak, and not data
set(renames)
foreach(symbol IN LISTS symbols)
  string(REPLACE " W " "" symbol "${symbol}")
  # The copies of a constructor or destructor may share a group named after C5 or D5.
  string(REGEX REPLACE "([CD])[012](E[^E]*)$" "\\15\\2" group "${symbol}")
  list(APPEND renames ${symbol} ${group})
endforeach()
list(FILTER renames EXCLUDE REGEX "\\.uninstrumented$")
list(REMOVE_DUPLICATES renames)
list(TRANSFORM renames REPLACE "(.+)" "\\1 \\1.uninstrumented\n")
string(JOIN "" renames ${renames})
file(WRITE ${ARCHIVE}.renames "${renames}")
execute_process(COMMAND ${OBJCOPY} --redefine-syms=${ARCHIVE}.renames ${ARCHIVE}
                COMMAND_ERROR_IS_FATAL ANY)
