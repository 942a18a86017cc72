#include "common/client/cluster_status.h"

#include <algorithm>
#include <future>
#include <map>
#include <memory>
#include <utility>

#include "common/client/connection.h"
#include "common/client/store_routes.h"
#include "common/status.h"

namespace tinykv {
namespace {

using Answer = absl::StatusOr<kvrpcpb::StoreStatusResponse>;

// A question that is under way.
struct Question {
  std::string address;
  std::unique_ptr<Connection> connection;
  std::future<Answer> answer;
};

absl::StatusOr<Question> Ask(ClientOptions options, const std::string& address) {
  options.address = address;
  options.attempts_max = 1;
  TKV_ASSIGN_OR_RETURN(auto connection, Connection::Open(options));
  std::promise<Answer> promise;
  Question question = {address, std::move(connection), promise.get_future()};
  question.connection->Start<kvrpcpb::StoreStatusRequest, kvrpcpb::StoreStatusResponse>(
      &Connection::Rpcs::StoreStatus, {}, [promise = std::move(promise)](Answer answer) mutable {
        promise.set_value(std::move(answer));
      });
  return question;
}

StoreCondition ConditionOf(const std::string& address, Answer answer) {
  StoreCondition condition{.address = address};
  if (!answer.ok()) {
    condition.error = answer.status();
  } else if (!answer->error().empty()) {
    condition.error = Internal(address, ": ", answer->error());
  } else {
    condition.store_id = answer->store_id();
    condition.status = *std::move(answer);
  }
  return condition;
}

// What is known while stores are being asked.
class Survey {
 public:
  explicit Survey(const ClientOptions& options) : options_(options) {}

  // Asks all of `addresses` at once, then those that they name and that were not asked, and so on.
  absl::Status Run(std::vector<std::string> addresses) {
    while (!addresses.empty()) {
      std::vector<Question> questions;
      for (const std::string& address : addresses) {
        asked_.push_back(address);
        TKV_ASSIGN_OR_RETURN(Question question, Ask(options_, address));
        questions.push_back(std::move(question));
      }
      for (Question& question : questions) {
        TKV_RETURN_IF_ERROR(Add(ConditionOf(question.address, question.answer.get())));
      }
      addresses = NotAsked();
    }
    return absl::OkStatus();
  }

  ClusterStatus Result() && {
    NameTheSilent();
    std::stable_sort(stores_.begin(), stores_.end(), [](const auto& a, const auto& b) {
      return a.store_id - 1 < b.store_id - 1;  // 0 comes last
    });
    std::vector<RegionLeader> regions = Regions();
    return {.stores = std::move(stores_), .regions = std::move(regions)};
  }

 private:
  absl::Status Add(StoreCondition condition) {
    if (condition.error.ok()) {
      for (const StoreCondition& other : stores_) {
        if (!other.error.ok()) continue;
        if (other.status.cluster_id() != condition.status.cluster_id()) {
          return FailedPrecondition("the store at ", other.address, " is of cluster ",
                                    other.status.cluster_id(), ", the one at ", condition.address,
                                    " of cluster ", condition.status.cluster_id());
        }
        if (other.store_id == condition.store_id) return absl::OkStatus();  // it has two names
      }
      for (const metapb::Store& store : condition.status.stores()) {
        ids_.try_emplace(store.address(), store.id());
      }
    }
    stores_.push_back(std::move(condition));
    return absl::OkStatus();
  }

  // Addresses that a store has named. Nonsense among them is not asked.
  std::vector<std::string> NotAsked() const {
    std::vector<std::string> addresses;
    for (const auto& [address, id] : ids_) {
      const bool is_new = std::find(asked_.begin(), asked_.end(), address) == asked_.end() &&
                          std::none_of(stores_.begin(), stores_.end(),
                                       [&](const auto& store) { return store.store_id == id; });
      if (is_new && CheckStoreAddress(address).ok() &&
          asked_.size() + addresses.size() < StoreRoutes::kRoutesMax) {
        addresses.push_back(address);
      }
    }
    return addresses;
  }

  void NameTheSilent() {
    for (StoreCondition& store : stores_) {
      const auto known = ids_.find(store.address);
      if (store.store_id == 0 && known != ids_.end()) store.store_id = known->second;
    }
  }

  std::vector<RegionLeader> Regions() const;

  const ClientOptions options_;
  std::vector<std::string> asked_;
  std::vector<StoreCondition> stores_;
  std::map<std::string, uint64_t> ids_;  // of stores, by their addresses
};

std::vector<RegionLeader> Survey::Regions() const {
  std::map<uint64_t, RegionLeader> regions;
  for (const StoreCondition& store : stores_) {
    for (const kvrpcpb::PeerStatus& peer : store.status.peers()) {
      RegionLeader& found = regions[peer.region().id()];
      found.region_id = peer.region().id();
      if (peer.role() != "leader" || (found.store_id != 0 && peer.term() < found.term)) continue;
      found.store_id = store.store_id;
      found.term = peer.term();
      found.committed = peer.committed();
    }
  }
  std::vector<RegionLeader> list;
  list.reserve(regions.size());
  for (const auto& [id, region] : regions) list.push_back(region);
  return list;
}

}  // namespace

const RegionLeader* ClusterStatus::LeaderOf(uint64_t region_id) const {
  const auto found = std::find_if(regions.begin(), regions.end(), [&](const RegionLeader& region) {
    return region.region_id == region_id;
  });
  return found == regions.end() ? nullptr : &*found;
}

bool ClusterStatus::IsWhole() const {
  return !regions.empty() &&
         std::all_of(regions.begin(), regions.end(),
                     [](const RegionLeader& region) { return region.store_id != 0; }) &&
         std::all_of(stores.begin(), stores.end(), [](const StoreCondition& store) {
           return store.error.ok() && store.status.stopped().empty();
         });
}

absl::StatusOr<ClusterStatus> ReadClusterStatus(const ClientOptions& options) {
  TKV_ASSIGN_OR_RETURN(auto addresses, ParseStoreAddresses(options.address));
  Survey survey(options);
  TKV_RETURN_IF_ERROR(survey.Run(std::move(addresses)));
  return std::move(survey).Result();
}

}  // namespace tinykv
