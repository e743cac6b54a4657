// core/rmap/anon_vma_chain_audit.cc - chains, trees and counts, recounted.
// Tested by contract_test.cc and anon_vma_chain_test.cc.
#include "core/base/invariant.h"
#include "core/rmap/anon_vma_chain.h"
#include "core/rmap/anon_vma_chain_words.h"

namespace racier::rmap {

// R4, and what each anon_vma of the chain should count.
void AnonVmaChains::audit_chain(Vma& vma) {
  const Chain chain(vma);
  ChainedAnonVma* const own = peek_anon_vma_of(vma);
  invariant(Inv::kVmaChainIsSound, (own == nullptr) == chain.empty());
  if (own == nullptr) return;
  ChainedAnonVma& root = peek_root_of(*own);
  invariant(Inv::kVmaChainIsSound, chain.oldest().anon_vma == &root);
  bool own_is_there = false;
  chain.for_each([&](AnonVmaChain& avc) {
    const bool sound =
        avc.vma == &vma && avc.rb.linked() && &peek_root_of(*avc.anon_vma) == &root;
    invariant(Inv::kVmaChainIsSound, sound);
    own_is_there = own_is_there || avc.anon_vma == own;
    ++avc.anon_vma->seen.avcs;
  });
  invariant(Inv::kVmaChainIsSound, own_is_there);
  ++own->seen.active_vmas;
}

// C6, C7.
void AnonVmaChains::audit_anon_vmas() {
  anon_vmas_.for_each_live([](ChainedAnonVma& anon_vma) {
    ChainedAnonVma& root = peek_root_of(anon_vma);
    ++anon_vma.parent->seen.children;
    if (&root != &anon_vma) ++root.seen.named_root_by;
  });
  anon_vmas_.for_each_live([](ChainedAnonVma& anon_vma) {
    const ChainedAnonVma::Recount& seen = anon_vma.seen;
    std::uint32_t avcs = 0;
    for (AnonVmaChain* avc = anon_vma.tree.first(); avc != nullptr;
         avc = AnonVmaTree::next(*avc)) {
      ++avcs;
      invariant(Inv::kVmaIsOnItsAnonVma, avc->anon_vma == &anon_vma);
    }
    invariant(Inv::kAnonVmaHasVmas, avcs > 0);
    invariant(Inv::kVmaIsOnItsAnonVma, avcs == seen.avcs);
    invariant(Inv::kAnonVmaCountIsItsUsers,
              anon_vma.refs.read() == 1 + seen.named_root_by);
    invariant(Inv::kAnonVmaDegreesMatch,
              anon_vma.num_children == seen.children &&
                  anon_vma.num_active_vmas == seen.active_vmas);
  });
  anon_vmas_.for_each_free([](ChainedAnonVma& anon_vma) {
    invariant(Inv::kFreeAnonVmaIsIdle, anon_vma.refs.read() == 0 &&
                                           anon_vma.tree.empty() &&
                                           !anon_vma.rwsem.is_locked());
  });
}

// R3 needs no more: that a page's own anon_vma shows each of its ptes is R1.
void AnonVmaChains::audit(std::span<Vma* const> vmas) {
  anon_vmas_.for_each_live([](ChainedAnonVma& anon_vma) { anon_vma.seen = {}; });
  std::size_t avcs = 0;
  for (Vma* const vma : vmas) {
    audit_chain(*vma);
    avcs += Chain(*vma).length();
  }
  invariant(Inv::kVmaChainIsSound, avcs == avcs_.live_objects());
  audit_anon_vmas();
}

}  // namespace racier::rmap
