// Whole clusters: stage2-server as processes that find each other over real sockets.
#include "stage2-raftkv/stage2_program.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <gtest/gtest.h>
#include <httplib.h>
#include <netinet/in.h>
#include <spawn.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <map>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include "common/check.h"
#include "common/client/backup.h"
#include "common/client/cluster_status.h"
#include "common/client/raw_client.h"
#include "common/client/raw_loader.h"
#include "common/client/raw_scanner.h"
#include "common/env/clock.h"
#include "common/env/file_system.h"
#include "common/env/temporary_directory.h"
#include "common/random.h"
#include "common/status.h"
#include "common/storage/region_error.h"
#include "common/text_test_util.h"

namespace tinykv {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

// For what takes a second or so: elections, starts.
constexpr Duration kPatience = seconds(60);

// A port that nobody listens on, below those that the system gives to clients: none of these can
// take it before the server does.
int FreePort() {
  static Random random(SystemClock().UnixMillis() * 100'000 + getpid());
  for (;;) {
    const int port = static_cast<int>(random.Between(10'000, 32'000));
    const int fd = socket(AF_INET, SOCK_STREAM, 0);
    sockaddr_in address = {};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    address.sin_port = htons(static_cast<uint16_t>(port));
    const bool is_free = bind(fd, reinterpret_cast<sockaddr*>(&address), sizeof(address)) == 0;
    close(fd);
    if (is_free) return port;
  }
}

std::string Local(int port) { return Concat("127.0.0.1:", port); }

// A process that runs a store.
class StoreProcess {
 public:
  StoreProcess(const std::vector<std::string>& flags, std::string errors)
      : errors_(std::move(errors)) {
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_addopen(&actions, 1, "/dev/null", O_WRONLY, 0);
    posix_spawn_file_actions_addopen(&actions, 2, errors_.c_str(), O_WRONLY | O_CREAT | O_TRUNC,
                                     0600);
    std::vector<std::string> words = {TINYKV_STAGE2_SERVER};
    words.insert(words.end(), flags.begin(), flags.end());
    std::vector<char*> argv;
    argv.reserve(words.size() + 1);
    for (std::string& word : words) argv.push_back(word.data());
    argv.push_back(nullptr);
    TKV_CHECK(posix_spawn(&pid_, TINYKV_STAGE2_SERVER, &actions, nullptr, argv.data(), environ) ==
              0);
    posix_spawn_file_actions_destroy(&actions);
  }
  ~StoreProcess() {
    if (pid_ != 0) End(SIGKILL);
  }

  StoreProcess(const StoreProcess&) = delete;
  StoreProcess& operator=(const StoreProcess&) = delete;

  // Sends `signal` (0: none) and waits for its end. Its exit status, or minus what ended it.
  int End(int signal) {
    if (signal != 0) kill(pid_, signal);
    int status = 0;
    TKV_CHECK(waitpid(pid_, &status, 0) == pid_);
    pid_ = 0;
    return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
  }

  std::string Errors() const { return *ReadFile(PosixFileSystem(), errors_); }

 private:
  const std::string errors_;
  pid_t pid_ = 0;
};

class Stage2Server : public testing::Test {
 protected:
  using Flags = std::map<std::string, std::string>;

  Stage2Server() {
    std::string stores;
    for (int i = 1; i <= 3; ++i) {
      places_[i] = {.address = Local(FreePort()), .status_port = FreePort()};
      stores += Concat(i == 1 ? "" : ",", i, "=", places_[i].address);
    }
    stores_ = stores;
  }

  // `changes` win over the flags that are right.
  void Start(int store, const Flags& changes = {}) {
    Flags flags = {{"--listen", places_[store].address},
                   {"--status-listen", Local(places_[store].status_port)},
                   {"--data", DataOf(store)},
                   {"--cluster.store-id", Concat(store)},
                   {"--cluster.stores", stores_},
                   {"--raft.tick-ms", "30"}};
    for (const auto& [flag, value] : changes) flags[flag] = value;
    std::vector<std::string> words;
    for (const auto& [flag, value] : flags) words.insert(words.end(), {flag, value});
    running_[store] =
        std::make_unique<StoreProcess>(words, Concat(directory_.path(), "/errors-", store));
  }

  void StartNewCluster() {
    for (const auto& [store, place] : places_) Start(store, {{"--cluster.new", "true"}});
  }

  int End(int store, int signal) {
    const int result = running_.at(store)->End(signal);
    running_.erase(store);
    return result;
  }

  // Starts a store that is expected to end by itself at once. The one line that it says.
  std::string Refusal(int store, const Flags& changes = {}) {
    Start(store, changes);
    EXPECT_EQ(running_.at(store)->End(0), 1);
    const std::string errors = running_.at(store)->Errors();
    running_.erase(store);
    EXPECT_EQ(std::count(errors.begin(), errors.end(), '\n'), 1) << errors;
    return errors;
  }

  // Where the stores are, for a client of all.
  std::string Addresses() const {
    return Concat(places_.at(1).address, ",", places_.at(2).address, ",", places_.at(3).address);
  }

  std::string DataOf(int store) const { return Concat(directory_.path(), "/store-", store); }

  std::unique_ptr<RawClient> ClientOf(int store, Duration deadline) const {
    return *RawClient::Open({.address = places_.at(store).address, .deadline = deadline});
  }

  // A client whose first call asks `store` once and follows nobody.
  std::unique_ptr<RawClient> StrictClientOf(int store) const {
    return *RawClient::Open(
        {.address = places_.at(store).address, .deadline = milliseconds(100), .attempts_max = 1});
  }

  // Whether `holds` comes true in time. Each look at a cluster takes a while, so this does not
  // spin.
  template <typename Predicate>
  static bool Eventually(Predicate holds) {
    const Duration end = SystemClock().Now() + kPatience;
    while (!holds()) {
      if (SystemClock().Now() > end) return false;
    }
    return true;
  }

  // A store that serves reads, as only a leader does; it may lose that at any time.
  int WaitForLeader() const {
    int leader = 0;
    EXPECT_TRUE(Eventually([&] {
      for (const auto& [store, process] : running_) {
        if (StrictClientOf(store)->Get("k").ok()) leader = store;
      }
      return leader != 0;
    })) << "nobody leads";
    return leader;
  }

  bool PutsAtLeader(std::string_view key, std::string_view value) const {
    return Eventually([&] { return ClientOf(WaitForLeader(), seconds(1))->Put(key, value).ok(); });
  }

  std::string GetAtLeader(std::string_view key) const {
    absl::StatusOr<std::optional<std::string>> value;
    EXPECT_TRUE(Eventually([&] {
      value = ClientOf(WaitForLeader(), seconds(1))->Get(key);
      return value.ok();
    }));
    return value.ok() ? value->value_or("(nothing)") : value.status().ToString();
  }

  // /status, or null while nobody answers.
  nlohmann::json StatusOf(int store) const {
    httplib::Client client("127.0.0.1", places_.at(store).status_port);
    const auto answer = client.Get("/status");
    return answer ? nlohmann::json::parse(answer->body) : nlohmann::json();
  }

  // Waits until `store` has applied what the leader has.
  bool CatchesUp(int store) const {
    const uint64_t target = StatusOf(WaitForLeader())["regions"][0]["applied"];
    return Eventually([&] {
      const nlohmann::json status = StatusOf(store);
      return status.is_object() && status.value("serving", false) &&
             status["regions"][0]["applied"] >= target;
    });
  }

  // Waits until `store` has all that it lost.
  bool Rejoins(int store) const {
    return Eventually([&] {
             const nlohmann::json status = StatusOf(store);
             return status.is_object() && status.value("serving", false) &&
                    status["regions"][0]["rejoining"] == "";
           }) &&
           CatchesUp(store);
  }

  // Whether `status` is an error that says where `leader` is.
  bool NamesLeader(const absl::Status& status, int leader) const {
    const auto error = RegionErrorOf(status);
    return error && error->not_leader().leader().store_id() == static_cast<uint64_t>(leader) &&
           error->not_leader().leader_address() == places_.at(leader).address;
  }

  struct Place {
    std::string address = {};
    int status_port = 0;
  };
  const TemporaryDirectory directory_;
  std::map<int, Place> places_;
  std::string stores_;
  std::map<int, std::unique_ptr<StoreProcess>> running_;
};

TEST_F(Stage2Server, ElectsALeaderThatServesAndThatTheOthersName) {
  StartNewCluster();
  EXPECT_TRUE(PutsAtLeader("k", "v"));
  EXPECT_EQ(GetAtLeader("k"), "v");
  EXPECT_TRUE(Eventually([&] {
    const int leader = WaitForLeader();
    const int follower = leader % 3 + 1;  // a new client for each: it would remember the leader
    return NamesLeader(StrictClientOf(follower)->Put("k", "w"), leader) &&
           NamesLeader(StrictClientOf(follower)->Get("k").status(), leader);
  }));
  for (const int store : {1, 2, 3}) EXPECT_EQ(End(store, SIGTERM), 0);
}

TEST_F(Stage2Server, TellsHowItDoes) {
  StartNewCluster();
  EXPECT_TRUE(Eventually([&] {
    const int leader = WaitForLeader();
    const nlohmann::json region = StatusOf(leader)["regions"][0];
    return region["role"] == "leader" && region["leader_store"] == leader &&
           region["peers"].size() == 3 && region["applied"] == region["last_index"];
  }));
  const nlohmann::json status = StatusOf(2);
  EXPECT_EQ(status["store"]["id"], 2);
  EXPECT_EQ(status["store"]["cluster_id"], 1);
  EXPECT_EQ(status["store"]["error"], "");
  EXPECT_EQ(status["store"]["answers"], true);
  EXPECT_GT(status["engines"]["raft"]["wal_syncs"], 0);
  EXPECT_TRUE(status["engines"]["kv"]["levels"].contains("meta"));

  const auto metrics = httplib::Client("127.0.0.1", places_.at(2).status_port).Get("/metrics");
  ASSERT_TRUE(metrics);
  EXPECT_TRUE(Contains(metrics->body, "tinykv_raft_term{region=\"1\"}"));
  EXPECT_TRUE(Contains(metrics->body, "tinykv_store_stopped 0\n"));
  EXPECT_TRUE(Contains(metrics->body, "tinykv_engine_wal_syncs_total{engine=\"kv\"}"));
}

TEST_F(Stage2Server, GoesOnWithoutALeaderThatWasKilledWhichCatchesUpLater) {
  StartNewCluster();
  EXPECT_TRUE(PutsAtLeader("k", "before"));
  const int killed = WaitForLeader();
  ASSERT_NE(killed, 0);
  EXPECT_EQ(End(killed, SIGKILL), -SIGKILL);

  EXPECT_EQ(GetAtLeader("k"), "before");
  EXPECT_TRUE(PutsAtLeader("k", "after"));
  Start(killed);
  EXPECT_TRUE(CatchesUp(killed));
}

TEST_F(Stage2Server, KeepsItsDataWhenAllStop) {
  StartNewCluster();
  EXPECT_TRUE(PutsAtLeader("k", "v"));
  for (const int store : {1, 2, 3}) EXPECT_EQ(End(store, SIGTERM), 0);

  for (const int store : {1, 2, 3}) Start(store);
  EXPECT_EQ(GetAtLeader("k"), "v");
}

TEST_F(Stage2Server, FillsAStoreAgainThatLostItsDataIfToldTo) {
  StartNewCluster();
  for (int i = 0; i < 50; ++i) EXPECT_TRUE(PutsAtLeader(Concat("k", i % 10), Concat("v", i)));
  const int leader = WaitForLeader();
  ASSERT_NE(leader, 0);
  const int lost = leader % 3 + 1;
  EXPECT_EQ(End(lost, SIGKILL), -SIGKILL);
  std::filesystem::remove_all(DataOf(lost));
  EXPECT_TRUE(Contains(Refusal(lost), "--cluster.rejoin true"));

  // Without all others it waits, and says for whom.
  const int other = lost % 3 + 1;
  EXPECT_EQ(End(other, SIGKILL), -SIGKILL);
  Start(lost, {{"--cluster.rejoin", "true"}});
  EXPECT_TRUE(Eventually([&] {
    const nlohmann::json status = StatusOf(lost);
    return status.is_object() && status.value("serving", false) &&
           status["regions"][0]["rejoining"] == Concat("asks for the terms of peers ", other);
  }));
  Start(other);
  EXPECT_TRUE(Rejoins(lost));

  // What another store has, may be lost now; and the flag does no harm.
  EXPECT_EQ(End(lost, SIGKILL), -SIGKILL);
  Start(lost, {{"--cluster.rejoin", "true"}});
  EXPECT_EQ(End(other, SIGKILL), -SIGKILL);
  for (int i = 40; i < 50; ++i) EXPECT_EQ(GetAtLeader(Concat("k", i % 10)), Concat("v", i));
  EXPECT_TRUE(PutsAtLeader("k", "after"));
}

TEST_F(Stage2Server, RestoresABackupThatWasMadeUnderLoadAsANewCluster) {
  StartNewCluster();
  const auto client = *RawClient::Open({.address = Addresses(), .deadline = kPatience});
  constexpr int kPuts = 500;
  const auto put = [&](int from, int to) {
    for (int i = from; i < to; ++i) {
      EXPECT_TRUE(client->Put(Concat("key-", 10'000 + i), Concat(i)).ok());
    }
  };
  put(0, kPuts);
  std::thread load([&] { put(kPuts, 2 * kPuts); });
  const auto backup = MakeBackup({.address = Addresses()}, "monday");
  load.join();
  ASSERT_TRUE(backup.ok()) << backup.status();
  EXPECT_TRUE(Contains(MessageOf(MakeBackup({.address = Addresses()}, "monday").status()),
                       "is a backup \"monday\" already"));
  EXPECT_TRUE(Contains(MessageOf(MakeBackup({.address = Addresses()}, "../x").status()),
                       "is no name for a backup"));
  for (const int store : {1, 2, 3}) EXPECT_EQ(End(store, SIGTERM), 0);

  for (const int store : {1, 2, 3}) std::filesystem::rename(DataOf(store), DataOf(store) + "-old");
  const std::string folder = directory_.path() + "/copy";
  std::filesystem::copy(Concat(DataOf(static_cast<int>(backup->store_id())), "-old/backups/monday"),
                        folder, std::filesystem::copy_options::recursive);
  const Flags restore = {
      {"--cluster.new", "true"}, {"--cluster.restore", folder}, {"--cluster.id", "2"}};
  Flags wrong = restore;
  wrong["--cluster.id"] = "1";
  EXPECT_TRUE(Contains(Refusal(1, wrong), "another cluster.id"));
  for (const int store : {1, 2, 3}) Start(store, restore);
  RawScanner scanner(*client, {.start = "key-", .end = "key."});
  int found = 0;
  for (auto page = *scanner.Next(); !page.empty(); page = *scanner.Next()) {
    for (const KeyValue& pair : page) {
      EXPECT_EQ(pair, (KeyValue{Concat("key-", 10'000 + found), Concat(found)}));
      ++found;
    }
  }
  EXPECT_GE(found, kPuts);
  EXPECT_TRUE(PutsAtLeader("k", "after"));
  for (const int store : {1, 2, 3}) EXPECT_EQ(End(store, SIGTERM), 0);
  for (const int store : {1, 2, 3}) Start(store, restore);  // changes nothing any more
  EXPECT_EQ(GetAtLeader("k"), "after");
}

TEST_F(Stage2Server, RefusesWritesAndNotReadsWhileItsDiskIsNearlyFull) {
  Start(1, {{"--cluster.new", "true"},
            {"--cluster.stores", Concat("1=", places_[1].address)},
            {"--raft.disk-reserve", "1048576GiB"}});
  EXPECT_EQ(WaitForLeader(), 1);
  EXPECT_TRUE(Eventually([&] {
    const auto error = RegionErrorOf(ClientOf(1, milliseconds(300))->Put("k", "v"));
    return error && Contains(error->server_is_busy().reason(), DataOf(1));
  }));
  EXPECT_EQ(WaitForLeader(), 1);
  EXPECT_TRUE(Contains(StatusOf(1)["store"].value("refuses_writes", ""), "in reserve"));
}

// A real disk of its own, where this user may mount one.
class SmallDisk {
 public:
  explicit SmallDisk(std::string path) : path_(std::move(path)) {
    std::filesystem::create_directories(path_);
    is_mounted_ = mount("tmpfs", path_.c_str(), "tmpfs", 0, "size=64m") == 0;
  }
  ~SmallDisk() {
    if (is_mounted_) umount(path_.c_str());
  }
  SmallDisk(const SmallDisk&) = delete;
  SmallDisk& operator=(const SmallDisk&) = delete;

  bool is_mounted() const { return is_mounted_; }
  // Takes all the room there is, until Release().
  void Fill() {
    std::ofstream file(path_ + "/ballast", std::ios::binary);
    const std::string block(4096, 'x');
    while (file.write(block.data(), static_cast<std::streamsize>(block.size())).flush()) continue;
  }
  void Release() { std::filesystem::remove(path_ + "/ballast"); }

 private:
  const std::string path_;
  bool is_mounted_ = false;
};

TEST_F(Stage2Server, OpensAgainWhenTheDiskThatHasStoppedItHasRoom) {
  SmallDisk disk(directory_.path() + "/disk");
  if (!disk.is_mounted()) GTEST_SKIP() << "only the administrator may mount a disk";
  const Flags flags = {{"--cluster.new", "true"},
                       {"--cluster.stores", Concat("1=", places_[1].address)},
                       {"--data", directory_.path() + "/disk/store"},
                       {"--raft.disk-reserve", "16MiB"}};
  Start(1, flags);
  ASSERT_EQ(WaitForLeader(), 1);
  const auto client = ClientOf(1, seconds(2));
  int acknowledged = 0;
  const auto put = [&] {
    const bool done = client->Put(Concat("k", acknowledged), std::string(1000, 'v')).ok();
    if (done) ++acknowledged;
    return done;
  };
  for (int i = 0; i < 100; ++i) EXPECT_TRUE(put());
  // It looks at the disk once a second. Between two looks, it takes what does not fit any more: not
  // into the room that its log has kept ahead either.
  EXPECT_TRUE(Eventually([&] {
    disk.Release();
    disk.Fill();
    client->Put("large", std::string(1 << 20, 'v')).IgnoreError();
    return StatusOf(1)["store"]["waits_for_room"] == true;
  }));
  disk.Release();
  EXPECT_TRUE(Eventually(put));
  EXPECT_EQ(StatusOf(1)["store"]["error"], "");

  // Also where it starts on a full disk.
  EXPECT_EQ(End(1, SIGKILL), -SIGKILL);
  disk.Fill();
  Start(1, flags);
  EXPECT_TRUE(Eventually([&] { return Contains(running_.at(1)->Errors(), "the disk is full"); }));
  disk.Release();
  EXPECT_TRUE(Eventually(put));
  for (int i = 0; i < acknowledged; ++i) {
    EXPECT_EQ(*client->Get(Concat("k", i)), std::string(1000, 'v')) << i;
  }
}

TEST_F(Stage2Server, DoesNotBeginAnewUnlessItIsTold) {
  EXPECT_TRUE(Contains(Refusal(1), "--cluster.new true"));
  // And what it has not begun, it can still begin.
  Start(1, {{"--cluster.new", "true"}, {"--cluster.stores", Concat("1=", places_[1].address)}});
  EXPECT_EQ(WaitForLeader(), 1);
}

TEST_F(Stage2Server, RefusesDataThatIsNotItsOwnOrNotWhole) {
  const Flags alone = {{"--cluster.stores", Concat("1=", places_[1].address)}};
  Flags begin = alone;
  begin["--cluster.new"] = "true";
  Start(1, begin);
  ASSERT_EQ(WaitForLeader(), 1);
  EXPECT_EQ(End(1, SIGTERM), 0);

  EXPECT_TRUE(Contains(Refusal(1), "has stores 1, 2, 3, and the data in "));
  EXPECT_TRUE(Contains(Refusal(1, {{"--cluster.id", "7"}}),
                       "store 1 of cluster 1, and not of store 1 of cluster 7"));
  EXPECT_TRUE(Contains(Refusal(2, {{"--data", DataOf(1)}}),
                       "store 1 of cluster 1, and not of store 2 of cluster 1"));
  std::filesystem::rename(DataOf(1) + "/raft", directory_.path() + "/raft");
  EXPECT_TRUE(Contains(Refusal(1, alone), "must not vote. Remove all of it"));
  EXPECT_TRUE(Contains(Refusal(1, begin), "must not vote"));
}

TEST_F(Stage2Server, RefusesALogThatIsDamaged) {
  const Flags alone = {{"--cluster.stores", Concat("1=", places_[1].address)}};
  Flags begin = alone;
  begin["--cluster.new"] = "true";
  Start(1, begin);
  ASSERT_EQ(WaitForLeader(), 1);
  const auto client = ClientOf(1, kPatience);
  for (int i = 0; i < 20; ++i) ASSERT_TRUE(client->Put("k", std::string(100, 'v')).ok());
  EXPECT_EQ(End(1, SIGKILL), -SIGKILL);

  std::string log;
  for (const auto& file : std::filesystem::directory_iterator(DataOf(1) + "/raft")) {
    if (file.path().extension() == ".log") log = file.path();
  }
  ASSERT_NE(log, "");
  const std::string content = *ReadFile(PosixFileSystem(), log);
  const size_t end = content.find_last_not_of('\0');  // zeros that the file kept ahead
  std::fstream file(log, std::ios::in | std::ios::out | std::ios::binary);
  file.seekp(static_cast<std::streamoff>(end / 2));
  file.put('x').put('y');
  file.close();
  EXPECT_TRUE(Contains(Refusal(1, alone), log));
}

TEST_F(Stage2Server, IsServedThroughWhicheverStoreIsNamed) {
  StartNewCluster();
  for (const int store : {1, 2, 3}) {
    const auto client = ClientOf(store, kPatience);
    const std::string key = std::to_string(store);
    ASSERT_TRUE(client->Put(key, "v").ok());
    EXPECT_EQ(*client->Get(key), "v");
    RawScanner scanner(*client, {});
    const auto pairs = scanner.Next();
    ASSERT_TRUE(pairs.ok()) << pairs.status();
    EXPECT_EQ(pairs->size(), static_cast<size_t>(store));
  }
}

TEST_F(Stage2Server, LosesNoPutOfALoadWhoseLeaderIsKilled) {
  StartNewCluster();
  const auto client = *RawClient::Open({.address = Addresses(), .deadline = kPatience});
  ASSERT_TRUE(client->Put("first", "v").ok());
  const int killed = WaitForLeader();
  constexpr int kPuts = 2000;
  {
    RawLoader loader(*client, {.puts_max = 64});
    for (int i = 0; i < kPuts; ++i) {
      if (i == kPuts / 2) End(killed, SIGKILL);
      const std::string key = Concat("key-", i);
      ASSERT_TRUE(loader.Put(key, key).ok());
    }
    ASSERT_TRUE(loader.Finish().ok());
    EXPECT_EQ(loader.acknowledged(), static_cast<uint64_t>(kPuts));
  }
  std::map<std::string, std::string> found;
  RawScanner scanner(*client, {.start = "key-", .end = "key."});
  for (auto page = *scanner.Next(); !page.empty(); page = *scanner.Next()) {
    for (const KeyValue& pair : page) found[pair.key] = pair.value;
  }
  EXPECT_EQ(found.size(), static_cast<size_t>(kPuts));
  for (const auto& [key, value] : found) EXPECT_EQ(key, value);
}

TEST_F(Stage2Server, ShowsAnOperatorWhoLeadsAndWhoIsGone) {
  StartNewCluster();
  EXPECT_TRUE(PutsAtLeader("k", "v"));
  const auto look = [&](int store) {
    return *ReadClusterStatus({.address = places_.at(store).address, .deadline = seconds(2)});
  };
  EXPECT_TRUE(Eventually([&] { return look(2).IsWhole(); }));
  const ClusterStatus before = look(2);
  ASSERT_EQ(before.stores.size(), 3u);
  for (const int store : {1, 2, 3}) {
    EXPECT_EQ(before.stores[store - 1].address, places_.at(store).address);
    EXPECT_EQ(before.stores[store - 1].status.peers(0).region().peers_size(), 3);
  }
  const int killed = WaitForLeader();
  EXPECT_EQ(End(killed, SIGKILL), -SIGKILL);
  EXPECT_TRUE(Eventually([&] {
    const ClusterStatus after = look(killed % 3 + 1);
    const RegionLeader* leader = after.LeaderOf(1);
    return leader != nullptr && leader->store_id != 0 &&
           leader->store_id != static_cast<uint64_t>(killed) && !after.IsWhole() &&
           absl::IsUnavailable(after.stores[killed - 1].error);
  }));
  Start(killed);
  EXPECT_TRUE(Eventually([&] { return look(killed).IsWhole(); }));
}

}  // namespace
}  // namespace tinykv
