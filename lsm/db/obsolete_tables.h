// ObsoleteTables: which of the tables that compactions have replaced are still in use, for
// statistics. It does not keep them in use itself.
//
// Thread-safety: none.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "lsm/version/table_file.h"

namespace tinykv::lsm {

class ObsoleteTables {
 public:
  struct Sum {
    uint64_t tables = 0;
    uint64_t bytes = 0;
  };

  void Add(const TableList& tables) {
    // So that the list does not grow where nobody asks for the sum.
    std::erase_if(entries_, [](const Entry& entry) { return entry.table.expired(); });
    for (const auto& table : tables) entries_.push_back({table, table->meta().file_bytes});
  }

  // Of those that are still in use.
  Sum InUse() const {
    Sum sum;
    for (const Entry& entry : entries_) {
      if (entry.table.expired()) continue;
      ++sum.tables;
      sum.bytes += entry.bytes;
    }
    return sum;
  }

 private:
  // Never locked: whoever locked it might be the last to use the table, and would remove the file.
  struct Entry {
    std::weak_ptr<const TableFile> table;
    uint64_t bytes = 0;
  };
  std::vector<Entry> entries_;
};

}  // namespace tinykv::lsm
