#include "common/random.h"

#include <bit>

namespace tinykv {
namespace {

uint64_t SplitMix64(uint64_t& state) {
  uint64_t z = (state += 0x9e3779b97f4a7c15);
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
  z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
  return z ^ (z >> 31);
}

}  // namespace

Random::Random(uint64_t seed) {
  for (uint64_t& word : state_) word = SplitMix64(seed);
}

uint64_t Random::Next() {
  const uint64_t result = std::rotl(state_[1] * 5, 7) * 9;
  const uint64_t shifted = state_[1] << 17;
  state_[2] ^= state_[0];
  state_[3] ^= state_[1];
  state_[1] ^= state_[2];
  state_[0] ^= state_[3];
  state_[2] ^= shifted;
  state_[3] = std::rotl(state_[3], 45);
  return result;
}

uint64_t Random::Uniform(uint64_t bound) {
  TKV_CHECK(bound > 0);
  // Values below `excess` are drawn again; without that, small results would be a little likelier.
  const uint64_t excess = -bound % bound;
  uint64_t value = Next();
  while (value < excess) value = Next();
  return value % bound;
}

uint64_t Random::Between(uint64_t low, uint64_t high) {
  TKV_CHECK(low <= high);
  const uint64_t width = high - low + 1;  // 0 means all of them
  return width == 0 ? Next() : low + Uniform(width);
}

}  // namespace tinykv
