// core/base/require.cc - the last words of a process that found a mistake in racier.
#include "core/base/require.h"

#include <cstdlib>
#include <cstring>
#include <unistd.h>

namespace racier {
namespace {

void say(const char* text) {
  if (write(STDERR_FILENO, text, std::strlen(text)) < 0) std::abort();
}

void say_number(unsigned number) {
  char digits[12];
  char* at = digits + sizeof digits - 1;
  *at = '\0';
  do {
    *--at = static_cast<char>('0' + number % 10);
    number /= 10;
  } while (number != 0);
  say(at);
}

}  // namespace

void require_failed(const char* sentence, std::source_location where) {
  // The form is glibc's, which triage tools know.
  say("racier: ");
  say(where.file_name());
  say(":");
  say_number(where.line());
  say(": ");
  say(where.function_name());
  say(": Assertion '");
  say(sentence);
  say("' failed.\n");
  std::abort();
}

}  // namespace racier
