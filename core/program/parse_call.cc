// core/program/parse_call.cc - parses calls.  Tested by parse_test.cc.
#include "core/program/parser.h"
#include "core/program/text.h"

namespace racier::program {
namespace {

bool is_identifier(std::string_view word) {
  for (const char c : word) {
    const bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
    if (!letter && (c < '0' || c > '9')) return false;
  }
  return !word.empty() && (word[0] < '0' || word[0] > '9');
}

}  // namespace

void Parser::call(Cursor& in) {
  Call call;
  int column = in.column();
  std::string_view name = in.word("an op");
  std::string_view result;
  const int result_column = column;
  if (in.take("=")) {
    result = name;
    column = in.column();
    name = in.word("an op");
  }
  const auto index = find_op(name);
  if (!index) in.fail_at(column, "no op is called " + ticked(name));
  call.op = *index;
  const Op& op = op_of(call);
  define(in, result, result_column, op);
  for (int i = 0; i < op.argument_count; ++i) argument(in, op, i, call);
  if (in.take("(")) property(in, call);
  if (in.take("->")) call.expected = expected(in);
  in.expect_end();
  call.note = take_comment();
  program_.list(list_).push_back(std::move(call));
}

void Parser::define(Cursor& in, std::string_view name, int column, const Op& op) {
  if (!op.defines) {
    if (name.empty()) return;
    in.fail_at(column,
               ticked(op.name) + " defines nothing: no name and no `=` before it");
  }
  const std::uint64_t number = defined_.of(*op.defines)++;
  if (name.empty()) return;
  if (!is_identifier(name)) in.fail_at(column, ticked(name) + " is not a name");
  if (file_number(name)) {
    in.fail_at(column, ticked(name) + " is the name of a file of the machine");
  }
  const Definition definition{*op.defines, number, in.line()};
  const auto [at, fresh] = definitions_.emplace(name, definition);
  if (fresh) return;
  std::string sentence = ticked(name) + " is defined already, in line ";
  append_decimal(sentence, static_cast<std::uint64_t>(at->second.line));
  in.fail_at(column, std::move(sentence));
}

void Parser::argument(Cursor& in, const Op& op, int index, Call& call) {
  const ArgumentType& type = op.type(index);
  const auto argument = static_cast<std::size_t>(index);
  const std::string expected =
      type.expected() + " for the " + op.argument_names[argument] + " of " + op.name;
  if (const auto kind = type.variable()) {
    const int column = in.column();
    const std::string_view name = in.word(expected);
    call.arguments[argument] = kNoVariable;
    if (name == "-") return;
    uses_.push_back({list_, program_.list(list_).size(), argument, *kind,
                     std::string(name), in.line(), column});
    return;
  }
  const auto value = type.parse(in.peek());
  if (!value) in.fail(expected);
  in.word(expected);
  call.arguments[argument] = *value;
}

void Parser::property(Cursor& in, Call& call) {
  const int column = in.column();
  const std::string_view name = in.word("fail_nth");
  if (name != "fail_nth") {
    in.fail_at(column, "no property of a call is called " + ticked(name) +
                           "; there is fail_nth");
  }
  in.expect(":");
  call.fail_nth =
      static_cast<std::uint16_t>(in.number("the number of an allocation", 0xffff, 1));
  in.expect(")");
}

Expected Parser::expected(Cursor& in) {
  constexpr std::string_view kExpected =
      "an outcome: a number, ok, skipped, an error such as nomem or segv, fault CODE, "
      "nofault";
  Expected expected;
  const std::string_view word = in.peek();
  if (word == "skipped") {
    in.word("");
    return {.what = Expected::What::kSkipped};
  }
  if (const auto status = find_status(word)) {
    in.word("");
    expected.what = Expected::What::kStatus;
    expected.status = *status;
  } else if (const auto value = parse_number(word)) {
    in.word("");
    expected.what = Expected::What::kValue;
    expected.value = *value;
  } else if (word != "fault" && word != "nofault") {
    in.fail(kExpected);
  }
  if (in.at_end()) return expected;
  if (in.peek() != "fault" && in.peek() != "nofault") {
    in.fail("fault CODE, nofault or the end of the line");
  }
  const bool fault = in.word("") == "fault";
  expected.fault = fault ? Expected::Fault::kCode : Expected::Fault::kNone;
  if (fault) {
    expected.error_code =
        static_cast<std::uint32_t>(in.number("the code of a fault", 0xff));
  }
  return expected;
}

}  // namespace racier::program
