// Checksum: the hash that guards every log frame and every table block (XXH3, 64 bits).
#pragma once

#include <xxhash.h>

#include <cstdint>
#include <string_view>

namespace tinykv::lsm {

// Formats seed it with the place of the bytes: right bytes in the wrong place are damage, too.
inline uint64_t Checksum(std::string_view bytes, uint64_t seed) {
  return XXH3_64bits_withSeed(bytes.data(), bytes.size(), seed);
}

}  // namespace tinykv::lsm
