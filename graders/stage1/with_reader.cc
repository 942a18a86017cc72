#include "graders/stage1/with_reader.h"

#include "common/status.h"
#include "common/strings.h"
#include "graders/stage1/sim_store.h"

namespace tinykv::grading {

Result WithReader(const Content& content, uint64_t failed_read,
                  absl::FunctionRef<Result(StorageReader&)> body) {
  SimStore store({.small_tables = true});
  if (const absl::Status status = store.Load(content); !status.ok()) {
    return Wrong(status.ToString());
  }
  if (const absl::Status status = store.Start(); !status.ok()) return Wrong(status.ToString());
  const kvrpcpb::Context context;
  {
    const auto reader = store.RunToEnd(store.storage().Reader(context));
    if (!reader.has_value()) return Stuck("Reader() never returns");
    if (!reader->ok()) return Wrong(Concat("Reader() failed: ", MessageOf(reader->status())));
    if (failed_read > 0) {
      store.disk().SetFaults({.failed_read = {{.at = failed_read, .sticky = true}}});
    }
    if (Result finding = body(***reader)) return finding;
  }
  const uint64_t snapshots = store.storage().GetStatistics().live_snapshots;
  if (snapshots == 0) return std::nullopt;
  return Wrong(Concat("the reader is gone, and the engine still keeps ",
                      Counted(snapshots, "snapshot"), ": whoever takes one releases it"));
}

}  // namespace tinykv::grading
