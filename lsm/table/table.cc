#include "lsm/table/table.h"

#include <utility>

#include "common/status.h"
#include "lsm/table/block_iterator.h"
#include "lsm/table/block_reader.h"
#include "lsm/table/bloom_filter.h"
#include "lsm/table/global_sequence_iterator.h"
#include "lsm/table/merging_iterator.h"
#include "lsm/table/table_format.h"
#include "lsm/table/table_iterator.h"

namespace tinykv::lsm {

struct Table::State {
  State(BlockReader::File file, SequenceNumber global)
      : blocks(std::move(file)), global_sequence(global) {}

  absl::Status Load();
  absl::Status LoadFilter(const BlockHandle& handle);
  absl::Status LoadProperties(const BlockHandle& handle);
  absl::Status LoadTombstones(const BlockHandle& handle);

  BlockReader blocks;
  const SequenceNumber global_sequence;  // 0: entries have their own
  BlockHandle index_handle;              // absent if there are no entries
  std::string index;
  BloomFilter filter;
  TableProperties properties;
  std::string tombstones_block;  // holds the keys of `tombstones`
  std::shared_ptr<const FragmentedTombstones> tombstones;
};

absl::StatusOr<std::shared_ptr<Table>> Table::Open(std::unique_ptr<RandomAccessFile> file,
                                                   const std::string& path, FileNumber file_number,
                                                   BlockCache* cache,
                                                   SequenceNumber global_sequence) {
  TKV_ASSIGN_OR_RETURN(const uint64_t size_bytes, file->Size());
  auto state = std::make_unique<State>(
      BlockReader::File{std::move(file), size_bytes, path, file_number, cache}, global_sequence);
  TKV_RETURN_IF_ERROR(state->Load());
  return std::shared_ptr<Table>(new Table(std::move(state)));
}

Table::Table(std::unique_ptr<State> state) : state_(std::move(state)) {}

Table::~Table() = default;

absl::Status Table::Get(
    std::string_view internal_key, bool fill_cache,
    absl::FunctionRef<void(const ParsedInternalKey& key, std::string_view value)> found) const {
  if (state_->index_handle.absent()) return absl::OkStatus();
  const std::string_view user_key = UserKeyOf(internal_key);
  BlockIterator index(state_->index);
  index.Seek(internal_key);
  if (index.damaged()) return state_->blocks.Damage(state_->index_handle.offset, "a bad index");
  if (!index.Valid()) return absl::OkStatus();
  BlockHandle handle;
  if (!DecodeBlockHandle(index.value(), &handle)) {
    return state_->blocks.Damage(state_->index_handle.offset, "a bad block handle");
  }
  TKV_ASSIGN_OR_RETURN(const BlockCache::Block bytes,
                       state_->blocks.ReadCached(handle, fill_cache));
  BlockIterator block(*bytes);
  block.Seek(internal_key);
  if (block.damaged()) return state_->blocks.Damage(handle.offset, "a malformed block");
  // At the end of the block there is no need to look into the next one: a separator that is not the
  // last key of its block has a user key that comes before the next block's first, and so has
  // everything that the separator sends here.
  if (!block.Valid() || UserKeyOf(block.key()) != user_key) return absl::OkStatus();
  ParsedInternalKey parsed;
  if (!ParseInternalKey(block.key(), &parsed)) {
    return state_->blocks.Damage(handle.offset, "an entry of unknown type");
  }
  if (state_->global_sequence != 0) {
    // In the file the entry is older than whatever the reader may see. Is it so here?
    ParsedInternalKey target;
    parsed.sequence = state_->global_sequence;
    if (!ParseInternalKey(internal_key, &target) || target.sequence < parsed.sequence) {
      return absl::OkStatus();
    }
  }
  found(parsed, block.value());
  return absl::OkStatus();
}

bool Table::MayContain(std::string_view user_key) const {
  return state_->filter.MayContain(user_key);
}

const std::shared_ptr<const FragmentedTombstones>& Table::tombstones() const {
  return state_->tombstones;
}

std::unique_ptr<Iterator> Table::NewIterator(bool fill_cache) const {
  if (state_->index_handle.absent()) return NewEmptyIterator();
  auto entries =
      NewTableIterator(state_->blocks, state_->index, state_->index_handle.offset, fill_cache);
  if (state_->global_sequence == 0) return entries;
  return NewGlobalSequenceIterator(std::move(entries), state_->global_sequence);
}

uint64_t Table::ApproximateOffsetOf(std::string_view internal_key) const {
  if (state_->index_handle.absent()) return 0;
  BlockIterator index(state_->index);
  index.Seek(internal_key);
  BlockHandle handle;
  const bool known = index.Valid() && DecodeBlockHandle(index.value(), &handle);
  return known ? handle.offset : state_->blocks.file_bytes();
}

void Table::ForEachBlock(
    const KeyRange& range,
    absl::FunctionRef<void(std::string_view last_user_key, uint64_t bytes)> found) const {
  BlockIterator index(state_->index);
  if (range.lower) {
    index.Seek(EncodeInternalKey({*range.lower, kMaxSequenceNumber, kMaxValueType}));
  } else {
    index.SeekToFirst();
  }
  for (; index.Valid(); index.Next()) {
    BlockHandle handle;
    if (!DecodeBlockHandle(index.value(), &handle)) return;
    const std::string_view last_user_key = UserKeyOf(index.key());
    found(last_user_key, handle.size + kBlockTrailerBytes);
    if (range.upper && last_user_key >= *range.upper) return;
  }
}

const TableProperties& Table::properties() const { return state_->properties; }

absl::Status Table::State::Load() {
  if (blocks.file_bytes() < kFooterBytes) {
    return blocks.Damage(0, Concat("a file of ", blocks.file_bytes(), " bytes is no sorted table"));
  }
  const uint64_t footer_offset = blocks.file_bytes() - kFooterBytes;
  TKV_ASSIGN_OR_RETURN(const std::string encoded, blocks.ReadBytes(footer_offset, kFooterBytes));
  TKV_ASSIGN_OR_RETURN(const Footer footer, DecodeFooter(encoded, blocks.path(), footer_offset));
  index_handle = footer.index;
  if (!footer.index.absent()) {
    TKV_ASSIGN_OR_RETURN(index, blocks.Read(footer.index));
  } else if (footer.range_deletes.absent()) {
    return blocks.Damage(footer_offset, "neither entries nor range deletes");
  }
  TKV_RETURN_IF_ERROR(LoadTombstones(footer.range_deletes));
  TKV_RETURN_IF_ERROR(LoadFilter(footer.filter));
  return LoadProperties(footer.properties);
}

absl::Status Table::State::LoadFilter(const BlockHandle& handle) {
  if (handle.absent()) return absl::OkStatus();
  TKV_ASSIGN_OR_RETURN(const std::string encoded, blocks.Read(handle));
  if (!filter.Decode(encoded)) return blocks.Damage(handle.offset, "a malformed filter");
  return absl::OkStatus();
}

absl::Status Table::State::LoadProperties(const BlockHandle& handle) {
  TKV_ASSIGN_OR_RETURN(const std::string encoded, blocks.Read(handle));
  if (!DecodeProperties(encoded, &properties)) {
    return blocks.Damage(handle.offset, "malformed properties");
  }
  return absl::OkStatus();
}

absl::Status Table::State::LoadTombstones(const BlockHandle& handle) {
  if (handle.absent()) return absl::OkStatus();
  TKV_ASSIGN_OR_RETURN(tombstones_block, blocks.Read(handle));
  BlockIterator block(tombstones_block);
  std::vector<RangeTombstone> found;
  for (block.SeekToFirst(); block.Valid(); block.Next()) {
    ParsedInternalKey key;
    // A key that is not whole stands in the iterator, which goes; a view of it would be left.
    const bool whole = block.key().data() + block.key().size() == block.value().data();
    if (!whole || !ParseInternalKey(block.key(), &key) || key.type != ValueType::kDeleteRange ||
        !IsBeforeEnd(key.user_key, block.value())) {
      return blocks.Damage(handle.offset, "a malformed range delete");
    }
    found.push_back({key.user_key, block.value(), key.sequence});
  }
  if (block.damaged()) return blocks.Damage(handle.offset, "a malformed block of range deletes");
  tombstones = std::make_shared<const FragmentedTombstones>(std::move(found));
  return absl::OkStatus();
}

}  // namespace tinykv::lsm
