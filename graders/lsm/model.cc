#include "graders/lsm/model.h"

#include <utility>

#include "common/strings.h"

namespace tinykv::lsm::grading {
namespace {

void Apply(const ModelRecord& record, ColumnFamilyState& state) {
  if (record.range) {
    std::erase_if(state, [&record](const auto& entry) {
      return entry.first >= record.key && (!record.end || entry.first < *record.end);
    });
  } else if (record.value) {
    state[record.key] = *record.value;
  } else {
    state.erase(record.key);
  }
}

void Apply(const ModelBatch& batch, State& state) {
  for (const ModelRecord& record : batch) Apply(record, state[record.column_family]);
}

std::optional<std::string> Find(const ColumnFamilyState& state, const std::string& key) {
  const auto it = state.find(key);
  if (it == state.end()) return std::nullopt;
  return it->second;
}

std::string Show(const std::optional<std::string>& value) {
  return value ? Quote(*value, 16) : "nothing";
}

}  // namespace

void Model::Add(ModelBatch batch) {
  Apply(batch, now_);
  unsynced_.push_back(std::move(batch));
}

void Model::AddDoubtful(ModelBatch batch) {
  if (!doubtful_) doubtful_ = std::move(batch);
}

void Model::MarkDurable() {
  durable_ = now_;
  unsynced_.clear();
}

std::optional<std::string> Model::Recover(const State& found, Loss loss) {
  State state = loss == Loss::kPower ? durable_ : now_;
  std::vector<ModelBatch> optional;
  if (loss == Loss::kPower) optional = unsynced_;
  if (doubtful_) optional.push_back(*doubtful_);

  std::string wrong = Difference(state, found);
  for (size_t i = 0; i < optional.size() && state != found; ++i) Apply(optional[i], state);
  if (state != found) {
    if (optional.empty()) return wrong;
    return Concat("it is not what any allowed prefix of the writes made; without the ",
                  optional.size(), " optional ones: ", wrong,
                  "; with all of them: ", Difference(state, found));
  }
  if (loss == Loss::kPower) {
    // What survived the one power loss survives the next.
    now_ = std::move(state);
    MarkDurable();
  } else if (doubtful_ && state != now_) {
    Add(*doubtful_);  // it did happen; its bytes may be in the page cache only
  }
  doubtful_.reset();
  return std::nullopt;
}

std::string Difference(const State& expected, const State& found) {
  for (size_t id = 0; id < expected.size(); ++id) {
    ColumnFamilyState either = expected[id];
    either.insert(found[id].begin(), found[id].end());
    for (const auto& [key, value] : either) {
      const auto wanted = Find(expected[id], key);
      const auto got = Find(found[id], key);
      if (wanted == got) continue;
      return Concat("column family ", id, ", key ", Quote(key), ": expected ", Show(wanted),
                    ", found ", Show(got));
    }
  }
  return "no difference";
}

}  // namespace tinykv::lsm::grading
