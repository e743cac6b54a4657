// stress/stop_signals.h - Ctrl-C and SIGTERM ask for an orderly end.
#pragma once

namespace racier::stress {

// From now on SIGINT and SIGTERM only ask; a second Ctrl-C ends the process as usual.
void catch_stop_signals();
bool stop_requested();

// From now on whoever dies of a signal says `words` first, to stderr.  `words` stay
// where they are; they may change meanwhile.
void set_last_words(const char* words);

}  // namespace racier::stress
