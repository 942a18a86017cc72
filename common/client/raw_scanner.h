// RawScanner: a range of any length, page by page.
//
//   RawScanner scanner(client, {.start = "a", .end = "b"});
//   while (true) {
//     TKV_ASSIGN_OR_RETURN(std::vector<KeyValue> page, scanner.Next());
//     if (page.empty()) break;
//     …
//   }
//
// Each page is read at a moment of its own: what is written meanwhile may show or not.
//
// Thread-safety: none.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "common/client/raw_client.h"
#include "common/storage/column_family.h"

namespace tinykv {

struct RawScannerOptions {
  std::string start = {};  // the first key
  std::string end = {};    // the key at which to stop, itself not read; empty means no end
  ColumnFamily column_family = ColumnFamily::kDefault;
  uint32_t page_pairs_max = 256;
};

class RawScanner {
 public:
  // `client` must outlive the scanner. REQUIRES: options.page_pairs_max > 0.
  RawScanner(RawClient& client, RawScannerOptions options);

  // The next pairs in ascending order of their keys; empty at the end of the range, and then again
  // and again. Errors: as RawClient::Scan(); the next call tries the same page again.
  absl::StatusOr<std::vector<KeyValue>> Next();

 private:
  RawClient& client_;
  RawScannerOptions options_;  // `start` moves on
  bool done_ = false;
};

}  // namespace tinykv
