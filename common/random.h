// Random: seeded pseudo-random numbers that are the same on every machine and standard library.
//
// xoshiro256** (Blackman and Vigna, 2018), seeded by SplitMix64. The distributions of <random> are
// not used anywhere: their output differs between libraries, and a seed must mean one run.
//
// Thread-safety: none.
#pragma once

#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

#include "common/check.h"

namespace tinykv {

class Random {
 public:
  explicit Random(uint64_t seed);

  // Uniform over all 64-bit values.
  uint64_t Next();

  // Uniform over [0, bound). REQUIRES: bound > 0.
  uint64_t Uniform(uint64_t bound);

  // Uniform over [low, high]. REQUIRES: low <= high.
  uint64_t Between(uint64_t low, uint64_t high);

  // True with probability percent / 100.
  bool Percent(uint32_t percent) { return Uniform(100) < percent; }

  // True with probability 1 / n. REQUIRES: n > 0.
  bool OneIn(uint64_t n) { return Uniform(n) == 0; }

  // A generator whose numbers are independent of this one's later ones.
  Random Fork() { return Random(Next()); }

  // Fisher-Yates.
  template <typename T>
  void Shuffle(std::vector<T>& items) {
    for (std::size_t i = items.size(); i > 1; --i) std::swap(items[i - 1], items[Uniform(i)]);
  }

 private:
  uint64_t state_[4];
};

}  // namespace tinykv
