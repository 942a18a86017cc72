#include "common/log.h"

#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cstdlib>
#include <memory>
#include <string>

#include "common/status.h"
#include "common/strings.h"

namespace tinykv::log {
namespace {

struct LevelName {
  Level level;
  std::string_view name;
  spdlog::level::level_enum spdlog_level;
};

constexpr std::array kLevelNames = {
    LevelName{Level::kDebug, "debug", spdlog::level::debug},
    LevelName{Level::kInfo, "info", spdlog::level::info},
    LevelName{Level::kWarning, "warning", spdlog::level::warn},
    LevelName{Level::kError, "error", spdlog::level::err},
    LevelName{Level::kOff, "off", spdlog::level::off},
};

std::atomic<Level> lowest_level = Level::kInfo;

// Adds the line's head, and writes whole lines under a lock.
spdlog::logger& Logger() {
  static const std::shared_ptr<spdlog::logger> logger = [] {
    auto made = std::make_shared<spdlog::logger>("tinykv",
                                                 std::make_shared<spdlog::sinks::stderr_sink_mt>());
    made->set_pattern("%Y-%m-%dT%H:%M:%S.%eZ %l %v", spdlog::pattern_time_type::utc);
    made->set_level(spdlog::level::trace);  // Enabled() is the only filter
    return made;
  }();
  return *logger;
}

bool NeedsQuotes(std::string_view value) {
  const auto odd = [](char c) {
    return c <= ' ' || c >= 0x7f || c == '"' || c == '=' || c == '\\';
  };
  return value.empty() || std::any_of(value.begin(), value.end(), odd);
}

void AppendValue(std::string* out, std::string_view value) {
  if (!NeedsQuotes(value)) {
    out->append(value);
    return;
  }
  out->push_back('"');
  for (const char c : Escape(value)) {
    if (c == '"') out->push_back('\\');
    out->push_back(c);
  }
  out->push_back('"');
}

void AppendField(std::string* out, const Field& field) {
  out->push_back(' ');
  out->append(field.key());
  out->push_back('=');
  if (const auto* text = std::get_if<std::string_view>(&field.value())) {
    AppendValue(out, *text);
  } else if (const auto* flag = std::get_if<bool>(&field.value())) {
    out->append(*flag ? "true" : "false");
  } else if (const auto* real = std::get_if<double>(&field.value())) {
    out->append(fmt::format("{}", *real));
  } else if (const auto* integer = std::get_if<int64_t>(&field.value())) {
    out->append(std::to_string(*integer));
  } else {
    out->append(std::to_string(std::get<uint64_t>(field.value())));
  }
}

}  // namespace

Field::Field(std::string_view key, const absl::Status& value)
    : key_(key), value_(value.ok() ? std::string_view("OK") : MessageOf(value)) {}

void Write(Level level, std::string_view event, Fields fields) {
  if (!Enabled(level)) return;
  std::string line(event);
  for (const Field& field : fields) AppendField(&line, field);
  Logger().log(kLevelNames[static_cast<size_t>(level)].spdlog_level, spdlog::string_view_t(line));
}

bool Enabled(Level level) { return level >= lowest_level.load(std::memory_order_relaxed); }

void SetLevel(Level level) { lowest_level.store(level, std::memory_order_relaxed); }

absl::Status SetLevel(std::string_view name) {
  for (const LevelName& known : kLevelNames) {
    if (known.name == name) {
      SetLevel(known.level);
      return absl::OkStatus();
    }
  }
  return InvalidArgument("log level ", Quote(name),
                         " is unknown; it must be debug, info, warning, error or off");
}

absl::Status SetLevelFromEnvironment() {
  const char* name = std::getenv("LOG_LEVEL");
  return name == nullptr ? absl::OkStatus() : Annotate(SetLevel(name), "LOG_LEVEL");
}

}  // namespace tinykv::log
