#include "lsm/table/table.h"

#include <utility>

#include "common/status.h"
#include "lsm/table/block_iterator.h"
#include "lsm/table/block_reader.h"
#include "lsm/table/bloom_filter.h"
#include "lsm/table/table_format.h"
#include "lsm/table/table_iterator.h"

namespace tinykv::lsm {

struct Table::State {
  explicit State(BlockReader::File file) : blocks(std::move(file)) {}

  absl::Status Load();
  absl::Status LoadFilter(const BlockHandle& handle);
  absl::Status LoadProperties(const BlockHandle& handle);

  BlockReader blocks;
  BlockHandle index_handle;
  std::string index;
  BloomFilter filter;
  TableProperties properties;
};

absl::StatusOr<std::shared_ptr<Table>> Table::Open(std::unique_ptr<RandomAccessFile> file,
                                                   const std::string& path, FileNumber file_number,
                                                   BlockCache* cache) {
  TKV_ASSIGN_OR_RETURN(const uint64_t size_bytes, file->Size());
  auto state = std::make_unique<State>(
      BlockReader::File{std::move(file), size_bytes, path, file_number, cache});
  TKV_RETURN_IF_ERROR(state->Load());
  return std::shared_ptr<Table>(new Table(std::move(state)));
}

Table::Table(std::unique_ptr<State> state) : state_(std::move(state)) {}

Table::~Table() = default;

absl::Status Table::Get(
    std::string_view internal_key, bool fill_cache,
    absl::FunctionRef<void(const ParsedInternalKey& key, std::string_view value)> found) const {
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
  found(parsed, block.value());
  return absl::OkStatus();
}

bool Table::MayContain(std::string_view user_key) const {
  return state_->filter.MayContain(user_key);
}

std::unique_ptr<Iterator> Table::NewIterator(bool fill_cache) const {
  return NewTableIterator(state_->blocks, state_->index, state_->index_handle.offset, fill_cache);
}

uint64_t Table::ApproximateOffsetOf(std::string_view internal_key) const {
  BlockIterator index(state_->index);
  index.Seek(internal_key);
  BlockHandle handle;
  const bool known = index.Valid() && DecodeBlockHandle(index.value(), &handle);
  return known ? handle.offset : state_->blocks.file_bytes();
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
  TKV_ASSIGN_OR_RETURN(index, blocks.Read(footer.index));
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

}  // namespace tinykv::lsm
