// Runs the program tinykv-ctl against a toy store, as a shell would.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <spawn.h>
#include <sys/wait.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <sstream>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "common/client/toy_store.h"
#include "common/env/temporary_directory.h"
#include "common/strings.h"
#include "common/text_test_util.h"

namespace tinykv::ctl {
namespace {

using Json = nlohmann::ordered_json;

struct Result {
  int exit = -1;
  std::string out;
  std::string err;
};

std::string ReadFile(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return std::string(std::istreambuf_iterator<char>(file), {});
}

void WriteFile(const std::string& path, std::string_view bytes) {
  std::ofstream(path, std::ios::binary) << bytes;
}

class TinyKvCtl : public testing::Test {
 protected:
  // Runs the program to its end. Its streams are files: it sees no terminal.
  Result Run(std::vector<std::string> arguments, std::string_view in = "") {
    WriteFile(Path("in"), in);
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_addopen(&actions, 0, Path("in").c_str(), O_RDONLY, 0);
    const int create = O_WRONLY | O_CREAT | O_TRUNC;
    posix_spawn_file_actions_addopen(&actions, 1, Path("out").c_str(), create, 0600);
    posix_spawn_file_actions_addopen(&actions, 2, Path("err").c_str(), create, 0600);
    if (!folder_.empty()) posix_spawn_file_actions_addchdir_np(&actions, folder_.c_str());

    arguments.insert(arguments.begin(), TINYKV_CTL);
    std::vector<char*> argv;
    argv.reserve(arguments.size() + 1);
    for (std::string& argument : arguments) argv.push_back(argument.data());
    argv.push_back(nullptr);
    std::string address = Concat("TINYKV_ADDRESS=", store_.address());
    char* environment[] = {folder_.empty() ? address.data() : nullptr, nullptr};
    pid_t child = 0;
    EXPECT_EQ(posix_spawn(&child, TINYKV_CTL, &actions, nullptr, argv.data(), environment), 0);
    posix_spawn_file_actions_destroy(&actions);
    int status = 0;
    EXPECT_EQ(waitpid(child, &status, 0), child);
    EXPECT_TRUE(WIFEXITED(status));
    return {WEXITSTATUS(status), ReadFile(Path("out")), ReadFile(Path("err"))};
  }

  std::string Path(const std::string& name) const { return Concat(directory_.path(), "/", name); }

  TemporaryDirectory directory_;
  std::string folder_;  // where to run; then no TINYKV_ADDRESS is set
  ToyStore store_;
};

// What a store says of itself. Its peer of region 1 has applied `applied` entries of ten.
kvrpcpb::StoreStatusResponse StatusOf(uint64_t store_id, const std::string& role, uint64_t term,
                                      uint64_t applied) {
  kvrpcpb::StoreStatusResponse status;
  status.set_cluster_id(1);
  status.set_store_id(store_id);
  kvrpcpb::PeerStatus* peer = status.add_peers();
  peer->mutable_region()->set_id(1);
  peer->mutable_region()->mutable_region_epoch()->set_conf_ver(1);
  peer->mutable_region()->mutable_region_epoch()->set_version(2);
  peer->mutable_region()->set_end_key("m");
  peer->set_role(role);
  peer->set_term(term);
  peer->set_first_index(3);
  peer->set_last_index(10);
  peer->set_committed(10);
  peer->set_applied(applied);
  return status;
}

void AddStore(kvrpcpb::StoreStatusResponse& status, uint64_t id, const std::string& address) {
  metapb::Store* store = status.add_stores();
  store->set_id(id);
  store->set_address(address);
}

// The objects of JSON lines. Fails if a line is not JSON in valid UTF-8.
std::vector<Json> ParseJsonLines(const std::string& text) {
  std::vector<Json> objects;
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);) objects.push_back(Json::parse(line));
  return objects;
}

