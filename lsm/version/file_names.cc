#include "lsm/version/file_names.h"

#include <charconv>

#include "common/env/file_system.h"
#include "common/strings.h"

namespace tinykv::lsm {
namespace {

constexpr std::string_view kManifestPrefix = "MANIFEST-";
constexpr std::string_view kLogSuffix = ".log";
constexpr std::string_view kTableSuffix = ".sst";
constexpr size_t kDigitsMin = 6;

// At least six digits, so that names sort like numbers for a long time.
std::string Digits(FileNumber number) {
  std::string digits = std::to_string(number);
  if (digits.size() < kDigitsMin) digits.insert(0, kDigitsMin - digits.size(), '0');
  return digits;
}

std::optional<FileName> Numbered(FileType type, std::string_view digits) {
  FileName name{type, 0};
  const char* end = digits.data() + digits.size();
  const auto [parsed_to, error] = std::from_chars(digits.data(), end, name.number);
  // Only the one spelling that we write: two names of one number would be confusing at best.
  if (error != std::errc() || parsed_to != end || Digits(name.number) != digits) return {};
  return name;
}

}  // namespace

std::optional<FileName> ParseFileName(std::string_view name) {
  if (name == "CURRENT") return FileName{FileType::kCurrent, 0};
  if (name == "LOCK") return FileName{FileType::kLock, 0};
  if (name == "CURRENT.tmp") return FileName{FileType::kTemporary, 0};
  if (name.starts_with(kManifestPrefix)) {
    return Numbered(FileType::kManifest, name.substr(kManifestPrefix.size()));
  }
  if (name.ends_with(kLogSuffix)) {
    return Numbered(FileType::kLog, name.substr(0, name.size() - kLogSuffix.size()));
  }
  if (name.ends_with(kTableSuffix)) {
    return Numbered(FileType::kTable, name.substr(0, name.size() - kTableSuffix.size()));
  }
  return {};
}

std::string ManifestName(FileNumber number) { return Concat(kManifestPrefix, Digits(number)); }

std::string CurrentPath(std::string_view directory) { return JoinPath(directory, "CURRENT"); }

std::string LockPath(std::string_view directory) { return JoinPath(directory, "LOCK"); }

std::string ManifestPath(std::string_view directory, FileNumber number) {
  return JoinPath(directory, ManifestName(number));
}

std::string LogPath(std::string_view directory, FileNumber number) {
  return JoinPath(directory, Concat(Digits(number), kLogSuffix));
}

std::string TablePath(std::string_view directory, FileNumber number) {
  return JoinPath(directory, Concat(Digits(number), kTableSuffix));
}

}  // namespace tinykv::lsm
