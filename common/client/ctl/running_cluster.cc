#include "common/client/ctl/running_cluster.h"

#include <filesystem>

#include <nlohmann/json.hpp>

#include "common/env/file_system.h"
#include "common/status.h"

namespace tinykv::ctl {
namespace {

absl::StatusOr<std::optional<std::string>> AddressesIn(const std::string& path,
                                                       const std::string& text) {
  const nlohmann::json cluster = nlohmann::json::parse(text, nullptr, /*allow_exceptions=*/false);
  if (!cluster.is_object() || !cluster.contains("members") || !cluster["members"].is_array()) {
    return DataLoss(path, " is not what ./tinykv up writes; name the store with --address");
  }
  std::string addresses;
  for (const nlohmann::json& member : cluster["members"]) {
    const std::string address =
        member.is_object() && member.contains("address") && member["address"].is_string()
            ? member["address"].get<std::string>()
            : "";
    if (address.empty()) continue;  // it is being started
    addresses += Concat(addresses.empty() ? "" : ",", address);
  }
  if (addresses.empty()) return std::nullopt;
  return addresses;
}

}  // namespace

absl::StatusOr<std::optional<std::string>> AddressesOfRunningCluster(const std::string& folder) {
  std::filesystem::path place = folder;
  while (true) {
    const std::string path = place / ".tinykv" / "cluster.json";
    const auto text = ReadFile(PosixFileSystem(), path);
    if (text.ok()) return AddressesIn(path, *text);
    if (!absl::IsNotFound(text.status())) return text.status();
    if (!place.has_relative_path()) return std::nullopt;
    place = place.parent_path();
  }
}

}  // namespace tinykv::ctl
