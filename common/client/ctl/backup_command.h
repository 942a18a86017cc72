// The command backup of tinykv-ctl. With --json:
//   {"store":2,"directory":"/data/store-2/backups/monday","applied":1234,"bytes":5678}
#pragma once

#include "common/client/ctl/arguments.h"
#include "common/client/ctl/session.h"

namespace tinykv::ctl {

ExitCode RunBackup(Session& session, const Arguments& arguments);

}  // namespace tinykv::ctl
