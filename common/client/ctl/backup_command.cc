#include "common/client/ctl/backup_command.h"

#include <nlohmann/json.hpp>

#include "common/client/backup.h"

namespace tinykv::ctl {

ExitCode RunBackup(Session& session, const Arguments& arguments) {
  const auto backup = MakeBackup(session.options, arguments.backup_name);
  if (!backup.ok()) return session.Fail(backup.status());
  if (session.json) {
    session.PrintJson({{"store", backup->store_id()},
                       {"directory", backup->directory()},
                       {"applied", backup->applied()},
                       {"bytes", backup->bytes()}});
  } else {
    session.out << "store " << backup->store_id() << ": " << backup->directory()
                << ", applied up to entry " << backup->applied() << ", " << backup->bytes()
                << " bytes\n";
  }
  return ExitCode::kOk;
}

}  // namespace tinykv::ctl
