#include "stage2-raftkv/raftstore/store.h"

#include <utility>

#include "common/log.h"
#include "common/status.h"
#include "common/storage/region_error.h"
#include "stage2-raftkv/raft/wire.h"
#include "stage2-raftkv/raftstore/region.h"
#include "stage2-raftkv/raftstore/stored_message.h"

namespace tinykv::raftstore {
namespace {

absl::StatusOr<Incoming> Decode(raft_serverpb::RaftMessage message, StoreId store) {
  if (message.to_peer().store_id() != store) {
    return InvalidArgument("a message for store ", message.to_peer().store_id(), " came to store ",
                           store);
  }
  return Incoming{.region = message.region_id(),
                  .from = message.from_peer(),
                  .to = message.to_peer(),
                  .message = raft::FromWire(message.message())};
}

// What would be written to the disk: all else that others say is short.
bool NeedsRoom(const raft::Message& message) {
  return !message.entries.empty() || message.type == raft::MessageType::kSnapshot;
}

void LogRefused(const absl::Status& status) {
  log::Warning("refused a message", {{"error", status}});
}

}  // namespace

absl::StatusOr<std::unique_ptr<Store>> Store::Open(const StoreOptions& options,
                                                   const StoreDoors& doors,
                                                   AdminHandlers handlers) {
  std::unique_ptr<Store> store(new Store(options, doors, std::move(handlers)));
  TKV_RETURN_IF_ERROR(store->LoadPeers());
  store->Start();
  return store;
}

Store::Store(const StoreOptions& options, const StoreDoors& doors, AdminHandlers handlers)
    : options_(options),
      doors_(doors),
      handlers_(std::move(handlers)),
      room_(std::make_shared<DiskRoom>(doors.room)),
      applier_(doors.engines.kv, handlers_, doors.apply,
               {.applied = [this](Applied applied) { Post(std::move(applied)); },
                .failed = [this](absl::Status status) { Post(Failed{std::move(status)}); }}),
      services_{.options = options_,
                .clock = doors_.clock,
                .transport = doors_.transport,
                .applier = applier_,
                .snapshots = doors_.snapshots,
                .handlers = handlers_,
                .views = views_,
                .room = *room_,
                .build_snapshot = [this](RegionId region) { BuildSnapshot(region); },
                .transfer_ended = nullptr},
      inbox_(std::make_shared<Inbox<Message>>(
          doors.raft, [this](std::vector<Message> messages) { Handle(std::move(messages)); })),
      builder_(std::make_shared<Inbox<Capture>>(
          doors.snapshot, [this](std::vector<Capture> captures) { Build(std::move(captures)); })) {
  // A transfer may end after the store: so it knows the inbox, and not the store.
  services_.transfer_ended = [inbox = inbox_](RegionId region, raft::PeerId to,
                                              absl::Status status) {
    inbox->Post(TransferOver{region, to, std::move(status)});
  };
}

Store::~Store() { Close(); }

absl::Status Store::LoadPeers() {
  TKV_ASSIGN_OR_RETURN(const auto states, ReadRegionStates(doors_.engines.kv));
  for (const raft_serverpb::RegionLocalState& local : states) {
    if (local.state() != raft_serverpb::Normal) continue;
    const RegionId region = local.region().id();
    TKV_ASSIGN_OR_RETURN(LoadedPeer loaded, PeerStorage::Load(doors_.engines, region));
    if (FindPeerOnStore(loaded.region, id()) == nullptr) {
      return DataLoss(NameOf(region), " has no peer on store ", id(), ", which has its data");
    }
    peers_[region] = std::make_unique<Peer>(services_, std::move(loaded));
  }
  return absl::OkStatus();
}

void Store::Start() {
  doors_.transport.SetReceiver([inbox = inbox_, store = id()](StoreId, const std::string& bytes) {
    raft_serverpb::RaftMessage message;
    if (!message.ParseFromString(bytes)) {
      return LogRefused(InvalidArgument("it is no RaftMessage"));
    }
    auto incoming = Decode(std::move(message), store);
    if (!incoming.ok()) return LogRefused(incoming.status());
    inbox->Post(*std::move(incoming));
  });
  doors_.transport.SetAcceptor(
      [inbox = inbox_, room = room_, store = id(),
       &snapshots = doors_.snapshots](StoreId) -> absl::StatusOr<std::unique_ptr<ChunkSink>> {
        if (!room->MayFollow()) return room->MayPropose();
        return snapshots.Receive([inbox, store](ReceivedSnapshot received) {
          auto incoming = Decode(std::move(received.message), store);
          if (!incoming.ok()) return LogRefused(incoming.status());
          incoming->files = std::move(received.files);
          inbox->Post(*std::move(incoming));
        });
      });
  inbox_->PostAfter(options_.tick_interval, Ticked{});
}

// ---- from any thread ----

void Store::Propose(raft_cmdpb::RaftCmdRequest request, CommandDone done) {
  std::string data = request.SerializeAsString();
  const uint64_t bytes = data.size();
  if (bytes > options_.command_bytes_max) {
    return done(InvalidArgument("the command has ", bytes, " bytes; the limit is ",
                                options_.command_bytes_max));
  }
  if (absl::Status full = room_->MayPropose(); !full.ok()) return done(std::move(full));
  if (waiting_bytes_.fetch_add(bytes) + bytes > options_.waiting_bytes_max) {
    waiting_bytes_.fetch_sub(bytes);
    return done(ServerIsBusy(
        Concat("commands of ", options_.waiting_bytes_max, " bytes wait to be replicated")));
  }
  Post(Command{.request = std::move(request),
               .data = std::move(data),
               .done = [this, bytes, done = std::move(done)](absl::Status status) mutable {
                 waiting_bytes_.fetch_sub(bytes);
                 done(std::move(status));
               }});
}

void Store::AskToRead(raft_cmdpb::RaftRequestHeader header, ReadDone done) {
  Post(Read{.header = std::move(header), .done = std::move(done)});
}

void Store::Inspect(
    absl::AnyInvocable<void(const std::map<RegionId, std::unique_ptr<Peer>>&)> look) {
  Post(Look{std::move(look)});
}

absl::Status Store::status() const {
  MutexLock lock(mutex_);
  return status_;
}

void Store::Close() {
  inbox_->Close();
  builder_->Close();
  applier_.Close();
  for (const auto& [region, peer] : peers_) peer->GiveUp("the store is shutting down");
}

// ---- of the actor ----

void Store::Handle(std::vector<Message> messages) {
  Touched touched;
  for (Message& message : messages) {
    if (status().ok()) {
      HandleOne(message, touched);
    } else {
      Refuse(message);
    }
  }
  while (status().ok() && WriteReadies(touched)) {
  }
}

void Store::HandleOne(Message& message, Touched& touched) {
  if (auto* incoming = std::get_if<Incoming>(&message)) {
    if (NeedsRoom(incoming->message) && !room_->MayFollow()) return;
    if (Peer* peer = Touch(incoming->region, touched)) peer->Step(std::move(*incoming));
  } else if (auto* command = std::get_if<Command>(&message)) {
    const RegionId region = command->request.header().region_id();
    if (Peer* peer = Touch(region, touched)) return peer->Propose(std::move(*command));
    command->done(RegionNotFound(region, id()));
  } else if (auto* read = std::get_if<Read>(&message)) {
    const RegionId region = read->header.region_id();
    if (Peer* peer = Touch(region, touched)) return peer->AskToRead(std::move(*read));
    read->done(RegionNotFound(region, id()));
  } else if (auto* applied = std::get_if<Applied>(&message)) {
    if (Peer* peer = Touch(applied->region, touched)) peer->OnApplied(*applied);
  } else if (std::holds_alternative<Ticked>(message)) {
    TickAll(touched);
  } else if (auto* built = std::get_if<Built>(&message)) {
    if (Peer* peer = Touch(built->region, touched)) peer->SnapshotBuilt(std::move(built->built));
  } else if (auto* over = std::get_if<TransferOver>(&message)) {
    if (Peer* peer = Touch(over->region, touched)) peer->TransferEnded(over->to, over->status);
  } else if (auto* look = std::get_if<Look>(&message)) {
    look->look(peers_);
  } else if (auto* failed = std::get_if<Failed>(&message)) {
    Fail(std::move(failed->status));
  }
}

void Store::TickAll(Touched& touched) {
  room_->Check(doors_.clock.Now());
  for (const auto& [region, peer] : peers_) Touch(region, touched)->Tick();
  // From now on, not from when it was due: ticks may come late, but never early.
  inbox_->PostAfter(options_.tick_interval, Ticked{});
}

Peer* Store::Touch(RegionId region, Touched& touched) {
  const auto found = peers_.find(region);
  if (found == peers_.end()) return nullptr;
  touched[region] = found->second.get();
  return found->second.get();
}

bool Store::WriteReadies(const Touched& touched) {
  lsm::WriteBatch batch;
  bool must_sync = false;
  std::vector<Peer*> writing;
  for (const auto& [region, peer] : touched) {
    if (peer->BeginWrite(batch, &must_sync)) writing.push_back(peer);
  }
  if (!batch.empty()) {
    const absl::Status status = doors_.engines.raft.Write({.sync = must_sync}, batch);
    if (!status.ok()) {
      Fail(status);
      return false;
    }
  }
  bool has_more = false;
  for (Peer* peer : writing) {
    peer->EndWrite();
    has_more = has_more || peer->HasWork();
  }
  return has_more;
}

void Store::Fail(absl::Status status) {
  log::Error("the store has stopped", {{"store", id()}, {"error", status}});
  {
    MutexLock lock(mutex_);
    status_ = std::move(status);
  }
  views_.Clear();
  for (const auto& [region, peer] : peers_) peer->GiveUp("the store has stopped");
}

void Store::Refuse(Message& message) {
  const absl::Status why = ServerIsBusy(MessageOf(status()));
  if (auto* command = std::get_if<Command>(&message)) {
    command->done(why);
  } else if (auto* read = std::get_if<Read>(&message)) {
    read->done(why);
  } else if (auto* look = std::get_if<Look>(&message)) {
    look->look(peers_);
  }
}

// ---- snapshots ----

void Store::BuildSnapshot(RegionId region) {
  applier_.Capture({.region = region,
                    .take = [builder = builder_](const AppliedRegion& applied,
                                                 std::unique_ptr<const lsm::Snapshot> moment) {
                      builder->Post({applied, std::move(moment)});
                    }});
}

void Store::Build(std::vector<Capture> captures) {
  for (Capture& capture : captures) {
    auto built = doors_.snapshots.Build(capture.region, *capture.moment);
    capture.moment.reset();
    Post(Built{capture.region.region.id(), std::move(built)});
  }
}

}  // namespace tinykv::raftstore
