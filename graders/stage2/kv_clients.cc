#include "graders/stage2/kv_clients.h"

#include <algorithm>
#include <asio/co_spawn.hpp>
#include <utility>

#include "common/env/coroutine.h"
#include "common/status.h"
#include "common/storage/region_error.h"
#include "common/strings.h"

namespace tinykv::grading {
namespace {

using std::chrono::milliseconds;

constexpr Duration kPatience = milliseconds(2000);
constexpr Duration kBackOff = milliseconds(40);

std::string KeyName(uint64_t key) { return Concat("k", key); }

const char* VerbOf(check::Operation::Type type) {
  switch (type) {
    case check::Operation::Type::kGet:
      return "gets";
    case check::Operation::Type::kPut:
      return "puts";
    case check::Operation::Type::kDelete:
      return "deletes";
  }
  return "?";
}

// The term in which it leads the region, if it does.
std::optional<raft::Term> TermLedBy(StoreProcess& store) {
  if (!store.error().ok()) return std::nullopt;
  const raftstore::Peer* peer = store.store().peer(1);
  const bool leads = peer != nullptr && peer->core().role() == raft::Role::kLeader;
  return leads ? std::optional(peer->core().term()) : std::nullopt;
}

bool IsStaleCommand(const absl::Status& status) {
  const auto error = RegionErrorOf(status);
  return error && error->has_stale_command();
}

std::string TextOf(const std::optional<std::string>& value) {
  return value ? Quote(*value) : "nothing";
}

}  // namespace

KvClients::KvClients(sim::World& world, const KvPlan& plan, Stores stores)
    : world_(world), plan_(plan), stores_(std::move(stores)), random_(plan.seed ^ 0x22) {
  for (uint64_t i = 0; i < plan.clients; ++i) clients_.push_back({.random = random_.Fork()});
}

void KvClients::Start() {
  stopped_ = false;
  for (size_t number = 0; number < clients_.size(); ++number) ScheduleNext(number);
}

bool KvClients::idle() const {
  return std::none_of(clients_.begin(), clients_.end(),
                      [](const Client& client) { return client.busy; });
}

void KvClients::ExpectProgress() {
  for (Client& client : clients_) client.put_done = client.get_done = false;
}

bool KvClients::all_progressed() const {
  return std::all_of(clients_.begin(), clients_.end(),
                     [](const Client& client) { return client.put_done && client.get_done; });
}

void KvClients::ReadAll() {
  for (uint64_t key = 1; key <= plan_.keys; ++key) {
    clients_.push_back({.random = random_.Fork(), .reads_all = true});
    Begin(clients_.size() - 1, {.type = Type::kGet, .key = KeyName(key)});
  }
}

std::string KvClients::Describe() const {
  std::string text;
  for (size_t number = 0; number < clients_.size(); ++number) {
    const Client& client = clients_[number];
    if (!client.busy) continue;
    text +=
        Concat(text.empty() ? "" : "; ", "client ", number + 1, ' ', VerbOf(client.request.type),
               ' ', client.request.key, " at store ", client.target,
               ", last told: ", client.last_trouble.empty() ? "nothing" : client.last_trouble);
  }
  return text.empty() ? "all clients have their answers" : text;
}

// ---- a client ----

void KvClients::ScheduleNext(size_t number) {
  Client& client = clients_[number];
  if (client.reads_all) return;
  const auto pause = milliseconds(client.random.Between(1, std::max(plan_.pause_ms, 2u)));
  world_.After(pause, [this, number] {
    Client& next = clients_[number];
    if (stopped_ || next.busy) return;
    const uint64_t drawn = next.random.Uniform(10);
    Request request{.key = KeyName(next.random.Between(1, plan_.keys))};
    if (drawn < 5) {
      request.type = Type::kGet;
      // Who was the leader, and does not know yet that it is no more, is asked for what it has.
      if (next.random.Percent(plan_.stray_percent))
        next.target = next.random.Between(1, plan_.stores);
    } else if (drawn < 9) {
      request.type = Type::kPut;
      request.value = Concat("v", ++values_);
      if (request.value.size() < plan_.value_bytes) request.value.resize(plan_.value_bytes, '.');
    } else {
      request.type = Type::kDelete;
    }
    Begin(number, std::move(request));
  });
}

void KvClients::Begin(size_t number, Request request) {
  Client& client = clients_[number];
  client.busy = true;
  client.last_trouble.clear();
  client.request = std::move(request);
  check::Operation operation{.client = static_cast<int>(number) + 1,
                             .type = client.request.type,
                             .key = client.request.key};
  if (client.request.type == Type::kPut) operation.value = client.request.value;
  client.operation = recorder_.Call(operation);
  Send(number);
}

void KvClients::Send(size_t number) {
  Client& client = clients_[number];
  const uint64_t attempt = ++client.attempt;
  Note(number, Concat(VerbOf(client.request.type), ' ', client.request.key, ' ',
                      client.request.value, " at store ", client.target));
  if (!client.random.Percent(plan_.loss_percent)) {
    world_.After(Delay(), [this, number, attempt] { Arrive(number, attempt); });
  }
  world_.After(PatienceOf(number), [this, number, attempt] {
    if (clients_[number].attempt != attempt || !clients_[number].busy) return;
    OnReply(number, DeadlineExceeded("no answer"));
  });
}

void KvClients::Arrive(size_t number, uint64_t attempt) {
  Client& client = clients_[number];
  StoreProcess* store = stores_.find(client.target);
  if (store == nullptr || client.attempt != attempt) {
    return Answer(number, attempt, ServerIsBusy("nobody is there"));
  }
  if (!store->error().ok() && stores_.may_fail(client.target)) {
    return Answer(number, attempt, ServerIsBusy("the store has stopped"));
  }
  store->requests().Post([this, number, attempt, store, request = client.request,
                          context = ContextOf(client, number)] {
    ++store->unanswered;
    asio::co_spawn(AsioExecutor(store->requests()), Serve(*store, request, context),
                   [this, number, attempt, store, term = TermLedBy(*store)](
                       const std::exception_ptr& error, Reply reply) {
                     --store->unanswered;
                     if (error != nullptr) exception_ = error;
                     CheckStale(*store, term, reply.status());
                     Answer(number, attempt, std::move(reply));
                   });
  });
}

// Half of the clients route, the others have no idea of regions.
kvrpcpb::Context KvClients::ContextOf(const Client& client, size_t number) const {
  kvrpcpb::Context context;
  if (number % 2 == 0) return context;
  context.set_region_id(1);
  context.mutable_region_epoch()->set_conf_ver(1);
  context.mutable_region_epoch()->set_version(1);
  context.mutable_peer()->set_id(client.target);
  context.mutable_peer()->set_store_id(client.target);
  return context;
}

asio::awaitable<KvClients::Reply> KvClients::Serve(StoreProcess& store, Request request,
                                                   kvrpcpb::Context context) {
  constexpr ColumnFamily kFamilies[] = {ColumnFamily::kDefault, ColumnFamily::kLock};
  if (request.type != Type::kGet) {
    WriteSet writes;
    for (const ColumnFamily family : kFamilies) {
      if (request.type == Type::kPut) writes.Put(family, request.key, request.value);
      if (request.type == Type::kDelete) writes.Delete(family, request.key);
    }
    TKV_CO_RETURN_IF_ERROR(co_await store.storage().Write(context, std::move(writes)));
    co_return std::nullopt;
  }
  TKV_CO_ASSIGN_OR_RETURN(const auto reader, co_await store.storage().Reader(context));
  TKV_CO_ASSIGN_OR_RETURN(const auto first, reader->Get(kFamilies[0], request.key));
  TKV_CO_ASSIGN_OR_RETURN(const auto second, reader->Get(kFamilies[1], request.key));
  if (first != second) {
    co_return DataLoss("one reader found ", TextOf(first), " at cf default ", request.key, " and ",
                       TextOf(second), " at cf lock ", request.key,
                       "; every write set gives both the same value");
  }
  co_return first;
}

// While a leader leads, nobody else's entry takes the place of one of its own.
void KvClients::CheckStale(StoreProcess& store, std::optional<raft::Term> term,
                           const absl::Status& status) {
  const bool has_led = term && stores_.find(store.id()) == &store && TermLedBy(store) == term;
  if (!has_led || !IsStaleCommand(status)) return;
  finding_ = Wrong(Concat("store ", store.id(), ", which led all the time, in term ", *term,
                          ", has told a client that its command is stale: ", MessageOf(status)));
}

void KvClients::Answer(size_t number, uint64_t attempt, Reply reply) {
  if (random_.Percent(plan_.loss_percent)) return;
  world_.After(Delay(), [this, number, attempt, reply = std::move(reply)] {
    if (clients_[number].attempt == attempt && clients_[number].busy) {
      OnReply(number, reply);
    }
  });
}

void KvClients::OnReply(size_t number, const Reply& reply) {
  Client& client = clients_[number];
  if (reply.ok()) {
    ++answered_;
    if (client.request.type == Type::kGet) {
      client.get_done = true;
      recorder_.Return(client.operation, *reply);
      Note(number, Concat("gets ", client.request.key, ": ", TextOf(*reply)));
    } else {
      client.put_done = true;
      recorder_.Return(client.operation);
      Note(number, Concat("is told OK"));
    }
    return End(number);
  }
  client.last_trouble = std::string(MessageOf(reply.status()));
  Note(number, Concat("is told: ", client.last_trouble));
  if (const auto error = RegionErrorOf(reply.status())) return OnRegionError(number, *error);
  if (absl::IsDataLoss(reply.status())) finding_ = Wrong(client.last_trouble);
  if (absl::IsInvalidArgument(reply.status())) {
    finding_ = Wrong(Concat("a right request was refused: ", client.last_trouble));
  }
  // No answer, or a store that broke down in the middle.
  client.target = client.random.Between(1, plan_.stores);
  if (client.request.type == Type::kGet) return Retry(number);
  End(number);
}

void KvClients::OnRegionError(size_t number, const errorpb::Error& error) {
  Client& client = clients_[number];
  if (error.has_stale_command()) {
    // A put may be done all the same: what became of it, nobody knows.
    return client.request.type == Type::kGet ? Retry(number) : End(number);
  }
  if (error.has_not_leader() && error.not_leader().has_leader()) {
    client.target = error.not_leader().leader().store_id();
  } else if (error.has_not_leader() || error.has_server_is_busy()) {
    client.target = client.random.Between(1, plan_.stores);
  } else {
    finding_ =
        Wrong(Concat("a client got a region error that nothing here calls for: ", error.message()));
  }
  Retry(number);
}

// Nothing was done: the same operation goes on.
void KvClients::Retry(size_t number) {
  const uint64_t attempt = ++clients_[number].attempt;
  world_.After(kBackOff, [this, number, attempt] {
    if (clients_[number].attempt == attempt && clients_[number].busy) Send(number);
  });
}

void KvClients::End(size_t number) {
  clients_[number].busy = false;
  ++clients_[number].attempt;
  ScheduleNext(number);
}

void KvClients::Note(size_t number, const std::string& text) {
  world_.trace().AddNote(world_.clock().Now(), 0, Concat("client ", number + 1, ' ', text));
}

// One client may be impatient: many would leave more writes in doubt than a history can be checked
// with.
Duration KvClients::PatienceOf(size_t number) const {
  return number == 0 ? milliseconds(plan_.patience_ms) : kPatience;
}

Duration KvClients::Delay() { return milliseconds(random_.Between(1, 4)); }

}  // namespace tinykv::grading
