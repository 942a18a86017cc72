#include "lsm/table/global_sequence_iterator.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <set>

#include "lsm/table/table_test_util.h"

namespace tinykv::lsm {
namespace {

constexpr SequenceNumber kGlobal = 4;  // among those of arbitrary targets

// The same user keys, as the file has them or as readers see them.
std::vector<ModelEntry> EntriesAt(SequenceNumber sequence, const std::set<std::string>& keys) {
  std::vector<ModelEntry> entries;
  for (const std::string& key : keys) {
    entries.push_back({EncodeInternalKey({key, sequence}), std::to_string(entries.size())});
  }
  return entries;
}

std::shared_ptr<Table> OpenIngested(const std::vector<ModelEntry>& in_file) {
  auto file = std::make_unique<StringRandomAccessFile>(BuildTable({.block_bytes = 30}, in_file));
  auto table = Table::Open(std::move(file), "db/000007.sst", 7, nullptr, kGlobal);
  EXPECT_TRUE(table.ok()) << table.status();
  return *table;
}

RC_GTEST_PROP(GlobalSequenceProperty, TableIsAsIfItsEntriesHadTheNumber, ()) {
  const auto drawn = *rc::gen::container<std::vector<std::string>>(ArbitraryUserKey());
  const std::set<std::string> keys(drawn.begin(), drawn.end());
  RC_PRE(!keys.empty());
  const auto table = OpenIngested(EntriesAt(0, keys));
  const auto it = table->NewIterator(true);
  CheckAgainstModel(*it, EntriesAt(kGlobal, keys), *ArbitrarySteps());
  RC_ASSERT(it->status().ok());
  for (const std::string& key : keys) {
    for (SequenceNumber reader = 1; reader < 9; ++reader) {
      std::optional<SequenceNumber> found;
      const absl::Status status =
          table->Get(EncodeInternalKey({key, reader, kMaxValueType}), true,
                     [&](const ParsedInternalKey& parsed, auto) { found = parsed.sequence; });
      RC_ASSERT(status.ok());
      RC_ASSERT(found == (reader < kGlobal ? std::nullopt : std::optional(kGlobal)));
    }
  }
}

}  // namespace
}  // namespace tinykv::lsm
