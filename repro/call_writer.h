// repro/call_writer.h - writes the calls of an imported program.
#pragma once
#include <cstdint>
#include <initializer_list>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "core/program/ops.h"
#include "core/program/program.h"
#include "repro/kernel_view.h"

namespace racier::repro {

// Appends calls to one list, and keeps the line of the recording that each came from.
class CallWriter {
 public:
  void set_line(int line) { line_ = line; }

  // Each returns the number of the new process.
  std::uint64_t process() { return define("process", {}); }
  std::uint64_t fork(std::uint64_t parent) { return define("fork", {parent}); }
  std::uint64_t clone(std::uint64_t process) { return define("clone", {process}); }
  void exit(std::uint64_t process) { add("exit", {process}); }

  void map(std::uint64_t process, const Area& area);
  void unmap(std::uint64_t process, VirtRange range);
  // Where it is.
  void resize(std::uint64_t process, VirtRange range, std::uint64_t pages);
  void move(std::uint64_t process, VirtRange from, VirtRange to);
  void protect(std::uint64_t process, VirtRange range, std::uint32_t access);
  void put_heap(std::uint64_t process, VirtAddr start);
  void set_brk(std::uint64_t process, VirtAddr end);

  // An access that succeeds; `fault` says which page fault it takes, if that is known.
  using Fault = program::Expected::Fault;
  void access(std::uint64_t process, VirtAddr addr, std::uint32_t error_code,
              Fault fault, std::string note = "");
  // Of the last call: how it ends.
  void expect(Status status) { calls_.back().expected->status = status; }

  std::size_t size() const { return calls_.size(); }
  program::Calls take_calls() { return std::move(calls_); }
  std::vector<int> take_lines() { return std::move(lines_); }
  std::vector<std::string> take_files() { return std::move(files_); }
  std::uint64_t file_pages_max() const { return file_pages_max_; }

 private:
  using Arguments = std::initializer_list<std::uint64_t>;
  void add(std::string_view op, Arguments arguments);
  std::uint64_t define(std::string_view op, Arguments arguments);
  std::uint64_t file_number(const std::string& name);

  program::Calls calls_;
  std::vector<int> lines_;
  std::vector<std::string> files_;
  std::map<std::string, std::uint64_t> file_numbers_;
  std::uint64_t file_pages_max_ = 1;
  std::uint64_t processes_ = 0;
  int line_ = 0;
};

}  // namespace racier::repro
