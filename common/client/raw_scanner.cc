#include "common/client/raw_scanner.h"

#include <utility>

#include "common/check.h"
#include "common/status.h"

namespace tinykv {

RawScanner::RawScanner(RawClient& client, RawScannerOptions options)
    : client_(client), options_(std::move(options)) {
  TKV_CHECK(options_.page_pairs_max > 0);
}

absl::StatusOr<std::vector<KeyValue>> RawScanner::Next() {
  if (done_) return std::vector<KeyValue>();
  auto page = client_.Scan(options_.start, options_.page_pairs_max, options_.column_family);
  while (absl::IsResourceExhausted(page.status()) && options_.page_pairs_max > 1) {
    // The values are so long that a page of them is no message any more.
    options_.page_pairs_max /= 2;
    page = client_.Scan(options_.start, options_.page_pairs_max, options_.column_family);
  }
  if (!page.ok()) return page;
  size_t beyond = 0;
  if (!options_.end.empty()) {
    beyond = std::erase_if(*page, [&](const KeyValue& pair) { return pair.key >= options_.end; });
  }
  done_ = beyond > 0 || page->empty();
  if (!done_) options_.start = page->back().key + '\0';  // the smallest key after it
  return page;
}

}  // namespace tinykv
