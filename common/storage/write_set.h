// WriteSet: puts and deletes that a Storage applies together or not at all, in the order they were
// added.
//
// Thread-safety: compatible.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "common/storage/column_family.h"

namespace tinykv {

struct Modify {
  enum class Type { kPut, kDelete };

  Type type = Type::kPut;
  ColumnFamily column_family = ColumnFamily::kDefault;
  std::string key;
  std::string value;  // empty for a deletion
};

class WriteSet {
 public:
  void Put(ColumnFamily column_family, std::string key, std::string value) {
    modifies_.push_back({Modify::Type::kPut, column_family, std::move(key), std::move(value)});
  }
  void Delete(ColumnFamily column_family, std::string key) {
    modifies_.push_back({Modify::Type::kDelete, column_family, std::move(key), {}});
  }

  const std::vector<Modify>& modifies() const { return modifies_; }
  bool empty() const { return modifies_.empty(); }

 private:
  std::vector<Modify> modifies_;
};

}  // namespace tinykv
