// WithReader: what the tasks of single reads have in common.
#pragma once

#include <cstdint>

#include "absl/functional/function_ref.h"
#include "graders/stage1/planned_write.h"
#include "graders/task/finding.h"

namespace tinykv {
class StorageReader;
}

namespace tinykv::grading {

// Fills an engine with `content`, opens a storage on it and hands `body` a reader; the disk fails
// from the reader's read number `failed_read` on (0: never). Afterwards no snapshot may be left.
Result WithReader(const Content& content, uint64_t failed_read,
                  absl::FunctionRef<Result(StorageReader&)> body);

}  // namespace tinykv::grading
