// Recovery: from the files in a folder to a database that can be used.
//
// First everything is read: the manifest, the index of every table, every log that has not been
// flushed. Damage ends it here, with nothing changed. Then what the logs held is written to tables,
// and a new manifest is put in place (CURRENT switches to it, atomically) that lists those tables
// and says that only logs from a new number on matter. A crash before the switch changes nothing
// but for some files that nobody needs, a crash behind it leaves nothing to recover. So recovery
// may be interrupted anywhere and repeated.
#pragma once

#include <memory>

#include "absl/status/statusor.h"
#include "lsm/db/context.h"
#include "lsm/db/write_ahead_log.h"
#include "lsm/version/manifest.h"
#include "lsm/version/version.h"

namespace tinykv::lsm {

struct Recovered {
  std::shared_ptr<const Version> version;
  std::unique_ptr<Manifest> manifest;
  std::unique_ptr<WriteAheadLog> log;  // empty
  SequenceNumber last_sequence = 0;
};

// Recovers the database in context.directory, or starts an empty one if there is none. Sets
// context.next_file_number. REQUIRES: the folder is there, and locked.
// Errors: those of DB::Open().
absl::StatusOr<Recovered> Recover(Context& context);

}  // namespace tinykv::lsm
