#include "lsm/table/bloom_filter.h"

#include <algorithm>
#include <cstring>

#include "common/check.h"
#include "lsm/format/checksum.h"

namespace tinykv::lsm {
namespace {

constexpr size_t kLineBytes = 64;
constexpr int kProbesMax = 30;

uint64_t HashOf(std::string_view key) { return Checksum(key, 0); }

// The upper half of the hash chooses the line: scaled down to [0, lines) without a division.
size_t LineOf(uint64_t hash, size_t lines) { return ((hash >> 32) * lines) >> 32; }

// The lower half chooses the bits in it. Multiplying by an odd number close to 2^32 divided by the
// golden ratio stirs the top nine bits, which are the next place.
class Probe {
 public:
  explicit Probe(uint64_t hash) : state_(static_cast<uint32_t>(hash)) {}
  size_t word() const { return state_ >> 29; }
  uint64_t mask() const { return uint64_t{1} << (state_ >> 23 & 63); }
  void Next() { state_ *= 0x9e3779b9; }

 private:
  uint32_t state_;
};

}  // namespace

void BloomFilterBuilder::Add(std::string_view key) {
  const uint64_t hash = HashOf(key);
  if (hashes_.empty() || hashes_.back() != hash) hashes_.push_back(hash);
}

std::string BloomFilterBuilder::Finish(int bits_per_key) const {
  TKV_CHECK(bits_per_key > 0 && !hashes_.empty());
  const uint64_t bits = hashes_.size() * bits_per_key;
  std::vector<BloomFilter::Line> lines((bits + kLineBytes * 8 - 1) / (kLineBytes * 8));
  // ln 2 * bits_per_key is best for a plain filter, a little less for one in lines.
  const int probes = std::clamp(bits_per_key * 6 / 10, 1, kProbesMax);
  for (const uint64_t hash : hashes_) {
    BloomFilter::Line& line = lines[LineOf(hash, lines.size())];
    Probe probe(hash);
    for (int i = 0; i < probes; ++i, probe.Next()) line.words[probe.word()] |= probe.mask();
  }
  std::string encoded(reinterpret_cast<const char*>(lines.data()), lines.size() * kLineBytes);
  encoded.push_back(static_cast<char>(probes));
  return encoded;
}

bool BloomFilter::Decode(std::string_view encoded) {
  if (encoded.size() <= kLineBytes || encoded.size() % kLineBytes != 1) return false;
  const int probes = static_cast<unsigned char>(encoded.back());
  if (probes < 1 || probes > kProbesMax) return false;
  probes_ = probes;
  lines_.resize(encoded.size() / kLineBytes);
  std::memcpy(lines_.data(), encoded.data(), lines_.size() * kLineBytes);
  return true;
}

bool BloomFilter::MayContain(std::string_view key) const {
  if (lines_.empty()) return true;
  const uint64_t hash = HashOf(key);
  const Line& line = lines_[LineOf(hash, lines_.size())];
  Probe probe(hash);
  for (int i = 0; i < probes_; ++i, probe.Next()) {
    if ((line.words[probe.word()] & probe.mask()) == 0) return false;
  }
  return true;
}

}  // namespace tinykv::lsm
