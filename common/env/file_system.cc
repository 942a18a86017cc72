#include "common/env/file_system.h"

#include "common/status.h"
#include "common/strings.h"

namespace tinykv {
namespace {

absl::Status WriteWholeFile(FileSystem& file_system, const std::string& path,
                            std::string_view content) {
  TKV_ASSIGN_OR_RETURN(const auto file, file_system.Create(path));
  TKV_RETURN_IF_ERROR(file->Append(content));
  TKV_RETURN_IF_ERROR(file->Sync());
  return file->Close();
}

}  // namespace

absl::StatusOr<std::string> ReadFile(FileSystem& file_system, const std::string& path) {
  TKV_ASSIGN_OR_RETURN(const auto file, file_system.Open(path));
  TKV_ASSIGN_OR_RETURN(const uint64_t size, file->Size());
  std::string content(size, '\0');
  TKV_ASSIGN_OR_RETURN(const std::string_view read, file->Read(0, size, content.data()));
  content.resize(read.size());
  return content;
}

absl::Status WriteFileAtomically(FileSystem& file_system, const std::string& path,
                                 std::string_view content) {
  const std::string temporary = Concat(path, ".tmp");
  // A leftover is removed and not emptied: if it is there because its sync failed, a later sync of
  // the same file proves nothing.
  if (file_system.Exists(temporary)) TKV_RETURN_IF_ERROR(file_system.Remove(temporary));
  absl::Status status = WriteWholeFile(file_system, temporary, content);
  if (status.ok()) status = file_system.Rename(temporary, path);
  if (!status.ok()) {
    // Best effort: the first error is the one to tell, and a leftover is removed next time.
    file_system.Remove(temporary).IgnoreError();
    return status;
  }
  return file_system.SyncDirectory(DirectoryOf(path));
}

absl::Status RemoveTree(FileSystem& file_system, const std::string& path) {
  if (!file_system.Exists(path)) return absl::OkStatus();
  const auto names = file_system.List(path);
  if (!names.ok()) return file_system.Remove(path);  // it is a file
  for (const std::string& name : *names) {
    TKV_RETURN_IF_ERROR(RemoveTree(file_system, JoinPath(path, name)));
  }
  return file_system.RemoveDirectory(path);
}

std::string JoinPath(std::string_view directory, std::string_view name) {
  if (directory.empty()) return std::string(name);
  if (directory.back() == '/') return Concat(directory, name);
  return Concat(directory, '/', name);
}

std::string DirectoryOf(std::string_view path) {
  while (path.size() > 1 && path.back() == '/') path.remove_suffix(1);  // "a/b/" names a/b
  const size_t slash = path.rfind('/');
  if (slash == std::string_view::npos) return ".";
  const size_t end = path.find_last_not_of('/', slash);
  return end == std::string_view::npos ? "/" : std::string(path.substr(0, end + 1));
}

}  // namespace tinykv
