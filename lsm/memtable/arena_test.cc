#include "lsm/memtable/arena.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <utility>
#include <vector>

#include "common/random.h"

namespace tinykv::lsm {
namespace {

TEST(Arena, PiecesAreAlignedApartAndKeepWhatIsWritten) {
  Arena arena;
  Random random(1);
  std::vector<std::pair<char*, size_t>> pieces;
  for (int i = 0; i < 2000; ++i) {
    const size_t bytes = random.OneIn(50) ? random.Between(1000, 100'000) : random.Between(1, 100);
    char* piece = arena.Allocate(bytes);
    EXPECT_EQ(reinterpret_cast<uintptr_t>(piece) % alignof(void*), 0u);
    std::fill(piece, piece + bytes, static_cast<char>(i));
    pieces.emplace_back(piece, bytes);
  }
  for (size_t i = 0; i < pieces.size(); ++i) {
    const auto [piece, bytes] = pieces[i];
    EXPECT_TRUE(
        std::all_of(piece, piece + bytes, [i](char c) { return c == static_cast<char>(i); }));
  }
}

TEST(Arena, BytesUsedCountsPiecesAndNotBlocks) {
  Arena arena;
  EXPECT_EQ(arena.bytes_used(), 0u);
  arena.Allocate(1);
  EXPECT_EQ(arena.bytes_used(), 8u);
  arena.Allocate(100'000);
  EXPECT_EQ(arena.bytes_used(), 100'008u);
}

}  // namespace
}  // namespace tinykv::lsm
