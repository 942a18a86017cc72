#include "graders/stage1/planned_write.h"

#include <array>

#include "common/strings.h"
#include "graders/task/property.h"

namespace tinykv::grading {
namespace {

namespace gen = rc::gen;

// Long values are cut in messages; what tells them apart stands at their beginning.
constexpr size_t kShownBytes = 12;

// Makes a value larger than a small memtable, and than what a scan of the raw tasks may hold.
constexpr int kLongPadding = 700;

std::string ValueOf(const NamedWrite& write, size_t index) {
  const PlannedModify& modify = write.plan.modifies[index];
  if (modify.padding == kEmptyValue) return "";
  return Concat(write.name, '.', index, std::string(*modify.padding, '_'));
}

std::string PrefixedKey(const NamedWrite& write, const PlannedModify& modify) {
  return Concat(write.key_prefix, KeyOf(modify.key));
}

std::optional<std::string> Find(const Content& content, const Place& place) {
  const auto at = content.find(place);
  if (at == content.end()) return std::nullopt;
  return at->second;
}

}  // namespace

const std::string& KeyOf(int number) {
  static const std::array<std::string, kPlannedKeys> kKeys = {"a",
                                                              "b",
                                                              "c",
                                                              "ab",
                                                              std::string("a\0", 2),
                                                              std::string("\0", 1),
                                                              "\xff",
                                                              "\xff\xff",
                                                              std::string("\xff\0", 2),
                                                              "d",
                                                              std::string(300, 'e'),
                                                              "\x80"};
  return kKeys.at(number);
}

rc::Gen<ColumnFamily> AnyColumnFamily() {
  return gen::element(ColumnFamily::kDefault, ColumnFamily::kLock, ColumnFamily::kWrite);
}

rc::Gen<int> AnyKey() { return InRange(0, kPlannedKeys); }

rc::Gen<PlannedWrite> AnyWrite(int modifies_max) {
  const auto padding = gen::weightedOneOf<std::optional<int>>(
      {{6, gen::just(std::optional(0))},
       {1, gen::just(std::optional(kEmptyValue))},
       {1, gen::just(std::optional(kLongPadding))},
       {2, gen::map(InRange(0, 200), [](int bytes) { return std::optional(bytes); })},
       {3, gen::just(std::optional<int>())}});
  const auto modify = gen::build<PlannedModify>(
      gen::set(&PlannedModify::column_family, AnyColumnFamily()),
      gen::set(&PlannedModify::key, AnyKey()), gen::set(&PlannedModify::padding, padding));
  return gen::build<PlannedWrite>(
      gen::set(&PlannedWrite::modifies,
               gen::resize(modifies_max, gen::container<std::vector<PlannedModify>>(modify))));
}

WriteSet ToWriteSet(const NamedWrite& write) {
  WriteSet writes;
  for (size_t i = 0; i < write.plan.modifies.size(); ++i) {
    const PlannedModify& modify = write.plan.modifies[i];
    if (modify.padding.has_value()) {
      writes.Put(modify.column_family, PrefixedKey(write, modify), ValueOf(write, i));
    } else {
      writes.Delete(modify.column_family, PrefixedKey(write, modify));
    }
  }
  return writes;
}

void Apply(const NamedWrite& write, Content& content) {
  const WriteSet writes = ToWriteSet(write);
  for (const Modify& modify : writes.modifies()) {
    const Place place{modify.column_family, modify.key};
    if (modify.type == Modify::Type::kPut) {
      content[place] = modify.value;
    } else {
      content.erase(place);
    }
  }
}

std::string ToText(const NamedWrite& write) {
  std::string text;
  const WriteSet writes = ToWriteSet(write);
  for (const Modify& modify : writes.modifies()) {
    if (!text.empty()) text += "; ";
    const std::string place = ToText(Place{modify.column_family, modify.key});
    if (modify.type == Modify::Type::kPut) {
      text += Concat("put ", place, " = ", ToText(modify.value));
    } else {
      text += Concat("delete ", place);
    }
  }
  return text.empty() ? "nothing" : text;
}

std::string ToText(const Place& place) {
  return Concat("cf ", NameOf(place.first), ' ', Quote(place.second, kShownBytes));
}

std::string ToText(const std::optional<std::string>& value) {
  return value.has_value() ? Quote(*value, kShownBytes) : "nothing";
}

std::string Difference(const Content& expected, const Content& found) {
  const auto describe = [&](const Place& place) {
    return Concat(ToText(place), " is ", ToText(Find(found, place)), " and must be ",
                  ToText(Find(expected, place)));
  };
  for (const auto& [place, value] : expected) {
    if (Find(found, place) != value) return describe(place);
  }
  for (const auto& [place, value] : found) {
    if (!expected.contains(place)) return describe(place);
  }
  return "";
}

std::map<std::string, std::string> FamilyOf(const Content& content, ColumnFamily column_family) {
  std::map<std::string, std::string> family;
  for (const auto& [place, value] : content) {
    if (place.first == column_family) family.emplace(place.second, value);
  }
  return family;
}

}  // namespace tinykv::grading
