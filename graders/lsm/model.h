// Model: what the engine must be, in a few lines: a map for each column family, and the list of
// batches that power loss may still take.
//
// The durability contract of lsm/db.h, as the model knows it:
//   - after power loss the database is what some prefix of the writes made, and the prefix contains
//     every synced write;
//   - after a mere end of the process that prefix contains every acknowledged write;
//   - a write that returned an error is in doubt: the first such write may be there or not (its
//     bytes may have reached the log before its sync failed). Those after it were refused.
//
// Thread-safety: none.
#pragma once

#include <cstddef>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "lsm/format/internal_key.h"

namespace tinykv::lsm::grading {

using ColumnFamilyState = std::map<std::string, std::string>;
using State = std::vector<ColumnFamilyState>;  // by column family

// A write of one key; no value means that it is deleted. With `range`, the deletion of all keys
// from `key` on that come before `end`, if there is an end.
struct ModelRecord {
  ColumnFamilyId column_family = 0;
  std::string key;
  std::optional<std::string> value = {};
  bool range = false;
  std::optional<std::string> end = {};
};
using ModelBatch = std::vector<ModelRecord>;

enum class Loss { kProcess, kPower };

class Model {
 public:
  explicit Model(size_t column_families) : durable_(column_families), now_(column_families) {}

  // An acknowledged write.
  void Add(ModelBatch batch);
  // A write that returned an error. Only the first since the last Recover() can be in doubt.
  void AddDoubtful(ModelBatch batch);
  // A synced write, a sync of the log or a clean end: everything so far is durable.
  void MarkDurable();

  // What reads of the newest state must see.
  const State& now() const { return now_; }

  // Goes on from `found`, which is what a restart found. Returns what is wrong with it, or nothing
  // if it is one of the states that the contract allows.
  std::optional<std::string> Recover(const State& found, Loss loss);

 private:
  State durable_;
  std::vector<ModelBatch> unsynced_;  // acknowledged; durable_ + unsynced_ == now_
  std::optional<ModelBatch> doubtful_;
  State now_;
};

// The first difference between two states, in words.
std::string Difference(const State& expected, const State& found);

}  // namespace tinykv::lsm::grading
