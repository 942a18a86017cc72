// load and dump: whole files of keys and values, in the format of text_format.h.
//
// Both end with one line of sums, on standard error as text or, with --json, on standard output:
//   {"records":3,"bytes":30,"seconds":0.1}
// where `records` are those that the store has acknowledged (load) or given (dump), and `bytes` is
// the length of the lines that were read or written. After an error "error" and "code" follow in
// the same object. A dump to standard output cannot be had with --json.
#pragma once

#include "common/client/ctl/arguments.h"
#include "common/client/ctl/session.h"

namespace tinykv::ctl {

// Puts every line of a file. At the first line that is malformed or refused it starts no more puts,
// waits for those in flight and says how many records were acknowledged.
ExitCode RunLoad(Session& session, const Arguments& arguments);

// Writes every pair of a range. After an error the file ends with the last whole page.
ExitCode RunDump(Session& session, const Arguments& arguments);

}  // namespace tinykv::ctl