TEST_F(TinyKvCtl, ExitsWith0WhenFoundAnd1WhenNot) {
  Result r = Run({"raw", "put", "hello", "world"});
  EXPECT_EQ(r.exit, 0);
  EXPECT_EQ(r.out, "ok\n");
  r = Run({"raw", "get", "hello"});
  EXPECT_EQ(r.exit, 0);
  EXPECT_EQ(r.out, "world\n");
  EXPECT_EQ(r.err, "");
  EXPECT_EQ(Run({"raw", "delete", "hello"}).exit, 0);
  r = Run({"raw", "get", "hello"});
  EXPECT_EQ(r.exit, 1);
  EXPECT_EQ(r.out, "");
  EXPECT_EQ(r.err, "not found\n");
}

TEST_F(TinyKvCtl, ExitsWith2OnErrors) {
  const std::string nobody = ToyStore().address();  // it is gone by the end of the line
  const std::vector<std::vector<std::string>> wrong = {
      {"raw"},
      {"raw", "get"},
      {"raw", "look", "a"},
      {"look"},
      {"raw", "put", "k"},
      {"raw", "put", "k", "v", "w"},
      {"raw", "put", "k", "v", "--value-file", "f"},
      {"raw", "get", "\\q"},
      {"raw", "get", "k", "--cf", "nonesuch"},
      {"raw", "scan", "--limit", "x"},
      {"--deadline", "5", "raw", "get", "k"},
      {"--deadline", "0s", "raw", "get", "k"},
      {"--address", "nowhere", "raw", "get", "k"},
      {"--address", "", "raw", "get", "k"},
      {"--address", "localhost:1,nowhere", "cluster"},
      {"--address", nobody, "--deadline", "20ms", "raw", "get", "k"},
      {"load", "/nonexistent/file"},
      {"dump", "/nonexistent/file"},
      {"raw", "put", "k", "--value-file", "/nonexistent/file"},
  };
  for (const auto& arguments : wrong) {
    const Result r = Run(arguments);
    EXPECT_EQ(r.exit, 2) << arguments.back();
    EXPECT_EQ(r.out, "") << arguments.back();
    EXPECT_EQ(r.err.find("tinykv-ctl: "), 0u) << r.err;
    EXPECT_EQ(r.err.find('\n'), r.err.size() - 1) << r.err;
  }
  store_.Follow({.failing = 1, .failure = ToyStore::Failure::kRefusal});
  const Result r = Run({"--json", "raw", "get", "k"});
  EXPECT_EQ(r.exit, 2);
  EXPECT_EQ(r.out, "{\"error\":\"the toy says no\",\"code\":\"UNKNOWN\"}\n");
}

TEST_F(TinyKvCtl, HelpsWithoutAStore) {
  for (const std::vector<std::string>& arguments :
       {std::vector<std::string>{"--help"}, {"help"}, {"raw", "--help"}, {"raw", "put", "-h"}}) {
    const Result r = Run(arguments);
    EXPECT_EQ(r.exit, 0);
    EXPECT_NE(r.out.find("Usage:"), std::string::npos);
  }
}

TEST_F(TinyKvCtl, ReadsEscapesUnlessToldNotTo) {
  EXPECT_EQ(Run({"raw", "put", "a\\x00b", "tab\\t\xff"}).exit, 0);
  EXPECT_EQ(store_.contents(ColumnFamily::kDefault).at(std::string("a\0b", 3)), "tab\t\xff");
  EXPECT_EQ(Run({"raw", "get", "a\\x00b"}).out, "tab\\x09\\xff\n");
  EXPECT_EQ(Run({"raw", "get", "--raw", "a\\x00b"}).exit, 1);

  EXPECT_EQ(Run({"raw", "put", "--raw", "c:\\new", "\\x00"}).exit, 0);
  EXPECT_EQ(store_.contents(ColumnFamily::kDefault).at("c:\\new"), "\\x00");
  EXPECT_EQ(Run({"raw", "get", "--raw", "c:\\new"}).out, "\\x00\n");
  EXPECT_EQ(Run({"raw", "get", "c:\\\\new"}).out, "\\\\x00\n");

  EXPECT_EQ(Run({"raw", "put", "--", "--dash", "-"}, "from in").exit, 0);
  EXPECT_EQ(store_.contents(ColumnFamily::kDefault).at("--dash"), "from in");
  EXPECT_EQ(Run({"raw", "put", "k", "--raw", "--", "-"}).exit, 0);
  EXPECT_EQ(store_.contents(ColumnFamily::kDefault).at("k"), "-");
}

