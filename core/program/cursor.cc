// core/program/cursor.cc - reads words, numbers and quoted texts.  Tested by
// parse_test.cc.
#include "core/program/cursor.h"

#include "core/program/text.h"

namespace racier::program {
namespace {

bool ends_word(char c) {
  constexpr std::string_view kSigns = " \t()=\":,>";
  return kSigns.find(c) != kSigns.npos;
}

// Returns `text` fit for a message of one line.
std::string shown(std::string_view text) {
  constexpr std::size_t kShownMax = 40;
  std::string plain = "`";
  for (const char c : text.substr(0, kShownMax))
    plain += c >= ' ' && c <= '~' ? c : '?';
  return plain + (text.size() > kShownMax ? "...`" : "`");
}

}  // namespace

void Cursor::skip_blanks() {
  while (at_ < line_.size() && (line_[at_] == ' ' || line_[at_] == '\t')) ++at_;
}

bool Cursor::at_end() {
  skip_blanks();
  return at_ == line_.size();
}

int Cursor::column() {
  skip_blanks();
  return static_cast<int>(at_) + 1;
}

std::string_view Cursor::peek() {
  skip_blanks();
  if (line_.substr(at_).starts_with("->")) return {};
  std::size_t end = at_;
  while (end < line_.size() && !ends_word(line_[end])) ++end;
  return line_.substr(at_, end - at_);
}

std::string_view Cursor::word(std::string_view expected) {
  const std::string_view word = peek();
  if (word.empty()) fail(expected);
  at_ += word.size();
  return word;
}

bool Cursor::take(std::string_view sign) {
  skip_blanks();
  if (!line_.substr(at_).starts_with(sign)) return false;
  at_ += sign.size();
  return true;
}

void Cursor::expect(std::string_view sign) {
  if (!take(sign)) fail("`" + std::string(sign) + "`");
}

void Cursor::expect_end() {
  if (!at_end()) fail("the end of the line");
}

std::uint64_t Cursor::number(std::string_view noun, std::uint64_t max,
                             std::uint64_t min) {
  const auto value = parse_number(peek());
  if (!value || *value < min || *value > max) {
    std::string expected = std::string(noun) + " (";
    append_decimal(expected, min);
    append_decimal(expected += " to ", max);
    fail(expected + ")");
  }
  at_ += peek().size();
  return *value;
}

std::string Cursor::quoted(std::string_view expected) {
  if (!take("\"")) fail(expected);
  std::string text;
  for (; at_ < line_.size(); ++at_) {
    if (line_[at_] == '"') {
      ++at_;
      return text;
    }
    if (line_[at_] == '\\' && at_ + 1 < line_.size()) {
      ++at_;
      text += line_[at_] == 'n' ? '\n' : line_[at_];
    } else {
      text += line_[at_];
    }
  }
  fail("`\"` at the end of the text");
}

void Cursor::fail(std::string_view expected) {
  std::string sentence = "expected " + std::string(expected) + ", not ";
  if (at_end()) {
    sentence += "the end of the line";
  } else {
    const std::size_t sign = line_.substr(at_).starts_with("->") ? 2 : 1;
    sentence += shown(peek().empty() ? line_.substr(at_, sign) : peek());
  }
  fail_at(column(), std::move(sentence));
}

}  // namespace racier::program
