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
// A search in the index is all binary search: each of its keys is whole.
constexpr int kIndexRestartInterval = 1;

}  // namespace

struct TableBuilder::State {
  State(const Options& options, WritableFile& file)
      : block_bytes(options.block_bytes),
        bloom_bits_per_key(options.bloom_bits_per_key),
        writer(file, options.zstd_level) {}

  absl::Status Add(std::string_view internal_key, std::string_view value);
  absl::Status Finish();
  void Count(std::string_view internal_key, std::string_view value);
  absl::Status WriteDataBlock();
  void AddToIndex(std::string_view separator);

  const uint32_t block_bytes;
  const int bloom_bits_per_key;
  BlockWriter writer;
  BlockBuilder data{kDataRestartInterval};
  BlockBuilder index{kIndexRestartInterval};
  BloomFilterBuilder filter;
  // A data block that is written but not yet in the index: its separator depends on the key behind
  // it.
  std::optional<BlockHandle> pending;
  TableProperties properties;
  std::string smallest;
  std::string largest;
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

absl::Status TableBuilder::Finish() {
  TKV_RETURN_IF_ERROR(state_->poison);
  TKV_CHECK(!state_->finished);
  TKV_CHECK(entries() > 0);
  state_->finished = true;
  return state_->poison = state_->Finish();
}

uint64_t TableBuilder::entries() const { return state_->properties.entries; }

uint64_t TableBuilder::file_bytes() const { return state_->writer.offset(); }

const std::string& TableBuilder::smallest() const {
  TKV_CHECK(entries() > 0);
  return state_->smallest;
}

const std::string& TableBuilder::largest() const {
  TKV_CHECK(entries() > 0);
  return state_->largest;
}

absl::Status TableBuilder::State::Add(std::string_view internal_key, std::string_view value) {
  TKV_CHECK(properties.entries == 0 || CompareInternalKeys(largest, internal_key) < 0);
  if (pending) AddToIndex(SeparatorBetween(largest, internal_key));
  Count(internal_key, value);
  if (bloom_bits_per_key > 0) filter.Add(UserKeyOf(internal_key));
  data.Add(internal_key, value);
  return data.size_bytes() < block_bytes ? absl::OkStatus() : WriteDataBlock();
}

absl::Status TableBuilder::State::Finish() {
  if (!data.empty()) TKV_RETURN_IF_ERROR(WriteDataBlock());
  // No key comes behind the last block: its own last key is separator enough.
  AddToIndex(largest);

  Footer footer;
  if (bloom_bits_per_key > 0) {
    TKV_ASSIGN_OR_RETURN(footer.filter, writer.Write(filter.Finish(bloom_bits_per_key)));
  }
  TKV_ASSIGN_OR_RETURN(footer.properties, writer.Write(EncodeProperties(properties)));
  TKV_ASSIGN_OR_RETURN(footer.index, writer.Write(index.Finish()));
  return writer.Finish(footer);
}

// Takes one entry into properties and range.
void TableBuilder::State::Count(std::string_view internal_key, std::string_view value) {
  ParsedInternalKey key;
  TKV_CHECK(ParseInternalKey(internal_key, &key));
  if (properties.entries == 0) {
    smallest.assign(internal_key);
    properties.smallest_sequence = key.sequence;
  }
  largest.assign(internal_key);
  ++properties.entries;
  if (key.type == ValueType::kDelete) ++properties.deletions;
  properties.raw_bytes += internal_key.size() + value.size();
  properties.smallest_sequence = std::min(properties.smallest_sequence, key.sequence);
  properties.largest_sequence = std::max(properties.largest_sequence, key.sequence);
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