TEST_F(TinyKvCtl, MovesValuesThroughFilesUnchanged) {
  std::string value;
  for (int i = 0; i < 1024; ++i) value += static_cast<char>(i);
  WriteFile(Path("value"), value);
  EXPECT_EQ(Run({"raw", "put", "file", "--value-file", Path("value")}).exit, 0);
  EXPECT_EQ(Run({"raw", "put", "in", "--value-file", "-"}, value).exit, 0);
  EXPECT_EQ(Run({"raw", "put", "dash", "-", "--cf", "lock"}, value).exit, 0);
  EXPECT_EQ(store_.contents(ColumnFamily::kDefault).at("file"), value);
  EXPECT_EQ(store_.contents(ColumnFamily::kDefault).at("in"), value);
  EXPECT_EQ(store_.contents(ColumnFamily::kLock).at("dash"), value);

  EXPECT_EQ(Run({"raw", "get", "file", "--value-file", "-"}).out, value);
  EXPECT_EQ(Run({"raw", "get", "file", "--value-file", Path("got")}).out, "");
  EXPECT_EQ(ReadFile(Path("got")), value);
}

TEST_F(TinyKvCtl, ScansARangeUpToALimit) {
  for (const char* key : {"a", "b", "c", "d"}) Run({"raw", "put", key, "1"});
  EXPECT_EQ(Run({"raw", "scan"}).out, "a\t1\nb\t1\nc\t1\nd\t1\n");
  EXPECT_EQ(Run({"raw", "scan", "b", "--end", "d"}).out, "b\t1\nc\t1\n");
  Result r = Run({"raw", "scan", "--limit", "3"});
  EXPECT_EQ(r.out, "a\t1\nb\t1\nc\t1\n");
  EXPECT_EQ(r.err, "there are more; --limit 0 lists all\n");
  EXPECT_EQ(Run({"raw", "scan", "--limit", "4"}).err, "");
  EXPECT_EQ(Run({"raw", "scan", "--limit", "0"}).out, "a\t1\nb\t1\nc\t1\nd\t1\n");
  r = Run({"raw", "scan", "x"});
  EXPECT_EQ(r.exit, 0);
  EXPECT_EQ(r.out, "");
}

TEST_F(TinyKvCtl, PrintsTheJsonThatIsDocumented) {
  const auto out = [this](std::vector<std::string> arguments) {
    arguments.insert(arguments.begin(), "--json");
    return Run(std::move(arguments)).out;
  };
  EXPECT_EQ(out({"raw", "put", "a", "1"}), "{\"key\":\"a\",\"cf\":\"default\",\"ok\":true}\n");
  EXPECT_EQ(out({"raw", "get", "a"}),
            "{\"key\":\"a\",\"cf\":\"default\",\"found\":true,\"value\":\"1\"}\n");
  EXPECT_EQ(out({"raw", "get", "a", "--cf", "write"}),
            "{\"key\":\"a\",\"cf\":\"write\",\"found\":false}\n");
  EXPECT_EQ(out({"raw", "scan"}), "{\"key\":\"a\",\"value\":\"1\"}\n");
  EXPECT_EQ(out({"raw", "delete", "a"}), "{\"key\":\"a\",\"cf\":\"default\",\"ok\":true}\n");
  // The switch may also stand behind the command.
  EXPECT_EQ(Run({"raw", "get", "a", "--json"}).out,
            "{\"key\":\"a\",\"cf\":\"default\",\"found\":false}\n");
}

