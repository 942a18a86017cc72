// Checks that the messages, enums and services built into this program are those of TinyKV, which
// wire.tsv lists: one row each, its columns separated by tabs.
//
//     message  name
//     field    message  number  name  label ("repeated" or "-")  type
//     enum     name
//     value    enum     name    number
//     rpc      service  method  request  response  streaming ("-", "client", "server" or "bidi")
//
// There may be more than the table says, numbered from kFirstAddition on.

#include <fstream>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "google/protobuf/descriptor.h"
#include "gtest/gtest.h"

namespace tinykv {
namespace {

using google::protobuf::Descriptor;
using google::protobuf::DescriptorPool;
using google::protobuf::EnumDescriptor;
using google::protobuf::EnumValueDescriptor;
using google::protobuf::FieldDescriptor;
using google::protobuf::FileDescriptor;
using google::protobuf::MethodDescriptor;
using google::protobuf::ServiceDescriptor;

constexpr int kFirstAddition = 100;
constexpr size_t kRowsInTheTable = 607;

using Row = std::vector<std::string>;

std::vector<Row> ReadTable() {
  std::ifstream file(TINYKV_WIRE_TABLE);
  std::vector<Row> rows;
  std::string line;
  while (std::getline(file, line)) {
    if (!line.empty()) rows.push_back(absl::StrSplit(line, '\t'));
  }
  return rows;
}

const DescriptorPool& Pool() { return *DescriptorPool::generated_pool(); }

std::string TypeOf(const FieldDescriptor& field) {
  if (field.message_type() != nullptr) return field.message_type()->full_name();
  if (field.enum_type() != nullptr) return field.enum_type()->full_name();
  return field.type_name();
}

std::string StreamingOf(const MethodDescriptor& method) {
  if (method.client_streaming()) return method.server_streaming() ? "bidi" : "client";
  return method.server_streaming() ? "server" : "-";
}

// The rows that the program has for the thing that `wanted` is about, found by its name (for a
// field by its number too, to tell a renamed one from a missing one). Empty if there is none.
std::vector<Row> FindField(const Row& wanted) {
  std::vector<Row> found;
  const Descriptor* message = Pool().FindMessageTypeByName(wanted[1]);
  for (int i = 0; message != nullptr && i < message->field_count(); ++i) {
    const FieldDescriptor& field = *message->field(i);
    const std::string number = absl::StrCat(field.number());
    if (number != wanted[2] && field.name() != wanted[3]) continue;
    const std::string label = field.is_repeated() ? "repeated" : "-";
    found.push_back({"field", wanted[1], number, field.name(), label, TypeOf(field)});
  }
  return found;
}

std::vector<Row> FindValue(const Row& wanted) {
  std::vector<Row> found;
  const EnumDescriptor* type = Pool().FindEnumTypeByName(wanted[1]);
  for (int i = 0; type != nullptr && i < type->value_count(); ++i) {
    const EnumValueDescriptor& value = *type->value(i);
    const std::string number = absl::StrCat(value.number());
    if (value.name() != wanted[2] && number != wanted[3]) continue;
    found.push_back({"value", wanted[1], value.name(), number});
  }
  return found;
}

std::vector<Row> FindRpc(const Row& wanted) {
  const ServiceDescriptor* service = Pool().FindServiceByName(wanted[1]);
  if (service == nullptr) return {};
  const MethodDescriptor* method = service->FindMethodByName(wanted[2]);
  if (method == nullptr) return {};
  return {{"rpc", wanted[1], method->name(), method->input_type()->full_name(),
           method->output_type()->full_name(), StreamingOf(*method)}};
}

std::vector<Row> Find(const Row& wanted) {
  const std::string& kind = wanted[0];
  if (kind == "message" && wanted.size() == 2) {
    if (Pool().FindMessageTypeByName(wanted[1]) != nullptr) return {wanted};
  } else if (kind == "enum" && wanted.size() == 2) {
    if (Pool().FindEnumTypeByName(wanted[1]) != nullptr) return {wanted};
  } else if (kind == "field" && wanted.size() == 6) {
    return FindField(wanted);
  } else if (kind == "value" && wanted.size() == 4) {
    return FindValue(wanted);
  } else if (kind == "rpc" && wanted.size() == 6) {
    return FindRpc(wanted);
  }
  return {};
}

// What is wrong with a row, in one line; empty if it holds.
std::string Difference(const Row& wanted) {
  std::vector<std::string> found;
  for (const Row& row : Find(wanted)) {
    if (row == wanted) return "";
    found.push_back(absl::StrJoin(row, " "));
  }
  return absl::StrCat("wire.tsv says: ", absl::StrJoin(wanted, " "), "; the program has: ",
                      found.empty() ? "nothing by that name" : absl::StrJoin(found, " and "));
}

// All files whose package the table names.
std::set<const FileDescriptor*> FilesOf(const std::vector<Row>& table) {
  std::set<const FileDescriptor*> files;
  for (const Row& row : table) {
    const FileDescriptor* file = Pool().FindFileContainingSymbol(row[1]);
    if (file != nullptr) files.insert(file);
  }
  return files;
}

// (message or enum, number) of everything in the table that has a number.
std::set<std::pair<std::string, std::string>> NumbersIn(const std::vector<Row>& table) {
  std::set<std::pair<std::string, std::string>> numbers;
  for (const Row& row : table) {
    if (row[0] == "message" || row[0] == "enum") numbers.emplace(row[1], "");
    if (row[0] == "field") numbers.emplace(row[1], row[2]);
    if (row[0] == "value") numbers.emplace(row[1], row[3]);
  }
  return numbers;
}

TEST(Wire, TableIsWhole) {
  EXPECT_EQ(ReadTable().size(), kRowsInTheTable) << "in " << TINYKV_WIRE_TABLE;
}

TEST(Wire, HoldsEveryRowOfTheTable) {
  for (const Row& row : ReadTable()) {
    const std::string difference = Difference(row);
    if (!difference.empty()) ADD_FAILURE() << difference;
  }
}

// A message or enum of the table is TinyKV's; what it has beyond the table is ours, and must keep
// away from the numbers that TinyKV might use.
TEST(Wire, NumbersAdditionsFromAHundredOn) {
  const std::vector<Row> table = ReadTable();
  const auto numbers = NumbersIn(table);
  const auto check = [&numbers](const std::string& scope, const std::string& name, int number) {
    if (numbers.count({scope, ""}) == 0 || numbers.count({scope, absl::StrCat(number)}) > 0) return;
    EXPECT_GE(number, kFirstAddition) << scope << "." << name << " is an addition";
  };
  for (const FileDescriptor* file : FilesOf(table)) {
    for (int i = 0; i < file->message_type_count(); ++i) {
      const Descriptor& message = *file->message_type(i);
      for (int j = 0; j < message.field_count(); ++j) {
        check(message.full_name(), message.field(j)->name(), message.field(j)->number());
      }
    }
    for (int i = 0; i < file->enum_type_count(); ++i) {
      const EnumDescriptor& type = *file->enum_type(i);
      for (int j = 0; j < type.value_count(); ++j) {
        check(type.full_name(), type.value(j)->name(), type.value(j)->number());
      }
    }
  }
}

// The comparison itself: each of these rows differs from the truth in one column.
TEST(Wire, ReportsARowThatDiffers) {
  const std::vector<Row> wrong = {
      {"message", "metapb.Shop"},
      {"enum", "metapb.StoreMood"},
      {"field", "metapb.Shop", "1", "id", "-", "uint64"},
      {"field", "metapb.Store", "9", "id", "-", "uint64"},
      {"field", "metapb.Store", "1", "number", "-", "uint64"},
      {"field", "metapb.Store", "1", "id", "repeated", "uint64"},
      {"field", "metapb.Store", "1", "id", "-", "int64"},
      {"field", "metapb.Store", "3", "state", "-", "raft_serverpb.PeerState"},
      {"field", "metapb.Region", "5", "peers", "repeated", "metapb.Store"},
      {"value", "metapb.StoreState", "Up", "1"},
      {"value", "metapb.StoreState", "Down", "0"},
      {"rpc", "tinykvpb.TinyKv", "RawRename", "kvrpcpb.RawGetRequest", "kvrpcpb.RawGetResponse",
       "-"},
      {"rpc", "tinykvpb.TinyKv", "RawGet", "kvrpcpb.RawPutRequest", "kvrpcpb.RawGetResponse", "-"},
      {"rpc", "tinykvpb.TinyKv", "RawGet", "kvrpcpb.RawGetRequest", "kvrpcpb.RawPutResponse", "-"},
      {"rpc", "schedulerpb.Scheduler", "Tso", "schedulerpb.TsoRequest", "schedulerpb.TsoResponse",
       "client"},
      {"fields", "metapb.Store", "1", "id", "-", "uint64"},
  };
  for (const Row& row : wrong) {
    EXPECT_NE(Difference(row), "") << absl::StrJoin(row, " ");
  }
}

}  // namespace
}  // namespace tinykv
