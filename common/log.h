// The log: one line an event, on standard error.
//
//   log::Info("server started", {{"address", address}, {"stage", 1}});
//
// writes
//
//   2026-11-21T03:14:50.123Z info server started address=127.0.0.1:20160 stage=1
//
// so that a person can read it and `grep` or `awk` can take it apart: time, level, the event (text
// that is constant in the code), then fields. A value with blanks, quotes, '=' or bytes that are
// not printable ASCII is quoted, and its odd bytes are escaped as by Escape(): what a client sends
// can never forge a line.
#pragma once

#include <concepts>
#include <cstdint>
#include <initializer_list>
#include <string_view>
#include <variant>

#include "absl/status/status.h"

namespace tinykv::log {

enum class Level { kDebug, kInfo, kWarning, kError, kOff };

// One key=value. Both are borrowed: a field lives no longer than the call it is made for.
class Field {
 public:
  using Value = std::variant<std::string_view, int64_t, uint64_t, double, bool>;

  Field(std::string_view key, std::string_view value) : key_(key), value_(value) {}
  Field(std::string_view key, const char* value) : key_(key), value_(std::string_view(value)) {}
  Field(std::string_view key, bool value) : key_(key), value_(value) {}
  Field(std::string_view key, std::signed_integral auto value)
      : key_(key), value_(static_cast<int64_t>(value)) {}
  Field(std::string_view key, std::unsigned_integral auto value)
      : key_(key), value_(static_cast<uint64_t>(value)) {}
  Field(std::string_view key, std::floating_point auto value)
      : key_(key), value_(static_cast<double>(value)) {}
  // The status's message; "OK" if it is.
  Field(std::string_view key, const absl::Status& value);

  std::string_view key() const { return key_; }
  const Value& value() const { return value_; }

 private:
  std::string_view key_;
  Value value_;
};

using Fields = std::initializer_list<Field>;

// Writes one line if `level` is on. While it is off a call costs a few nanoseconds and allocates
// nothing; ask Enabled() first where making a value is dear. Thread-safety: safe.
void Write(Level level, std::string_view event, Fields fields);

inline void Debug(std::string_view event, Fields fields = {}) {
  Write(Level::kDebug, event, fields);
}
inline void Info(std::string_view event, Fields fields = {}) { Write(Level::kInfo, event, fields); }
inline void Warning(std::string_view event, Fields fields = {}) {
  Write(Level::kWarning, event, fields);
}
inline void Error(std::string_view event, Fields fields = {}) {
  Write(Level::kError, event, fields);
}

bool Enabled(Level level);

// From now on events below `level` are not written. The process starts with kInfo.
void SetLevel(Level level);

// By name: debug, info, warning, error, off. Errors: kInvalidArgument, naming the valid ones.
absl::Status SetLevel(std::string_view name);

// Takes the level from the environment variable LOG_LEVEL, if it is set. Errors: as SetLevel().
absl::Status SetLevelFromEnvironment();

}  // namespace tinykv::log
