#include "common/client/backup.h"

#include <algorithm>
#include <utility>

#include "common/client/connection.h"
#include "common/client/raw_status.h"
#include "common/status.h"

namespace tinykv {

absl::StatusOr<kvrpcpb::BackupResponse> MakeBackup(ClientOptions options, const std::string& name) {
  options.deadline = std::max<Duration>(options.deadline, std::chrono::minutes(1));
  TKV_ASSIGN_OR_RETURN(const auto connection, Connection::Open(options));
  kvrpcpb::BackupRequest request;
  request.set_name(name);
  auto response = connection->Call(&Connection::Rpcs::Backup, std::move(request));
  TKV_RETURN_IF_ERROR(RawStatusOf(response));
  return response;
}

}  // namespace tinykv
