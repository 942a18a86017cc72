#include "lsm/db/table_output.h"

#include <utility>

#include "common/status.h"
#include "lsm/version/file_names.h"

namespace tinykv::lsm {

TableOutput::TableOutput(Context& context, uint64_t table_bytes_max)
    : context_(context), table_bytes_max_(table_bytes_max) {}

TableOutput::~TableOutput() {
  if (finished_) return;
  if (builder_ != nullptr) {
    builder_.reset();
    file_.reset();
    // A leftover costs space until the next Open() removes it.
    context_.file_system().Remove(TablePath(context_.directory, number_)).IgnoreError();
  }
  for (const auto& table : tables_) table->MarkObsolete();
}

absl::Status TableOutput::Add(std::string_view internal_key, std::string_view value) {
  const std::string_view user_key = UserKeyOf(internal_key);
  if (builder_ != nullptr && builder_->file_bytes() >= table_bytes_max_ &&
      user_key != last_user_key_) {
    TKV_RETURN_IF_ERROR(FinishTable(user_key));
  }
  if (builder_ == nullptr) TKV_RETURN_IF_ERROR(StartTable());
  last_user_key_.assign(user_key);
  return builder_->Add(internal_key, value);
}

absl::StatusOr<TableList> TableOutput::Finish() {
  if (builder_ == nullptr && next_tombstone_ < tombstones_.size()) {
    TKV_RETURN_IF_ERROR(StartTable());
  }
  if (builder_ != nullptr) TKV_RETURN_IF_ERROR(FinishTable(/*end=*/{}));
  finished_ = true;
  return tables_;
}

absl::Status TableOutput::StartTable() {
  number_ = context_.NewFileNumber();
  TKV_ASSIGN_OR_RETURN(file_,
                       context_.file_system().Create(TablePath(context_.directory, number_)));
  builder_ = std::make_unique<TableBuilder>(context_.options, *file_);
  return absl::OkStatus();
}

void TableOutput::AddTombstonesBefore(std::string_view end) {
  if (!end.empty()) end = borders_.emplace_back(end);
  for (size_t i = next_tombstone_; i < tombstones_.size(); ++i) {
    RangeTombstone& tombstone = tombstones_[i];
    if (!IsBeforeEnd(tombstone.begin, end)) return;
    builder_->AddTombstone({tombstone.begin, EarlierEnd(tombstone.end, end), tombstone.sequence});
    if (!end.empty() && IsBeforeEnd(end, tombstone.end)) {
      tombstone.begin = end;  // the rest is for the tables to come
    } else {
      ++next_tombstone_;
    }
  }
}

absl::Status TableOutput::FinishTable(std::string_view end) {
  AddTombstonesBefore(end);
  TKV_RETURN_IF_ERROR(builder_->Finish());
  TKV_RETURN_IF_ERROR(file_->Close());
  const TableMeta meta{number_, builder_->file_bytes(), builder_->smallest(), builder_->largest()};
  // Reading it back now, at least its index, finds a table that cannot be read before anything
  // depends on it.
  TKV_ASSIGN_OR_RETURN(auto table, TableFile::Open(context_.file_system(), context_.directory, meta,
                                                   &context_.block_cache));
  tables_.push_back(std::move(table));
  bytes_ += meta.file_bytes;
  builder_.reset();
  file_.reset();
  return absl::OkStatus();
}

}  // namespace tinykv::lsm
