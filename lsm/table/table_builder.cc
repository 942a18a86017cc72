#include "lsm/table/table_builder.h"

#include <algorithm>
#include <optional>

#include "common/check.h"
#include "common/status.h"
#include "lsm/format/internal_key.h"
#include "lsm/table/block_builder.h"
#include "lsm/table/block_writer.h"
#include "lsm/table/bloom_filter.h"
#include "lsm/table/table_format.h"

namespace tinykv::lsm {
namespace {

constexpr int kDataRestartInterval = 16;
// A search in the index is all binary search: each of its keys is whole. So are those of range
// tombstones, as readers keep views of them.
constexpr int kWholeKeysInterval = 1;

}  // namespace

struct TableBuilder::State {
  State(const Options& options, WritableFile& file)
      : block_bytes(options.block_bytes),
        bloom_bits_per_key(options.bloom_bits_per_key),
        writer(file, options.zstd_level) {}

  absl::Status Add(std::string_view internal_key, std::string_view value);
  absl::Status Finish();
  void AddTombstone(const RangeTombstone& tombstone);
  void Count(std::string_view internal_key, std::string_view value);
  void CountSequence(SequenceNumber sequence);
  bool empty() const { return properties.entries == 0 && tombstones.empty(); }
  absl::Status WriteDataBlock();
  void AddToIndex(std::string_view separator);

  const uint32_t block_bytes;
  const int bloom_bits_per_key;
  BlockWriter writer;
  BlockBuilder data{kDataRestartInterval};
  BlockBuilder index{kWholeKeysInterval};
  BlockBuilder tombstones{kWholeKeysInterval};
  BloomFilterBuilder filter;
  // A data block that is written but not yet in the index: its separator depends on the key behind
  // it.
  std::optional<BlockHandle> pending;
  TableProperties properties;
  std::string first_key;  // of the entries
  std::string last_key;
  std::string smallest_tombstone;  // as bounds; empty if there are none
  std::string largest_tombstone;
  std::string last_tombstone;  // as a key
  bool finished = false;
  absl::Status poison;  // the first error, kept
};

TableBuilder::TableBuilder(const Options& options, WritableFile& file)
    : state_(std::make_unique<State>(options, file)) {}

TableBuilder::~TableBuilder() = default;

absl::Status TableBuilder::Add(std::string_view internal_key, std::string_view value) {
  TKV_RETURN_IF_ERROR(state_->poison);
  TKV_CHECK(!state_->finished);
  return state_->poison = state_->Add(internal_key, value);
}

void TableBuilder::AddTombstone(const RangeTombstone& tombstone) {
  TKV_CHECK(!state_->finished);
  state_->AddTombstone(tombstone);
}

absl::Status TableBuilder::Finish() {
  TKV_RETURN_IF_ERROR(state_->poison);
  TKV_CHECK(!state_->finished);
  TKV_CHECK(!empty());
  state_->finished = true;
  return state_->poison = state_->Finish();
}

uint64_t TableBuilder::entries() const { return state_->properties.entries; }

uint64_t TableBuilder::file_bytes() const { return state_->writer.offset(); }

bool TableBuilder::empty() const { return state_->empty(); }

std::string TableBuilder::smallest() const {
  TKV_CHECK(!empty());
  const std::string& tombstone = state_->smallest_tombstone;
  if (entries() == 0) return tombstone;
  if (tombstone.empty()) return state_->first_key;
  return CompareInternalKeys(tombstone, state_->first_key) < 0 ? tombstone : state_->first_key;
}

std::string TableBuilder::largest() const {
  TKV_CHECK(!empty());
  const std::string& tombstone = state_->largest_tombstone;
  if (entries() == 0) return tombstone;
  if (tombstone.empty()) return state_->last_key;
  return CompareLargest(tombstone, state_->last_key) > 0 ? tombstone : state_->last_key;
}

absl::Status TableBuilder::State::Add(std::string_view internal_key, std::string_view value) {
  TKV_CHECK(properties.entries == 0 || CompareInternalKeys(last_key, internal_key) < 0);
  if (pending) AddToIndex(SeparatorBetween(last_key, internal_key));
  Count(internal_key, value);
  if (bloom_bits_per_key > 0) filter.Add(UserKeyOf(internal_key));
  data.Add(internal_key, value);
  return data.size_bytes() < block_bytes ? absl::OkStatus() : WriteDataBlock();
}

void TableBuilder::State::AddTombstone(const RangeTombstone& tombstone) {
  const std::string key = SmallestOf(tombstone);
  TKV_CHECK(smallest_tombstone.empty() || CompareInternalKeys(last_tombstone, key) < 0);
  CountSequence(tombstone.sequence);
  if (smallest_tombstone.empty()) smallest_tombstone = key;
  largest_tombstone = LargestOf(tombstone);
  last_tombstone = key;
  tombstones.Add(key, tombstone.end);
}

absl::Status TableBuilder::State::Finish() {
  Footer footer;
  if (!data.empty()) TKV_RETURN_IF_ERROR(WriteDataBlock());
  if (!tombstones.empty()) {
    TKV_ASSIGN_OR_RETURN(footer.range_deletes, writer.Write(tombstones.Finish()));
  }
  if (bloom_bits_per_key > 0 && properties.entries > 0) {
    TKV_ASSIGN_OR_RETURN(footer.filter, writer.Write(filter.Finish(bloom_bits_per_key)));
  }
  TKV_ASSIGN_OR_RETURN(footer.properties, writer.Write(EncodeProperties(properties)));
  if (properties.entries > 0) {
    // No key comes behind the last block: its own last key is separator enough.
    AddToIndex(last_key);
    TKV_ASSIGN_OR_RETURN(footer.index, writer.Write(index.Finish()));
  }
  return writer.Finish(footer);
}

// Takes one entry into properties and range.
void TableBuilder::State::Count(std::string_view internal_key, std::string_view value) {
  ParsedInternalKey key;
  TKV_CHECK(ParseInternalKey(internal_key, &key));
  TKV_CHECK(key.type <= kMaxValueType && "range deletes have a place of their own");
  CountSequence(key.sequence);
  if (properties.entries == 0) first_key.assign(internal_key);
  last_key.assign(internal_key);
  ++properties.entries;
  if (key.type == ValueType::kDelete) ++properties.deletions;
  properties.raw_bytes += internal_key.size() + value.size();
}

void TableBuilder::State::CountSequence(SequenceNumber sequence) {
  properties.smallest_sequence =
      empty() ? sequence : std::min(properties.smallest_sequence, sequence);
  properties.largest_sequence = std::max(properties.largest_sequence, sequence);
}

absl::Status TableBuilder::State::WriteDataBlock() {
  TKV_ASSIGN_OR_RETURN(pending, writer.Write(data.Finish()));
  data.Reset();
  ++properties.data_blocks;
  return absl::OkStatus();
}

void TableBuilder::State::AddToIndex(std::string_view separator) {
  std::string handle;
  AppendBlockHandle(&handle, *pending);
  index.Add(separator, handle);
  pending.reset();
}

}  // namespace tinykv::lsm
