// Config: the settings of a program, bound to the fields of a plain struct.
//
//   Config config;
//   config.Add("listen", &settings.listen, "where to serve", CheckAddress);
//   config.AddSize("engine.memtable_bytes", &settings.memtable_bytes, {1 << 20, 1 << 30}, "…");
//
// A key is a name with dots. In a TOML file the parts before the last are tables
// (common/config_file.h); as a flag it is --engine.memtable-bytes (common/config_flags.h). The
// value that a field has when it is added is the key's default.
//
// Thread-safety: none.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "common/env/clock.h"

namespace tinykv {

class Config {
 public:
  enum class Type { kText, kBool, kCount, kSize, kDuration };

  // Both ends are allowed.
  template <typename T>
  struct Range {
    T min;
    T max;
  };

  // OK, or what is wrong with a text, as a sentence that has the text in it.
  using Check = std::function<absl::Status(std::string_view text)>;

  struct Key {
    std::string name;
    Type type;
    std::string help;
    std::string default_text;  // in the form that `set` takes
    // Changes the field. Errors: kInvalidArgument with the value and what would be right, but
    // without the name; the field is unchanged then.
    std::function<absl::Status(std::string_view text)> set;
  };

  // Fields must outlive the config. REQUIRES: no other key has the name.
  void Add(std::string name, std::string* field, std::string help, Check check = {});
  void Add(std::string name, bool* field, std::string help);
  // A plain number: 4096.
  void AddCount(std::string name, uint64_t* field, Range<uint64_t> range, std::string help);
  // A number of bytes: 67108864, or "64MiB". Units: KiB, MiB, GiB.
  void AddSize(std::string name, uint64_t* field, Range<uint64_t> range, std::string help);
  // A time: "5s". Units: ms, s, m, h.
  void AddDuration(std::string name, Duration* field, Range<Duration> range, std::string help);

  // In the order they were added.
  const std::vector<Key>& keys() const { return keys_; }

  // Null if there is no such key; valid until the next one is added.
  const Key* Find(std::string_view name) const;

 private:
  void AddKey(Key key);

  std::vector<Key> keys_;
};

// A Check for texts of which there are only a few.
Config::Check OneOf(std::vector<std::string> choices);

// '; did you mean "listen"?' for "lisen": the nearest of `names`, or nothing if none is near.
std::string DidYouMean(std::string_view wrong, const std::vector<std::string>& names);

// "64MiB" for 67108864, and "1000" for 1000: the largest unit that leaves a whole number.
std::string FormatSize(uint64_t bytes);
// "5s", in the same manner.
std::string FormatDuration(Duration duration);

}  // namespace tinykv