TEST_F(TinyKvCtl, PrintsValidJsonWhateverTheBytes) {
  const std::string key("\0\xff\xc3(\"\\\n", 7);
  ASSERT_EQ(Run({"raw", "put", Escape(key), Escape("v" + key)}).exit, 0);
  const auto objects = ParseJsonLines(Run({"--json", "raw", "scan"}).out);
  ASSERT_EQ(objects.size(), 1u);
  std::string bytes;
  ASSERT_TRUE(Unescape(objects[0]["key"].get<std::string>(), &bytes));
  EXPECT_EQ(bytes, key);
  ASSERT_TRUE(Unescape(objects[0]["value"].get<std::string>(), &bytes));
  EXPECT_EQ(bytes, "v" + key);
  // A message with the bytes of a bad argument in it.
  const auto errors = ParseJsonLines(Run({"--json", "load", "/nonexistent/\xff"}).out);
  ASSERT_EQ(errors.size(), 1u);
  EXPECT_EQ(errors[0]["code"], "NOT_FOUND");
}

TEST_F(TinyKvCtl, LoadsWhatItDumped) {
  std::string lines;
  for (int i = 0; i < 256; ++i) {
    const char byte = static_cast<char>(i);
    lines += Concat(Escape(std::string(2, byte)), '\t',
                    Escape(std::string({byte, '\t', '\n', byte})), '\n');
  }
  Result r = Run({"load", "-", "--cf", "write"}, lines);
  EXPECT_EQ(r.exit, 0) << r.err;
  EXPECT_EQ(r.err.find("loaded 256 records"), 0u) << r.err;
  const auto loaded = store_.contents(ColumnFamily::kWrite);
  EXPECT_EQ(loaded.size(), 256u);
  EXPECT_EQ(loaded.at(std::string(2, '\0')), std::string("\0\t\n\0", 4));

  r = Run({"dump", Path("dump.tsv"), "--cf", "write"});
  EXPECT_EQ(r.exit, 0) << r.err;
  EXPECT_EQ(r.err.find("dumped 256 records"), 0u) << r.err;
  EXPECT_EQ(Run({"load", Path("dump.tsv")}).exit, 0);
  EXPECT_EQ(store_.contents(ColumnFamily::kDefault), loaded);

  EXPECT_EQ(Run({"dump"}).out, ReadFile(Path("dump.tsv")));
  EXPECT_EQ(Run({"dump", "--start", "a", "--end", "b"}).out, "aa\ta\\x09\\x0aa\n");
}

TEST_F(TinyKvCtl, NamesTheLineThatCannotBeLoaded) {
  WriteFile(Path("bad.tsv"), "a\t1\nb\t2\nc 3\nd\t4\n");
  Result r = Run({"load", Path("bad.tsv")});
  EXPECT_EQ(r.exit, 2);
  EXPECT_NE(r.err.find(Path("bad.tsv") + ":3: no tab"), std::string::npos) << r.err;
  EXPECT_NE(r.err.find("2 records were acknowledged"), std::string::npos) << r.err;
  EXPECT_EQ(store_.contents(ColumnFamily::kDefault).size(), 2u);

  r = Run({"--json", "load", "-"}, "x\t1\n\\q\t2\n");
  EXPECT_EQ(r.exit, 2);
  const Json object = ParseJsonLines(r.out).at(0);
  EXPECT_EQ(object["records"], 1);
  EXPECT_EQ(object["error"].get<std::string>().find("standard input:2: "), 0u);
  EXPECT_EQ(object["code"], "INVALID_ARGUMENT");
}

