// repro/import_report.h - what an import has come to, for reading and as JSON.
#pragma once
#include <string>

#include "repro/compare.h"
#include "repro/translate.h"

namespace racier::repro {

struct Import {
  std::string recording;  // its file
  Recording events;
  Translation translation;
  std::optional<Comparison> comparison;  // nothing: the program was not run

  // Returns everything that differs without a reason that has a name.
  std::vector<std::string> unexplained() const;
};

// Returns the tables, and each unexplained line.
std::string report_text(const Import& import);
std::string report_json(const Import& import);

// Returns the comment at the top of the program.
std::string program_header(const Import& import);

}  // namespace racier::repro
