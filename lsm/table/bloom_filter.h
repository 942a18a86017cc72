// A Bloom filter (Bloom, 1970) in lines: all bits of one key lie in one line of 64 bytes, so a
// question costs at most one cache miss (Putze, Sanders and Singler, 2007). The price is a few more
// false positives: about 1 % instead of 0.8 % at 10 bits a key.
//
// Encoded: the lines, then [probes:1].
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace tinykv::lsm {

// Thread-safety: none.
class BloomFilterBuilder {
 public:
  // A key that is the same as the last one counts once.
  void Add(std::string_view key);
  // REQUIRES: bits_per_key > 0 and at least one Add().
  std::string Finish(int bits_per_key) const;

 private:
  std::vector<uint64_t> hashes_;
};

// Thread-safety: compatible.
class BloomFilter {
 public:
  // Lets every key pass.
  BloomFilter() = default;

  // Takes over what BloomFilterBuilder::Finish() returned; false if it cannot have.
  [[nodiscard]] bool Decode(std::string_view encoded);

  // False only if `key` was not added.
  bool MayContain(std::string_view key) const;

 private:
  friend class BloomFilterBuilder;
  struct alignas(64) Line {
    uint64_t words[8] = {};
  };

  std::vector<Line> lines_;
  int probes_ = 0;
};

}  // namespace tinykv::lsm
