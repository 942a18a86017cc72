#include "graders/sim/sim_disk.h"

#include <algorithm>
#include <cerrno>
#include <utility>

#include "common/env/file_system.h"
#include "common/status.h"

namespace tinykv::sim {
namespace {

constexpr uint64_t kSectorBytes = 512;

// Puts zeros or garbage into some bytes of `content` at or after `begin`: one sector, or all the
// rest.
void Tear(std::string& content, uint64_t begin, Random& random) {
  begin = random.Between(begin, content.size() - 1);
  const uint64_t rest = content.size() - begin;
  const uint64_t size = random.Percent(50) ? rest : std::min(rest, random.Between(1, kSectorBytes));
  const bool zeros = random.Percent(50);
  for (uint64_t i = begin; i < begin + size; ++i) {
    content[i] = zeros ? '\0' : static_cast<char>(random.Next());
  }
}

}  // namespace

absl::StatusOr<SimDisk::File> SimDisk::CreateFile(const std::string& path) {
  TKV_ASSIGN_OR_RETURN(const Place place, FindPlace("create", path));
  const auto found = place.directory->current.find(place.name);
  if (found == place.directory->current.end()) {
    File file = std::make_shared<SimFile>();
    ApplyNow(*place.directory, {.added_name = place.name, .added = {.file = file}});
    return file;
  }
  if (found->second.file == nullptr) return ErrnoStatus("create", path, EISDIR);
  SimFile& file = *found->second.file;
  if (!file.content_before_emptied) {
    file.content_before_emptied = file.content.substr(0, file.synced_bytes);
  }
  file.content.clear();
  file.synced_bytes = 0;
  file.zeros_ahead = 0;
  return found->second.file;
}

absl::StatusOr<SimDisk::File> SimDisk::FindFile(const std::string& path) const {
  TKV_ASSIGN_OR_RETURN(const Place place, FindEntry("open", path));
  const Entry& entry = place.directory->current.at(place.name);
  if (entry.file == nullptr) return ErrnoStatus("open", path, EISDIR);
  return entry.file;
}

absl::Status SimDisk::Rename(const std::string& from, const std::string& to) {
  TKV_ASSIGN_OR_RETURN(const Place source, FindEntry("rename", from));
  TKV_ASSIGN_OR_RETURN(const Place target, FindPlace("rename", to));
  if (source.directory != target.directory) return ErrnoStatus("rename", from, EXDEV);
  if (source.name == target.name) return absl::OkStatus();
  const Entry moved = source.directory->current.at(source.name);
  const auto replaced = target.directory->current.find(target.name);
  if (replaced != target.directory->current.end()) {
    const bool onto_directory = replaced->second.directory != nullptr;
    if (onto_directory && moved.file != nullptr) return ErrnoStatus("rename", from, EISDIR);
    if (!onto_directory && moved.file == nullptr) return ErrnoStatus("rename", from, ENOTDIR);
    if (onto_directory && !replaced->second.directory->current.empty()) {
      return ErrnoStatus("rename", from, ENOTEMPTY);
    }
  }
  ApplyNow(*source.directory,
           {.removed_name = source.name, .added_name = target.name, .added = moved});
  return absl::OkStatus();
}

absl::Status SimDisk::Link(const std::string& from, const std::string& to) {
  TKV_ASSIGN_OR_RETURN(const Place source, FindEntry("link", from));
  TKV_ASSIGN_OR_RETURN(const Place target, FindPlace("link", to));
  const Entry linked = source.directory->current.at(source.name);
  if (linked.file == nullptr) return ErrnoStatus("link", from, EPERM);
  if (target.directory->current.contains(target.name)) return ErrnoStatus("link", to, EEXIST);
  ApplyNow(*target.directory, {.added_name = target.name, .added = linked});
  return absl::OkStatus();
}

absl::Status SimDisk::Remove(const std::string& path) {
  TKV_ASSIGN_OR_RETURN(const Place place, FindEntry("remove", path));
  if (place.directory->current.at(place.name).file == nullptr) {
    return ErrnoStatus("remove", path, EISDIR);
  }
  ApplyNow(*place.directory, {.removed_name = place.name});
  return absl::OkStatus();
}

absl::Status SimDisk::CreateDirectories(const std::string& path) {
  Directory* directory = root_.get();
  for (const std::string& name : Split(path)) {
    const auto found = directory->current.find(name);
    if (found == directory->current.end()) {
      const Entry made = {.directory = std::make_shared<Directory>()};
      ApplyNow(*directory, {.added_name = name, .added = made});
      directory->durable = directory->current;
      directory->unsynced.clear();
      directory = made.directory.get();
    } else if (found->second.directory == nullptr) {
      return ErrnoStatus("create directory", path, ENOTDIR);
    } else {
      directory = found->second.directory.get();
    }
  }
  return absl::OkStatus();
}

absl::Status SimDisk::RemoveDirectory(const std::string& path) {
  TKV_ASSIGN_OR_RETURN(const Place place, FindEntry("remove directory", path));
  const Entry& entry = place.directory->current.at(place.name);
  if (entry.directory == nullptr) return ErrnoStatus("remove directory", path, ENOTDIR);
  if (!entry.directory->current.empty()) return ErrnoStatus("remove directory", path, ENOTEMPTY);
  ApplyNow(*place.directory, {.removed_name = place.name});
  return absl::OkStatus();
}

absl::Status SimDisk::SyncDirectory(const std::string& path) {
  TKV_ASSIGN_OR_RETURN(Directory* const directory, FindDirectory("open", path));
  directory->durable = directory->current;
  directory->unsynced.clear();
  return absl::OkStatus();
}

absl::StatusOr<std::vector<std::string>> SimDisk::List(const std::string& path) const {
  TKV_ASSIGN_OR_RETURN(const Directory* const directory, FindDirectory("list", path));
  std::vector<std::string> names;
  for (const auto& [name, entry] : directory->current) names.push_back(name);
  return names;
}

bool SimDisk::Exists(const std::string& path) const {
  return FindDirectory("find", path).ok() || FindEntry("find", path).ok();
}

void SimDisk::SyncFile(SimFile& file) {
  if (file.broken) return;
  file.synced_bytes = file.content.size();
  file.content_before_emptied.reset();
}

void SimDisk::EndProcess() {
  std::map<std::string, File> named;
  ListFiles(*root_, "", named);
  for (const auto& [path, file] : named) {
    file->content.append(std::exchange(file->zeros_ahead, 0), '\0');
  }
}

void SimDisk::Crash(const CrashOptions& options, Random& random) {
  std::set<const SimFile*> done;
  CrashDirectory(*root_, options, random, done);
}

uint64_t SimDisk::used_bytes() const {
  std::map<std::string, File> named;
  ListFiles(*root_, "", named);
  std::set<const SimFile*> counted;
  uint64_t bytes = 0;
  for (const auto& [path, file] : named) {
    if (counted.insert(file.get()).second) bytes += file->content.size();
  }
  return bytes;
}

std::vector<std::string> SimDisk::files() const {
  std::map<std::string, File> named;
  ListFiles(*root_, "", named);
  std::vector<std::string> paths;
  for (const auto& [path, file] : named) paths.push_back(path);
  return paths;
}

std::vector<std::string> SimDisk::Split(std::string_view path) {
  std::vector<std::string> parts;
  while (!path.empty()) {
    const std::string_view part = path.substr(0, path.find('/'));
    path.remove_prefix(std::min(path.size(), part.size() + 1));
    if (!part.empty() && part != ".") parts.emplace_back(part);
  }
  return parts;
}

void SimDisk::Apply(const Change& change, Entries& entries) {
  if (change.removed_name) entries.erase(*change.removed_name);
  if (change.added_name) entries.insert_or_assign(*change.added_name, change.added);
}

void SimDisk::ApplyNow(Directory& directory, Change change) {
  Apply(change, directory.current);
  directory.unsynced.push_back(std::move(change));
}

void SimDisk::CrashFile(SimFile& file, const CrashOptions& options, Random& random) {
  if (file.content_before_emptied && !random.Percent(options.survive_percent)) {
    file.content = *file.content_before_emptied;  // the emptying is what was lost
    file.synced_bytes = file.content.size();
  }
  const uint64_t zeros = std::exchange(file.zeros_ahead, 0);
  const uint64_t end_of_zeros = file.content.size() + zeros;
  const uint64_t unsynced = file.content.size() - file.synced_bytes;
  if (unsynced > 0 && !random.Percent(options.survive_percent)) {
    // With 0 percent nothing may survive at all, so that a test can rely on the loss.
    const bool none = options.survive_percent == 0 || random.Percent(50);
    file.content.resize(file.synced_bytes + (none ? 0 : random.Uniform(unsynced)));
  }
  if (file.content.size() > file.synced_bytes && random.Percent(options.tear_percent)) {
    Tear(file.content, file.synced_bytes, random);
  }
  // Zeros may have become durable or not; where they have, what is lost is zeros. Not drawn, so
  // that all else is as it would be without them.
  const bool has_zeros = zeros > 0 && file.synced_bytes % 2 == 0;
  if (has_zeros) file.content.resize(end_of_zeros, '\0');
  file.broken = false;
  SyncFile(file);
}

void SimDisk::CrashDirectory(Directory& directory, const CrashOptions& options, Random& random,
                             std::set<const SimFile*>& done) {
  for (const Change& change : directory.unsynced) {
    const bool survives = random.Percent(options.survive_percent);
    if (survives) Apply(change, directory.durable);
    if (!survives && options.directories_in_order) break;
  }
  directory.unsynced.clear();
  directory.current = directory.durable;
  for (const auto& [name, entry] : directory.current) {
    if (entry.directory != nullptr) {
      CrashDirectory(*entry.directory, options, random, done);
    } else if (done.insert(entry.file.get()).second) {
      CrashFile(*entry.file, options, random);
    }
  }
}

void SimDisk::ListFiles(const Directory& directory, const std::string& prefix,
                        std::map<std::string, File>& files) {
  for (const auto& [name, entry] : directory.current) {
    const std::string path = JoinPath(prefix, name);
    if (entry.directory != nullptr) {
      ListFiles(*entry.directory, path, files);
    } else {
      files.emplace(path, entry.file);
    }
  }
}

absl::StatusOr<SimDisk::Directory*> SimDisk::FindDirectory(std::string_view operation,
                                                           const std::string& path) const {
  Directory* directory = root_.get();
  for (const std::string& name : Split(path)) {
    const auto found = directory->current.find(name);
    if (found == directory->current.end()) return ErrnoStatus(operation, path, ENOENT);
    directory = found->second.directory.get();
    if (directory == nullptr) return ErrnoStatus(operation, path, ENOTDIR);
  }
  return directory;
}

absl::StatusOr<SimDisk::Place> SimDisk::FindPlace(std::string_view operation,
                                                  const std::string& path) const {
  std::vector<std::string> parts = Split(path);
  if (parts.empty()) return ErrnoStatus(operation, path, path.empty() ? ENOENT : EISDIR);
  std::string name = std::move(parts.back());
  TKV_ASSIGN_OR_RETURN(Directory* const directory, FindDirectory(operation, DirectoryOf(path)));
  return Place{directory, std::move(name)};
}

absl::StatusOr<SimDisk::Place> SimDisk::FindEntry(std::string_view operation,
                                                  const std::string& path) const {
  TKV_ASSIGN_OR_RETURN(Place place, FindPlace(operation, path));
  if (!place.directory->current.contains(place.name)) return ErrnoStatus(operation, path, ENOENT);
  return place;
}

}  // namespace tinykv::sim
