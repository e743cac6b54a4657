// core/mm/maple_store.cc - allocates, publishes, and frees behind a grace period.
// Tested by vma_lock_test.cc.
#include "core/mm/maple_store.h"

#include <span>
#include <utility>

#include "core/base/run_state.h"

namespace racier {
namespace {

bool has_maple_tree(const Machine& m) {
  return m.options().period.lookup == VmaLookup::kPerVma;
}

// Kernel: ma_free_rcu().
void free_node_rcu(Machine& m, MapleNode& node) {
  node.context = &m;
  node.callback = [](RcuHead& head, void* machine) {
    Machine& m = *static_cast<Machine*>(machine);
    m.maple_cache.destroy(&static_cast<MapleNode&>(head));
  };
  m.rcu.call(node);
}

template <typename Free>
void free_list(MapleNode* list, Free free) {
  while (list != nullptr) free(*std::exchange(list, list->list));
}

}  // namespace

MapleStore::~MapleStore() noexcept(false) {
  if (!prepared_ || run_is_over()) return;
  free_list(update_.take_made(),
            [&](MapleNode& node) { m_.maple_cache.destroy(&node); });
}

bool MapleStore::prepare(VirtRange range, std::initializer_list<MapleEntry> entries) {
  if (!has_maple_tree(m_)) return true;
  prepared_ = true;
  return update_.build(mm_.mm_mt, range, std::span(entries.begin(), entries.size()),
                       [&] { return m_.maple_cache.create(); });
}

void MapleStore::store() {
  if (!prepared_) return;
  mm_.page_table_lock.assert_held();
  update_.publish(mm_.mm_mt);
  free_list(update_.take_replaced(), [&](MapleNode& node) { free_node_rcu(m_, node); });
}

void destroy_maple_tree(Machine& m, Mm& mm) {
  if (!has_maple_tree(m)) return;
  mm.mm_mt.clear([&](MapleNode& node) { m.maple_cache.destroy(&node); });
}

}  // namespace racier
