#include "common/server/data_directory.h"

#include <algorithm>
#include <charconv>
#include <optional>
#include <string_view>
#include <vector>

#include "common/status.h"

namespace tinykv {
namespace {

constexpr int kFormat = 1;

constexpr char kIdentityName[] = "IDENTITY";
constexpr char kIdentityTemporaryName[] = "IDENTITY.tmp";  // of WriteFileAtomically()
constexpr char kLockName[] = "IDENTITY.lock";

constexpr std::string_view kHead = "tinykv data directory\nformat ";
constexpr std::string_view kStage = "\nstage ";

std::string IdentityText(int stage) { return Concat(kHead, kFormat, kStage, stage, '\n'); }

// Takes `prefix` and the number after it off the front of `text`.
std::optional<int> TakeNumber(std::string_view& text, std::string_view prefix) {
  if (!text.starts_with(prefix)) return std::nullopt;
  text.remove_prefix(prefix.size());
  int number = 0;
  const auto [rest, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc()) return std::nullopt;
  text.remove_prefix(rest - text.data());
  return number;
}

// Messages go on from "data directory PATH: ".
absl::Status CheckIdentity(std::string_view text, int stage) {
  std::string_view rest = text;
  const std::optional<int> format = TakeNumber(rest, kHead);
  // Of another version only the beginning is known.
  if (format.has_value() && *format != kFormat) {
    return FailedPrecondition("has format ", *format, ", and this server knows format ", kFormat,
                              "; use the server that made it, or choose another with --data");
  }
  const std::optional<int> owner = TakeNumber(rest, kStage);
  if (!format.has_value() || !owner.has_value() || rest != "\n") {
    return DataLoss("damaged: its file ", kIdentityName, " does not say whose it is");
  }
  if (*owner != stage) {
    return FailedPrecondition("belongs to stage ", *owner, ", and this is stage ", stage,
                              "; choose another with --data, or remove it");
  }
  return absl::OkStatus();
}

// OK if the directory can be claimed as far as can be seen without changing it.
absl::Status CheckContent(FileSystem& file_system, const std::string& path, int stage) {
  const std::string identity = JoinPath(path, kIdentityName);
  if (file_system.Exists(identity)) {
    TKV_ASSIGN_OR_RETURN(const std::string text, ReadFile(file_system, identity));
    return CheckIdentity(text, stage);
  }
  TKV_ASSIGN_OR_RETURN(const std::vector<std::string> names, file_system.List(path));
  for (const std::string& name : names) {
    // A claim that was cut short leaves these.
    if (name == kLockName || name == kIdentityTemporaryName) continue;
    return FailedPrecondition("not one of ours: it has other files (", Quote(name),
                              ") and no file ", kIdentityName,
                              "; choose an empty or a new one with --data");
  }
  return absl::OkStatus();
}

absl::StatusOr<std::unique_ptr<FileLock>> Claim(FileSystem& file_system, const std::string& path,
                                                int stage) {
  if (file_system.Exists(path)) {
    TKV_RETURN_IF_ERROR(CheckContent(file_system, path, stage));
  } else {
    TKV_RETURN_IF_ERROR(file_system.CreateDirectories(path));
  }
  auto lock = file_system.Lock(JoinPath(path, kLockName));
  if (absl::IsUnavailable(lock.status())) return Unavailable("in use by another server");
  TKV_RETURN_IF_ERROR(lock.status());
  // Again, now that nobody else can change it.
  TKV_RETURN_IF_ERROR(CheckContent(file_system, path, stage));
  const std::string identity = JoinPath(path, kIdentityName);
  if (!file_system.Exists(identity)) {
    TKV_RETURN_IF_ERROR(WriteFileAtomically(file_system, identity, IdentityText(stage)));
  }
  return lock;
}

}  // namespace

absl::StatusOr<std::unique_ptr<FileLock>> ClaimDataDirectory(FileSystem& file_system,
                                                             const std::string& path, int stage) {
  auto lock = Claim(file_system, path, stage);
  if (!lock.ok()) return Annotate(lock.status(), Concat("data directory ", path));
  return lock;
}

}  // namespace tinykv