TEST_F(TinyKvCtl, SaysHowFarALoadCameThatTheStoreStopped) {
  store_.Follow({.healthy = 1, .failing = 100, .failure = ToyStore::Failure::kRefusal});
  const Result r = Run({"--json", "load", "-"}, "a\t1\nb\t2\n");
  EXPECT_EQ(r.exit, 2);
  const Json object = ParseJsonLines(r.out).at(0);
  EXPECT_EQ(object["records"], 1);
  EXPECT_EQ(object["error"].get<std::string>().find("put of \""), 0u);
}

TEST_F(TinyKvCtl, NoticesAFullDisk) {
  ASSERT_EQ(Run({"raw", "put", "k", "v"}).exit, 0);
  const Result r = Run({"dump", "/dev/full"});
  EXPECT_EQ(r.exit, 2);
  EXPECT_NE(r.err.find("No space left"), std::string::npos) << r.err;
}

TEST_F(TinyKvCtl, ReadsCommandsFromAPipe) {
  Result r = Run({},
                 "put \"two words\" \"\"\n"
                 "\n"
                 "raw get \"two words\"\n"
                 "put a \\x00\n"
                 "get a --json\n"
                 "scan\n"
                 "get none\n"
                 "quit\n"
                 "put never 1\n");
  EXPECT_EQ(r.exit, 2);  // there is no --json inside
  EXPECT_EQ(r.out, "ok\n\nok\na\t\\x00\ntwo words\t\n");
  EXPECT_NE(r.err.find("--json"), std::string::npos);
  EXPECT_NE(r.err.find("not found\n"), std::string::npos);
  EXPECT_FALSE(store_.contents(ColumnFamily::kDefault).contains("never"));
}

TEST_F(TinyKvCtl, GoesOnAfterAnErrorInASession) {
  Result r = Run({"--json"}, "look\nput \"a\nput k -\nload -\nraw\nget none\nput k v");
  EXPECT_EQ(r.exit, 2);
  const auto objects = ParseJsonLines(r.out);
  ASSERT_EQ(objects.size(), 7u);
  for (int i = 0; i < 5; ++i) EXPECT_EQ(objects[i]["code"], "INVALID_ARGUMENT") << objects[i];
  EXPECT_EQ(objects[5]["found"], false);
  EXPECT_EQ(objects[6]["ok"], true);
  EXPECT_EQ(r.err, "");

  r = Run({}, "get none\nhelp\nhelp scan\n");
  EXPECT_EQ(r.exit, 0);
  EXPECT_NE(r.out.find("  scan      List"), std::string::npos) << r.out;
  EXPECT_NE(r.out.find("--limit"), std::string::npos) << r.out;
}

TEST_F(TinyKvCtl, FindsWhatUpHasStartedHereOrAbove) {
  folder_ = Path("checkout/deep/inside");
  std::filesystem::create_directories(folder_);
  std::filesystem::create_directories(Path("checkout/.tinykv"));
  const std::string file = Path("checkout/.tinykv/cluster.json");
  WriteFile(file, Concat(R"({"stage":2,"members":[{"address":""},{"address":")", store_.address(),
                         R"("}]})"));
  EXPECT_EQ(Run({"raw", "put", "k", "v"}).exit, 0);
  EXPECT_EQ(store_.contents(ColumnFamily::kDefault).at("k"), "v");

  for (const char* damaged : {"", "{", "[]", R"({"members":7})"}) {
    WriteFile(file, damaged);
    const Result r = Run({"raw", "get", "k"});
    EXPECT_EQ(r.exit, 2);
    EXPECT_TRUE(Contains(r.err, file + " is not what ./tinykv up writes"));
  }
  EXPECT_EQ(Run({"--address", store_.address(), "raw", "get", "k"}).exit, 0);
}

