// core/rmap/anon_vma_chain_vmas.cc - which anon_vmas a vma is to be found from.
//
// Tested by contract_test.cc and anon_vma_chain_test.cc.
#include "core/base/bug.h"
#include "core/base/invariant.h"
#include "core/objects/reclaim_order.h"
#include "core/rmap/anon_vma_chain.h"
#include "core/rmap/anon_vma_chain_words.h"
#include "core/rmap/mergeable.h"

namespace racier::rmap {
namespace {

// Links a vma and an anon_vma.  Context: the root's lock held (write); the chain's,
// too.
void anon_vma_chain_link(Vma& vma, AnonVmaChain& avc, ChainedAnonVma& anon_vma) {
  avc.vma = &vma;
  avc.anon_vma = &anon_vma;
  Chain(vma).push(avc);
  anon_vma.tree.insert(avc);
}

// Returns a neighbour's anon_vma that `vma` may share, or nullptr: not one with
// ancestors, for `vma` would have to have a chain like it.  Kernel:
// reusable_anon_vma().
ChainedAnonVma* find_mergeable_anon_vma(Vma& vma) {
  ChainedAnonVma* found = nullptr;
  find_mergeable(vma, [&](Vma& neighbour) {
    // Whoever sees the anon_vma sees the chain: a fault of another thread may just have
    // made both.
    ChainedAnonVma* const anon_vma = anon_vma_of(neighbour);
    if (anon_vma != nullptr && Chain(neighbour).singular()) found = anon_vma;
    return found != nullptr;
  });
  return found;
}

// Returns whether a child may have it for its own: nobody has, and no two families of
// children would then share it.  A root is its own child, and has another while it is
// in use at all.
bool is_reusable(const ChainedAnonVma& anon_vma) {
  return anon_vma.num_active_vmas == 0 && anon_vma.num_children < 2;
}

}  // namespace

// Kernel: __anon_vma_prepare().
Result<Ticket> AnonVmaChains::do_prepare(Vma& vma) {
  if (anon_vma_of(vma) != nullptr) return Ticket{};
  AnonVmaChain* const avc = avcs_.create();
  if (avc == nullptr) return Status::kNoMemory;
  ChainedAnonVma* const mergeable = find_mergeable_anon_vma(vma);
  ChainedAnonVma* const anon_vma =
      mergeable != nullptr ? mergeable : create_anon_vma(nullptr);
  if (anon_vma == nullptr) {
    avcs_.destroy(avc);
    return Status::kNoMemory;
  }
  if (join(vma, *anon_vma, *avc)) return Ticket{};
  avcs_.destroy(avc);
  if (mergeable == nullptr) put_anon_vma(*anon_vma);
  return Ticket{};
}

// Makes `anon_vma` the one of `vma`; false if another thread gave it one meanwhile.
bool AnonVmaChains::join(Vma& vma, ChainedAnonVma& anon_vma, AnonVmaChain& avc) {
  const WriteGuard guard(root_of(anon_vma).rwsem);
  const SpinGuard ptl(vma.vm_mm->page_table_lock);
  if (anon_vma_of(vma) != nullptr) return false;
  anon_vma_chain_link(vma, avc, anon_vma);
  ++anon_vma.num_active_vmas;
  set_anon_vma_of(vma, &anon_vma);
  return true;
}

bool AnonVmaChains::allocate(Spare& avcs, std::size_t count) {
  might_reclaim();
  for (; count > 0; --count) {
    AnonVmaChain* const avc = avcs_.create();
    if (avc == nullptr) {
      free_all(avcs);
      return false;
    }
    avcs.push_back(*avc);
  }
  return true;
}

void AnonVmaChains::free_all(Spare& avcs) {
  while (AnonVmaChain* const avc = avcs.front()) {
    avcs.erase(*avc);
    avcs_.destroy(avc);
  }
}

// Makes `dst` findable from every anon_vma that `src` is.  In one mm it has the own
// anon_vma of `src`; a child, perhaps, one of its ancestors' that is free.
// Kernel: anon_vma_clone().
Status AnonVmaChains::clone(Vma& dst, Vma& src, Why why) {
  const Chain chain(src);
  Spare spare;
  const bool late = bug::armed(Bug::kAvcAllocUnderAnonLock);
  if (!late && !allocate(spare, chain.length())) return Status::kNoMemory;
  const WriteGuard guard(root_of(*chain.oldest().anon_vma).rwsem);
  if (late && !allocate(spare, chain.length())) return Status::kNoMemory;
  ChainedAnonVma* own = why == Why::kFork ? nullptr : anon_vma_of(src);
  chain.for_each_from_oldest([&](AnonVmaChain& of_src) {
    AnonVmaChain& avc = *spare.front();
    spare.erase(avc);
    anon_vma_chain_link(dst, avc, *of_src.anon_vma);
    if (own == nullptr && is_reusable(*of_src.anon_vma)) own = of_src.anon_vma;
  });
  if (own == nullptr) return Status::kOk;
  ++own->num_active_vmas;
  set_anon_vma_of(dst, own);
  return Status::kOk;
}

// Kernel: the second half of anon_vma_fork().
Status AnonVmaChains::give_own_anon_vma(Vma& dst, ChainedAnonVma& parent) {
  AnonVmaChain* const avc = avcs_.create();
  if (avc == nullptr) return Status::kNoMemory;
  ChainedAnonVma* const anon_vma = create_anon_vma(&parent);
  if (anon_vma == nullptr) {
    avcs_.destroy(avc);
    return Status::kNoMemory;
  }
  ChainedAnonVma& root = root_of(parent);
  root.refs.inc();
  const WriteGuard guard(root.rwsem);
  anon_vma_chain_link(dst, *avc, *anon_vma);
  ++anon_vma->num_active_vmas;
  ++parent.num_children;
  set_anon_vma_of(dst, anon_vma);
  return Status::kOk;
}

Status AnonVmaChains::do_link(Vma& dst, Vma& src, Why why) {
  if (Chain(src).empty()) return Status::kOk;
  Status status = clone(dst, src, why);
  if (status != Status::kOk || anon_vma_of(dst) != nullptr) return status;
  status = give_own_anon_vma(dst, *anon_vma_of(src));
  if (status != Status::kOk) do_unlink(dst);
  return status;
}

// Takes `vma` out of all trees, under the lock, and frees its avcs but those of
// anon_vmas whose tree is empty now: what is to be put may not be put under the lock.
void AnonVmaChains::leave_trees(Vma& vma) {
  const Chain chain(vma);
  const WriteGuard guard(root_of(*chain.oldest().anon_vma).rwsem);
  chain.for_each([&](AnonVmaChain& avc) {
    ChainedAnonVma& anon_vma = *avc.anon_vma;
    anon_vma.tree.erase(avc);
    if (anon_vma.tree.empty()) {
      --anon_vma.parent->num_children;
      return;
    }
    avc.same_vma.unlink();
    avcs_.destroy(&avc);
  });
  ChainedAnonVma* const own = anon_vma_of(vma);
  if (own == nullptr) return;
  --own->num_active_vmas;
  set_anon_vma_of(vma, nullptr);
}

// Kernel: unlink_anon_vmas().
void AnonVmaChains::do_unlink(Vma& vma) {
  const Chain chain(vma);
  if (chain.empty()) return;
  leave_trees(vma);
  chain.for_each([&](AnonVmaChain& avc) {
    ChainedAnonVma& anon_vma = *avc.anon_vma;
    invariant(Inv::kAnonVmaDegreesMatch,
              anon_vma.num_children == 0 && anon_vma.num_active_vmas == 0);
    avc.same_vma.unlink();
    avcs_.destroy(&avc);
    put_anon_vma(anon_vma);
  });
}

// Kernel: is_mergeable_anon_vma().  A vma with ancestors is left alone: whoever gets
// its chain makes their trees longer.
bool AnonVmaChains::do_can_merge(const Vma& a, const Vma& b) const {
  const ChainedAnonVma* const one = anon_vma_of(a);
  const ChainedAnonVma* const other = anon_vma_of(b);
  if (one == other) return true;
  if (one != nullptr && other != nullptr) return false;
  return Chain(const_cast<Vma&>(one != nullptr ? a : b)).singular();
}

// All chains lead to one root.
void AnonVmaChains::do_adjust(std::span<Vma* const> vmas, FunctionRef<void()> change) {
  Vma* chained = nullptr;
  for (Vma* const vma : vmas) {
    if (chained == nullptr && !Chain(*vma).empty()) chained = vma;
  }
  if (chained == nullptr) return change();
  const WriteGuard guard(root_of(*Chain(*chained).oldest().anon_vma).rwsem);
  const auto for_each_avc = [vmas](FunctionRef<void(AnonVmaChain&)> visit) {
    for (Vma* const vma : vmas) Chain(*vma).for_each(visit);
  };
  for_each_avc([](AnonVmaChain& avc) { avc.anon_vma->tree.erase(avc); });
  change();
  for_each_avc([](AnonVmaChain& avc) { avc.anon_vma->tree.insert(avc); });
}

}  // namespace racier::rmap
