#include "lsm/format/fragmented_tombstones.h"

#include <algorithm>
#include <functional>

namespace tinykv::lsm {
namespace {

// Where tombstones begin and end, each place once, in order. The end of the key space is no place.
std::vector<std::string_view> CutsOf(const std::vector<RangeTombstone>& tombstones) {
  std::vector<std::string_view> cuts;
  for (const RangeTombstone& tombstone : tombstones) {
    cuts.push_back(tombstone.begin);
    if (!tombstone.end.empty()) cuts.push_back(tombstone.end);
  }
  std::sort(cuts.begin(), cuts.end());
  cuts.erase(std::unique(cuts.begin(), cuts.end()), cuts.end());
  return cuts;
}

std::vector<SequenceNumber> SequencesOf(const std::vector<const RangeTombstone*>& tombstones) {
  std::vector<SequenceNumber> sequences;
  for (const RangeTombstone* tombstone : tombstones) sequences.push_back(tombstone->sequence);
  std::sort(sequences.begin(), sequences.end(), std::greater<>());
  sequences.erase(std::unique(sequences.begin(), sequences.end()), sequences.end());
  return sequences;
}

}  // namespace

SequenceNumber FragmentedTombstones::Fragment::Newest(SequenceNumber sequence) const {
  const auto it = std::lower_bound(sequences.begin(), sequences.end(), sequence, std::greater<>());
  return it == sequences.end() ? 0 : *it;
}

FragmentedTombstones::FragmentedTombstones(std::vector<RangeTombstone> tombstones) {
  std::erase_if(tombstones, [](const RangeTombstone& t) { return !IsBeforeEnd(t.begin, t.end); });
  const std::vector<std::string_view> cuts = CutsOf(tombstones);
  std::sort(tombstones.begin(), tombstones.end(),
            [](const RangeTombstone& a, const RangeTombstone& b) { return a.begin < b.begin; });
  std::vector<const RangeTombstone*> covering;
  auto next = tombstones.begin();
  for (size_t i = 0; i < cuts.size(); ++i) {
    const std::string_view begin = cuts[i];
    for (; next != tombstones.end() && next->begin == begin; ++next) covering.push_back(&*next);
    std::erase_if(covering, [begin](const auto* t) { return !IsBeforeEnd(begin, t->end); });
    if (covering.empty()) continue;
    // Behind the last cut there are only tombstones without an end.
    const std::string_view end = i + 1 < cuts.size() ? cuts[i + 1] : std::string_view();
    std::vector<SequenceNumber> sequences = SequencesOf(covering);
    // What compactions have cut at the border of two tables grows together again.
    if (!fragments_.empty() && fragments_.back().end == begin &&
        fragments_.back().sequences == sequences) {
      fragments_.back().end = end;
    } else {
      fragments_.push_back({begin, end, std::move(sequences)});
    }
  }
}

FragmentedTombstones::Stretch FragmentedTombstones::StretchOf(std::string_view user_key) const {
  const auto it = std::partition_point(
      fragments_.begin(), fragments_.end(),
      [user_key](const Fragment& fragment) { return !IsBeforeEnd(user_key, fragment.end); });
  if (it != fragments_.end() && it->begin <= user_key) return {it->begin, it->end, &*it};
  return {it == fragments_.begin() ? std::string_view() : std::prev(it)->end,
          it == fragments_.end() ? std::string_view() : it->begin, nullptr};
}

SequenceNumber FragmentedTombstones::Newest(std::string_view user_key,
                                            SequenceNumber sequence) const {
  const Stretch stretch = StretchOf(user_key);
  return stretch.fragment == nullptr ? 0 : stretch.fragment->Newest(sequence);
}

std::vector<RangeTombstone> FragmentedTombstones::ToTombstones() const {
  std::vector<RangeTombstone> tombstones;
  for (const Fragment& fragment : fragments_) {
    for (const SequenceNumber sequence : fragment.sequences) {
      tombstones.push_back({fragment.begin, fragment.end, sequence});
    }
  }
  return tombstones;
}

}  // namespace tinykv::lsm
