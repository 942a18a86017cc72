#include "lsm/table_writer.h"

#include <utility>

#include "common/status.h"
#include "lsm/db.h"

namespace tinykv::lsm {

absl::StatusOr<std::unique_ptr<TableWriter>> TableWriter::Create(const Options& options,
                                                                 const std::string& path) {
  if (options.file_system == nullptr) return InvalidArgument("options.file_system is not set");
  const absl::Status removed = options.file_system->Remove(path);
  if (!removed.ok() && !absl::IsNotFound(removed)) return removed;
  TKV_ASSIGN_OR_RETURN(auto file, options.file_system->Create(path));
  return std::unique_ptr<TableWriter>(new TableWriter(options, path, std::move(file)));
}

TableWriter::TableWriter(const Options& options, std::string path,
                         std::unique_ptr<WritableFile> file)
    : file_system_(*options.file_system),
      path_(std::move(path)),
      file_(std::move(file)),
      builder_(options, *file_) {}

TableWriter::~TableWriter() {
  if (finished_) return;
  file_->Close().IgnoreError();
  file_system_.Remove(path_).IgnoreError();
}

absl::Status TableWriter::Add(std::string_view key, std::string_view value) {
  if (key.size() > kKeyBytesMax) {
    return InvalidArgument(path_, ": a key of ", key.size(), " bytes; the most is ", kKeyBytesMax,
                           ": ", Quote(key));
  }
  if (!builder_.empty() && key <= last_key_) {
    return InvalidArgument(path_, ": the key ", Quote(key), " does not come after ",
                           Quote(last_key_));
  }
  last_key_.assign(key);
  return builder_.Add(EncodeInternalKey({key, 0, ValueType::kPut}), value);
}

absl::StatusOr<TableWriter::Summary> TableWriter::Finish() {
  if (builder_.empty()) return InvalidArgument(path_, ": a table has at least one entry");
  TKV_RETURN_IF_ERROR(builder_.Finish());
  TKV_RETURN_IF_ERROR(file_->Close());
  finished_ = true;
  return Summary{.file_bytes = builder_.file_bytes(),
                 .entries = builder_.entries(),
                 .smallest = std::string(UserKeyOf(builder_.smallest())),
                 .largest = std::string(UserKeyOf(builder_.largest()))};
}

}  // namespace tinykv::lsm
