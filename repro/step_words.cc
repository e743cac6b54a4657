// repro/step_words.cc - see step_words.h.  Tested by step_words_test.cc.
#include "repro/step_words.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <string_view>

#include "core/memory/pte.h"
#include "core/objects/page.h"

namespace racier::repro {
namespace {

// In the order of PageFlag.
constexpr std::array kPageFlags = {"PG_locked",    "PG_referenced", "PG_uptodate",
                                   "PG_dirty",     "PG_lru",        "PG_active",
                                   "PG_swapcache", "PG_writeback",  "PG_swapbacked",
                                   "PG_chainlock", "PG_lazyfree"};

std::string page_flags(std::uint64_t value) {
  std::string text;
  for (std::size_t i = 0; i < kPageFlags.size(); ++i) {
    if ((value >> i & 1) != 0)
      text += (text.empty() ? "" : " ") + std::string(kPageFlags[i]);
  }
  return text.empty() ? "0" : text;
}

std::string pte(std::uint64_t bits) {
  const Pte pte(bits);
  if (pte.none()) return "none";
  if (pte.is_migration()) return fmt::format("migration of page {}", pte.pfn());
  if (pte.is_swap()) {
    return fmt::format("swap {}:{}", pte.swap_entry().type(),
                       pte.swap_entry().offset());
  }
  return fmt::format("page {}{}{}{}", pte.pfn(), pte.writable() ? " rw" : " ro",
                     pte.dirty() ? " dirty" : "", pte.young() ? " young" : "");
}

std::int64_t as_signed(std::uint64_t value, int size) {
  if (size == 4) return static_cast<std::int32_t>(value);
  if (size == 2) return static_cast<std::int16_t>(value);
  return static_cast<std::int64_t>(value);
}

bool ends_with_any(const std::string& object,
                   std::initializer_list<std::string_view> ends) {
  return std::any_of(ends.begin(), ends.end(),
                     [&](std::string_view end) { return object.ends_with(end); });
}

bool is_table_entry(const std::string& object) {
  for (const char* const level : {" pte [", " pmd [", " pud [", " pgd ["}) {
    if (object.find(level) != std::string::npos) return true;
  }
  return false;
}

// Returns "page 5" of "page 5 flags".
std::string page_of(const std::string& object) {
  const std::size_t end = object.find(' ', 5);
  return object.starts_with("page ") && end != object.npos ? object.substr(0, end) : "";
}

// A name that tells no more than where memory lies.
bool is_poor(const std::string& name) {
  return name.starts_with("frame ") || name.starts_with("slab ") ||
         name.starts_with("word ") || name.starts_with("region+");
}

// Returns the words of `one` that are not among those of `other`.
std::string words_only_in(const std::string& one, const std::string& other) {
  std::string text;
  for (const char* const flag : kPageFlags) {
    if (one.find(flag) == one.npos || other.find(flag) != other.npos) continue;
    text += (text.empty() ? "" : " ") + std::string(flag);
  }
  return text;
}

}  // namespace

bool is_count(const std::string& object) {
  return ends_with_any(object, {" count", " mapcount", " mm_users", " mm_count"});
}

std::string StepWords::object(const void* address) const {
  std::string name = end_.name(address);
  if (!is_poor(name)) return name;
  const std::string before = begin_.known_name(address);
  return before.empty() || is_poor(before) ? name : before;
}

std::string StepWords::pointer(std::uint64_t value) const {
  constexpr std::uint64_t kTags = 3;
  const auto* const address = reinterpret_cast<const void*>(value & ~kTags);
  if (region_.offset_of(address) < 0) return "a pointer";
  std::string name = object(address);
  if (name.ends_with("+0x0")) name.resize(name.size() - 4);
  const std::uint64_t tag = value & kTags;
  return "&" + name + (tag == 0 ? "" : fmt::format(" | {}", tag));
}

std::string StepWords::value(const std::string& object, std::uint64_t value,
                             int size) const {
  constexpr std::uint64_t kSmall = 1 << 16;
  constexpr std::uint64_t kPointers = 0x5000'0000'0000;
  constexpr std::uint64_t kPointersEnd = 0x8000'0000'0000;
  if (object.starts_with("page ") && object.ends_with(" flags"))
    return page_flags(value);
  if (is_table_entry(object)) return pte(value);
  if (is_count(object)) return fmt::format("{}", as_signed(value, size));
  const bool user = object.starts_with("user word");
  if (size == 8 && !user && value >= kPointers && value < kPointersEnd) {
    return pointer(value);
  }
  return value < kSmall ? fmt::format("{}", value) : fmt::format("{:#x}", value);
}

std::string StepWords::lock(const void* lock, const LockClass& lock_class) {
  const std::string name = object(lock);
  if (name.ends_with(lock_class.name)) return name;
  if (!page_of(name).empty())
    return fmt::format("{} of {}", lock_class.name, page_of(name));
  std::vector<const void*>& locks = locks_[&lock_class];
  auto found = std::find(locks.begin(), locks.end(), lock);
  if (found == locks.end()) found = locks.insert(found, lock);
  const auto index = found - locks.begin();
  return index == 0 ? lock_class.name
                    : fmt::format("{} #{}", lock_class.name, index + 1);
}

std::string StepWords::of_access(Access access, const std::string& object,
                                 const std::string& before, const std::string& after) {
  const bool known = !before.empty();
  if (access == Access::kNone) return "";
  if (access == Access::kRead) {
    return known ? fmt::format("reads {} = {}", object, before) : "reads " + object;
  }
  if (!known || after.empty()) return "writes " + object;
  if (before == after) {
    return access == Access::kRmw ? fmt::format("{} stays {}", object, before)
                                  : fmt::format("writes {} = {} again", object, before);
  }
  if (before.starts_with("PG_") || after.starts_with("PG_")) {
    const std::string set = words_only_in(after, before);
    const std::string cleared = words_only_in(before, after);
    return (set.empty() ? "" : "sets " + set) +
           (set.empty() || cleared.empty() ? "" : ", ") +
           (cleared.empty() ? "" : "clears " + cleared) + " of " + page_of(object);
  }
  return fmt::format("{}: {} → {}", object, before, after);
}

}  // namespace racier::repro
