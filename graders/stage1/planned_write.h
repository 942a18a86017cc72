// PlannedWrite: a write set as a plan, that can be drawn, shrunk, printed, and done to a storage
// and to a model of it.
#pragma once

#include <rapidcheck.h>

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "common/storage/column_family.h"
#include "common/storage/write_set.h"

namespace tinykv::grading {

// What a storage holds: the model is a map.
using Place = std::pair<ColumnFamily, std::string>;
using Content = std::map<Place, std::string>;

inline constexpr int kPlannedKeys = 12;

// The keys of plans by number, simple ones first, because shrinking makes numbers small. None is
// empty; some hold bytes that code trips over.
const std::string& KeyOf(int number);

inline constexpr int kEmptyValue = -1;

struct PlannedModify {
  ColumnFamily column_family = ColumnFamily::kDefault;
  int key = 0;
  // Bytes that fill the value up, or kEmptyValue; no value: the key is deleted.
  std::optional<int> padding = 0;
};

struct PlannedWrite {
  std::vector<PlannedModify> modifies = {};
};

rc::Gen<ColumnFamily> AnyColumnFamily();
rc::Gen<int> AnyKey();
// Of 0 to `modifies_max` modifications.
rc::Gen<PlannedWrite> AnyWrite(int modifies_max);

// The modifications of one write. `name`, which must be unique, is in each value that is not empty,
// so that a value tells who wrote it; so is `key_prefix` in each key.
struct NamedWrite {
  const PlannedWrite& plan;
  std::string name;
  std::string key_prefix = {};
};
WriteSet ToWriteSet(const NamedWrite& write);
void Apply(const NamedWrite& write, Content& content);
// `put default "a" = "w1.0"; delete lock "b"`.
std::string ToText(const NamedWrite& write);

std::string ToText(const Place& place);                       // default "a"
std::string ToText(const std::optional<std::string>& value);  // "w1.0", or: nothing

// The first place where the two differ, as `default "a" is "w1.0" and must be "w2.0"`; "" if they
// are equal.
std::string Difference(const Content& expected, const Content& found);

// What `content` holds in one column family.
std::map<std::string, std::string> FamilyOf(const Content& content, ColumnFamily column_family);

}  // namespace tinykv::grading