TEST_F(TinyKvCtl, ShowsTheStoresOfACluster) {
  ToyStore leader;
  kvrpcpb::StoreStatusResponse status = StatusOf(1, "follower", 4, 7);
  AddStore(status, 1, store_.address());
  AddStore(status, 2, leader.address());
  store_.Report(status);
  leader.Report(StatusOf(2, "leader", 5, 10));

  Result r = Run({"cluster"});
  EXPECT_EQ(r.exit, 0) << r.err;
  std::istringstream lines(r.out);
  std::vector<std::string> words((std::istream_iterator<std::string>(lines)), {});
  const std::vector<std::string> expected = {
      "store",    "address", "role",   "term",  "first", "last",   "commit",
      "applied",  "lag",     "region", "epoch", "keys",  "1",      store_.address(),
      "follower", "4",       "3",      "10",    "10",    "7",      "3",
      "1",        "1/2",     "up",     "to",    "\"m\"", "2",      leader.address(),
      "leader",   "5",       "3",      "10",    "10",    "10",     "0",
      "1",        "1/2",     "up",     "to",    "\"m\"", "region", "1:",
      "store",    "2",       "leads",  "it",    "in",    "term",   "5"};
  EXPECT_EQ(words, expected) << r.out;

  r = Run({"--json", "cluster"});
  const auto objects = ParseJsonLines(r.out);
  ASSERT_EQ(objects.size(), 3u);
  EXPECT_EQ(objects[0]["store"], 1);
  EXPECT_EQ(objects[0]["answers"], true);
  EXPECT_EQ(objects[0]["peers"][0]["lag"], 3);
  EXPECT_EQ(objects[0]["peers"][0]["end"], "m");
  EXPECT_EQ(objects[1]["peers"][0]["role"], "leader");
  EXPECT_EQ(objects[2].dump(), "{\"region\":1,\"leader\":2,\"term\":5}");
}

TEST_F(TinyKvCtl, SaysWhereABackupIs) {
  Result r = Run({"backup", "monday"});
  EXPECT_EQ(r.exit, 0) << r.err;
  EXPECT_EQ(r.out, "store 1: /toy/monday, applied up to entry 9, 30 bytes\n");
  r = Run({"--json", "backup", "monday"});
  EXPECT_EQ(r.out, "{\"store\":1,\"directory\":\"/toy/monday\",\"applied\":9,\"bytes\":30}\n");
  EXPECT_EQ(Run({"backup"}).exit, 2);
}

TEST_F(TinyKvCtl, SaysWhatIsWrongWithACluster) {
  kvrpcpb::StoreStatusResponse status = StatusOf(1, "leader", 4, 10);
  AddStore(status, 1, store_.address());
  const std::string gone = ToyStore().address();
  AddStore(status, 2, gone);
  status.set_stopped("a full disk");
  store_.Report(status);
  Result r = Run({"cluster"});
  EXPECT_EQ(r.exit, 1);
  EXPECT_TRUE(Contains(r.out, gone + "  does not answer: "));
  EXPECT_TRUE(Contains(r.out, "has stopped: a full disk"));
  const auto objects = ParseJsonLines(Run({"--json", "cluster"}).out);
  ASSERT_EQ(objects.size(), 3u);
  EXPECT_EQ(objects[1]["store"], 2);
  EXPECT_EQ(objects[1]["answers"], false);
  EXPECT_EQ(objects[1]["code"], "UNAVAILABLE");

  store_.Report(StatusOf(1, "candidate", 4, 10));
  r = Run({"cluster"});
  EXPECT_EQ(r.exit, 1);
  EXPECT_TRUE(Contains(r.out, "region 1: no store leads it"));

  ToyStore simple;
  r = Run({"--address", simple.address(), "cluster"});
  EXPECT_EQ(r.exit, 1);
  EXPECT_TRUE(Contains(r.out, "tells nothing: the toy knows no regions"));

  kvrpcpb::StoreStatusResponse other = StatusOf(3, "leader", 4, 10);
  other.set_cluster_id(2);
  simple.Report(other);
  r = Run({"--address", Concat(store_.address(), ",", simple.address()), "cluster"});
  EXPECT_EQ(r.exit, 2);
  EXPECT_TRUE(Contains(r.err, "of cluster 1, the one at"));
}

}  // namespace
}  // namespace tinykv::ctl
