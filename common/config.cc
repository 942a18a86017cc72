#include "common/config.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <limits>
#include <numeric>
#include <span>
#include <utility>

#include "common/check.h"
#include "common/status.h"

namespace tinykv {
namespace {

struct Unit {
  std::string_view name;
  uint64_t factor;
};

constexpr std::array<Unit, 1> kNoUnits = {{{"", 1}}};
constexpr std::array<Unit, 4> kSizeUnits = {
    {{"GiB", 1 << 30}, {"MiB", 1 << 20}, {"KiB", 1 << 10}, {"", 1}}};
// In milliseconds, the finest that a setting needs.
constexpr std::array<Unit, 4> kTimeUnits = {
    {{"h", 3'600'000}, {"m", 60'000}, {"s", 1'000}, {"ms", 1}}};

// Reads digits and one of the units. False if there is anything else, or the number is too large.
bool ParseWithUnit(std::string_view text, std::span<const Unit> units, uint64_t* value) {
  uint64_t number = 0;
  const auto [rest, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc()) return false;
  const std::string_view suffix = text.substr(rest - text.data());
  for (const Unit& unit : units) {
    if (suffix != unit.name) continue;
    *value = number * unit.factor;
    return number <= std::numeric_limits<uint64_t>::max() / unit.factor;
  }
  return false;
}

std::string FormatWithUnit(uint64_t value, std::span<const Unit> units) {
  for (const Unit& unit : units) {
    if (value != 0 && value % unit.factor == 0) {
      return Concat(value / unit.factor, unit.name);
    }
  }
  return Concat(value, units.back().name);  // zero
}

template <typename T>
absl::Status CheckRange(std::string_view text, T value, Config::Range<T> range,
                        std::string (*format)(T)) {
  if (range.min <= value && value <= range.max) return absl::OkStatus();
  return InvalidArgument(text, " is out of range; it must be from ", format(range.min), " to ",
                         format(range.max));
}

std::string FormatCount(uint64_t count) { return std::to_string(count); }

// How many letters must be added, dropped or changed to make one word of the other (Levenshtein).
size_t EditDistance(std::string_view a, std::string_view b) {
  std::vector<size_t> row(b.size() + 1);  // distances of a's prefix so far to each prefix of b
  std::iota(row.begin(), row.end(), size_t{0});
  for (size_t i = 0; i < a.size(); ++i) {
    size_t diagonal = std::exchange(row[0], i + 1);
    for (size_t j = 0; j < b.size(); ++j) {
      const size_t changed = diagonal + (a[i] == b[j] ? 0 : 1);
      diagonal = row[j + 1];
      row[j + 1] = std::min({changed, row[j] + 1, row[j + 1] + 1});
    }
  }
  return row.back();
}

}  // namespace

void Config::Add(std::string name, std::string* field, std::string help, Check check) {
  AddKey({std::move(name), Type::kText, std::move(help), *field,
          [field, check = std::move(check)](std::string_view text) {
            if (check) TKV_RETURN_IF_ERROR(check(text));
            *field = text;
            return absl::OkStatus();
          }});
}

void Config::Add(std::string name, bool* field, std::string help) {
  AddKey({std::move(name), Type::kBool, std::move(help), *field ? "true" : "false",
          [field](std::string_view text) {
            if (text != "true" && text != "false") {
              return InvalidArgument(Quote(text), " is neither true nor false");
            }
            *field = text == "true";
            return absl::OkStatus();
          }});
}

void Config::AddCount(std::string name, uint64_t* field, Range<uint64_t> range, std::string help) {
  AddKey({std::move(name), Type::kCount, std::move(help), FormatCount(*field),
          [field, range](std::string_view text) {
            uint64_t value = 0;
            if (!ParseWithUnit(text, kNoUnits, &value)) {
              return InvalidArgument(Quote(text), " is not a number; write digits only");
            }
            TKV_RETURN_IF_ERROR(CheckRange(text, value, range, FormatCount));
            *field = value;
            return absl::OkStatus();
          }});
}

void Config::AddSize(std::string name, uint64_t* field, Range<uint64_t> range, std::string help) {
  AddKey({std::move(name), Type::kSize, std::move(help), FormatSize(*field),
          [field, range](std::string_view text) {
            uint64_t value = 0;
            if (!ParseWithUnit(text, kSizeUnits, &value)) {
              return InvalidArgument(Quote(text),
                                     " is not a size; write a number of bytes, or one with KiB, "
                                     "MiB or GiB as in \"64MiB\"");
            }
            TKV_RETURN_IF_ERROR(CheckRange(text, value, range, FormatSize));
            *field = value;
            return absl::OkStatus();
          }});
}

void Config::AddDuration(std::string name, Duration* field, Range<Duration> range,
                         std::string help) {
  AddKey({std::move(name), Type::kDuration, std::move(help), FormatDuration(*field),
          [field, range](std::string_view text) {
            uint64_t milliseconds = 0;
            if (!ParseWithUnit(text, kTimeUnits, &milliseconds) ||
                milliseconds >
                    static_cast<uint64_t>(Duration::max() / std::chrono::milliseconds(1))) {
              return InvalidArgument(
                  Quote(text), " is not a time; write a number with ms, s, m or h as in \"5s\"");
            }
            const Duration value = std::chrono::milliseconds(milliseconds);
            TKV_RETURN_IF_ERROR(CheckRange(text, value, range, FormatDuration));
            *field = value;
            return absl::OkStatus();
          }});
}

const Config::Key* Config::Find(std::string_view name) const {
  const auto key = std::find_if(keys_.begin(), keys_.end(),
                                [name](const Key& candidate) { return candidate.name == name; });
  return key == keys_.end() ? nullptr : &*key;
}

void Config::AddKey(Key key) {
  TKV_CHECK(Find(key.name) == nullptr && "a key is added once");
  keys_.push_back(std::move(key));
}

Config::Check OneOf(std::vector<std::string> choices) {
  return [choices = std::move(choices)](std::string_view text) {
    if (std::find(choices.begin(), choices.end(), text) != choices.end()) return absl::OkStatus();
    std::string list;
    for (const std::string& choice : choices) {
      list += Concat(list.empty() ? "" : ", ", choice);
    }
    return InvalidArgument(Quote(text), " is not one of ", list);
  };
}

std::string DidYouMean(std::string_view wrong, const std::vector<std::string>& names) {
  std::string_view nearest;
  size_t distance = 1 + std::max<size_t>(2, wrong.size() / 3);  // farther is no resemblance
  for (const std::string& name : names) {
    const size_t candidate = EditDistance(wrong, name);
    if (candidate >= distance) continue;
    distance = candidate;
    nearest = name;
  }
  return nearest.empty() ? "" : Concat("; did you mean ", Quote(nearest), "?");
}

std::string FormatSize(uint64_t bytes) { return FormatWithUnit(bytes, kSizeUnits); }

std::string FormatDuration(Duration duration) {
  const auto milliseconds = std::chrono::duration_cast<std::chrono::milliseconds>(duration);
  return FormatWithUnit(static_cast<uint64_t>(milliseconds.count()), kTimeUnits);
}

}  // namespace tinykv
