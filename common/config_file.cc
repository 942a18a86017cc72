#include "common/config_file.h"

#include <algorithm>
#include <string_view>
#include <vector>

#include <toml++/toml.h>

#include "common/status.h"

namespace tinykv {
namespace {

// "server.toml:12"
std::string Place(const std::string& path, const toml::source_region& source) {
  return Concat(path, ":", source.begin.line);
}

std::string_view NameOf(toml::node_type type) {
  switch (type) {
    case toml::node_type::table:
      return "a table";
    case toml::node_type::array:
      return "a list";
    case toml::node_type::string:
      return "a string";
    case toml::node_type::integer:
      return "an integer";
    case toml::node_type::floating_point:
      return "a fraction";
    case toml::node_type::boolean:
      return "a boolean";
    default:
      return "a date or time";
  }
}

struct Expected {
  std::vector<toml::node_type> types;
  std::string_view text;
};

Expected ExpectedFor(Config::Type type) {
  using toml::node_type;
  switch (type) {
    case Config::Type::kText:
      return {{node_type::string}, "a string in quotes"};
    case Config::Type::kBool:
      return {{node_type::boolean}, "true or false"};
    case Config::Type::kCount:
      return {{node_type::integer}, "an integer"};
    case Config::Type::kSize:
      return {{node_type::integer, node_type::string},
              "a number of bytes, or a string such as \"64MiB\""};
    case Config::Type::kDuration:
      return {{node_type::string}, "a string such as \"5s\""};
  }
  return {};
}

// REQUIRES: `node` is a string, an integer or a boolean.
std::string TextOf(const toml::node& node) {
  if (const auto* text = node.as_string()) return text->get();
  if (const auto* number = node.as_integer()) return std::to_string(number->get());
  return node.as_boolean()->get() ? "true" : "false";
}

absl::Status SetKey(const Config::Key& key, const toml::node& node) {
  const Expected expected = ExpectedFor(key.type);
  if (std::find(expected.types.begin(), expected.types.end(), node.type()) ==
      expected.types.end()) {
    return InvalidArgument("it must be ", expected.text, ", and is ", NameOf(node.type()));
  }
  return key.set(TextOf(node));
}

absl::Status UnknownKey(const std::string& name, const Config& config) {
  std::vector<std::string> names;
  for (const Config::Key& key : config.keys()) names.push_back(key.name);
  return InvalidArgument("unknown key ", Quote(name), DidYouMean(name, names));
}

bool IsTable(const std::string& name, const Config& config) {
  return std::any_of(config.keys().begin(), config.keys().end(), [&](const Config::Key& key) {
    return key.name.starts_with(Concat(name, "."));
  });
}

// Sets what is in `table`, whose own name with a dot at its end is `prefix`.
absl::Status LoadTable(const toml::table& table, const std::string& prefix, const std::string& path,
                       const Config& config) {
  for (const auto& [key_text, node] : table) {
    const std::string name = Concat(prefix, key_text.str());
    if (node.is_table() && (IsTable(name, config) || !node.as_table()->empty())) {
      TKV_RETURN_IF_ERROR(LoadTable(*node.as_table(), Concat(name, "."), path, config));
      continue;
    }
    const Config::Key* key = config.Find(name);
    const absl::Status status =
        key == nullptr ? UnknownKey(name, config) : Annotate(SetKey(*key, node), name);
    TKV_RETURN_IF_ERROR(Annotate(status, Place(path, key_text.source())));
  }
  return absl::OkStatus();
}

}  // namespace

absl::Status LoadConfigFile(FileSystem& file_system, const std::string& path,
                            const Config& config) {
  TKV_ASSIGN_OR_RETURN(const std::string content, ReadFile(file_system, path));
  toml::table table;
  try {
    table = toml::parse(content, path);
  } catch (const toml::parse_error& error) {
    return InvalidArgument(Place(path, error.source()), ": ", error.description());
  }
  return LoadTable(table, "", path, config);
}

}  // namespace tinykv
