# Gives the inline functions of an uninstrumented archive names of their own.
#
# An inline function or template of a header is compiled into every object that uses it, and
# the linker keeps one copy: the instrumented code might get a copy that no sanitizer watches,
# the runtime one that is watched, whichever came first.  After this the archive keeps its own
# copies (`name.uninstrumented`), vtables too.  Data stays shared: variables, type information.
# (An object that instrumented code constructs inline still has the instrumented vtable.)
#
# cmake -DNM=... -DOBJCOPY=... -DARCHIVE=... -P this-file    after each making of the archive
# cmake -DNM=... -DARCHIVE=... -DCHECK=ON -P this-file       is it so?  (a test)
execute_process(COMMAND ${NM} ${ARCHIVE} OUTPUT_VARIABLE symbols COMMAND_ERROR_IS_FATAL ANY)
# W: weak, and no data; V: weak data, among it vtables and their kin.
string(REGEX MATCHALL " (W _Z|V _ZT[VCT])[^\n]+" inline_functions "${symbols}")
list(TRANSFORM inline_functions REPLACE "^ . " "")
list(FILTER inline_functions EXCLUDE REGEX "\\.uninstrumented$")

if(CHECK)
  string(REGEX MATCHALL
         " U __(tsan_func_|tsan_read|tsan_write|asan_report|ubsan_|sanitizer_cov_)[^\n]+"
         instrumented "${symbols}")
  if(inline_functions OR instrumented)
    message(FATAL_ERROR "${ARCHIVE} shares functions (${inline_functions}) "
            "or is instrumented (${instrumented})")
  endif()
  return()
endif()

set(renames)
foreach(symbol IN LISTS inline_functions)
  # The copies of a constructor or destructor may share a group named after C5 or D5.
  string(REGEX REPLACE "([CD])[012](E[^E]*)$" "\\15\\2" group "${symbol}")
  list(APPEND renames ${symbol} ${group})
endforeach()
list(REMOVE_DUPLICATES renames)
list(TRANSFORM renames REPLACE "(.+)" "\\1 \\1.uninstrumented\n")
string(JOIN "" renames ${renames})
file(WRITE ${ARCHIVE}.renames "${renames}")
execute_process(COMMAND ${OBJCOPY} --redefine-syms=${ARCHIVE}.renames ${ARCHIVE}
                COMMAND_ERROR_IS_FATAL ANY)
