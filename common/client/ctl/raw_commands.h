// The raw commands of tinykv-ctl: one key, or a range to look at.
//
// What they print with --json, one object a line; keys and values are escaped as text_format.h
// says, inside JSON's own escapes, with and without --raw:
//   get     {"key":"a","cf":"default","found":true,"value":"1"}   no "value" with --value-file
//           {"key":"a","cf":"default","found":false}
//   put     {"key":"a","cf":"default","ok":true}
//   delete  {"key":"a","cf":"default","ok":true}
//   scan    {"key":"a","value":"1"} for each pair
//   errors  {"error":"…","code":"UNAVAILABLE"}
#pragma once

#include "common/client/ctl/arguments.h"
#include "common/client/ctl/session.h"

namespace tinykv::ctl {

// kNotFound if the key is not there.
ExitCode RunGet(Session& session, const Arguments& arguments);
ExitCode RunPut(Session& session, const Arguments& arguments);
ExitCode RunDelete(Session& session, const Arguments& arguments);
// To find nothing is kOk.
ExitCode RunScan(Session& session, const Arguments& arguments);

}  // namespace tinykv::ctl
