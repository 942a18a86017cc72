#include "graders/bench/calls.h"

#include <grpcpp/create_channel_posix.h>
#include <grpcpp/grpcpp.h>

#include <asio/connect.hpp>
#include <asio/io_context.hpp>
#include <asio/ip/tcp.hpp>
#include <atomic>
#include <cstdio>
#include <functional>
#include <utility>

#include "common/address.h"
#include "common/random.h"
#include "common/status.h"
#include "echo.grpc.pb.h"
#include "etcd_kv.grpc.pb.h"
#include "proto/tinykvpb.grpc.pb.h"

namespace tinykv::bench {
namespace {

std::string KeyOf(const std::string& prefix, uint64_t number) {
  char digits[32];
  std::snprintf(digits, sizeof(digits), "%012llu", static_cast<unsigned long long>(number));
  return prefix + digits;
}

// The key of the next call.
using KeySource = std::function<std::string(Random&)>;

KeySource Keys(const CallOptions& options) {
  if (!options.in_order) {
    return [prefix = options.key_prefix, keys = options.keys](Random& random) {
      return KeyOf(prefix, random.Uniform(keys));
    };
  }
  auto next = std::make_shared<std::atomic<uint64_t>>(0);
  return [prefix = options.key_prefix, keys = options.keys, next = std::move(next)](Random&) {
    return KeyOf(prefix, next->fetch_add(1) % keys);
  };
}

// All that the calls of one kind share, and what each in flight owns, which is reused from call to
// call.
template <typename Service, typename Request, typename Response>
class Calls {
 public:
  using Stub = typename Service::Stub;

  struct Slot {
    Stub* stub = nullptr;
    Random random{0};
    Request request = {};
    Response response = {};
    std::unique_ptr<grpc::ClientContext> context = nullptr;
    Done done = nullptr;
  };

  struct Functions {
    std::function<void(Random&, Request&)> fill;
    std::function<void(Slot&, std::function<void(grpc::Status)>)> call;
    std::function<std::string(const Response&)> check;  // "" or what is wrong
  };

  Calls(const Channels& channels, uint32_t in_flight, Functions functions)
      : functions_(std::move(functions)), slots_(in_flight) {
    for (const auto& channel : channels) stubs_.push_back(Service::NewStub(channel));
    for (size_t i = 0; i < slots_.size(); ++i) {
      slots_[i].stub = stubs_[i % stubs_.size()].get();
      slots_[i].random = Random(i + 1);
    }
  }

  void Start(uint32_t index, Done done) {
    Slot& slot = slots_[index];
    slot.done = std::move(done);
    slot.context = std::make_unique<grpc::ClientContext>();
    slot.response.Clear();
    functions_.fill(slot.random, slot.request);
    functions_.call(slot, [this, &slot](const grpc::Status& status) {
      std::string error = status.ok() ? functions_.check(slot.response) : status.error_message();
      std::exchange(slot.done, nullptr)(std::move(error));
    });
  }

  // As a StartCall, which owns the calls.
  static StartCall Make(const Channels& channels, uint32_t in_flight, Functions functions) {
    auto calls = std::make_shared<Calls>(channels, in_flight, std::move(functions));
    return [calls](uint32_t slot, Done done) { calls->Start(slot, std::move(done)); };
  }

 private:
  const Functions functions_;
  std::vector<std::unique_ptr<Stub>> stubs_;
  std::vector<Slot> slots_;
};

// What a get, or a put, asks for: both services call the fields alike.
template <typename Request>
std::function<void(Random&, Request&)> FillGet(const CallOptions& options) {
  return [key = Keys(options)](Random& random, Request& request) { request.set_key(key(random)); };
}

template <typename Request>
std::function<void(Random&, Request&)> FillPut(const CallOptions& options) {
  return [key = Keys(options), value = std::string(options.value_bytes, 'v')](Random& random,
                                                                              Request& request) {
    request.set_key(key(random));
    request.set_value(value);
  };
}

std::string ErrorOf(const std::string& error, bool region_error) {
  return region_error ? "region error" : error;
}

std::string CheckSize(size_t found, size_t wanted) {
  return found == wanted ? "" : "a loaded key is not found, or its value has another size";
}

absl::StatusOr<int> OpenSocket(const std::string& text) {
  TKV_ASSIGN_OR_RETURN(const Address address, ParseAddress(text));
  asio::io_context context;
  asio::ip::tcp::socket socket(context);
  asio::error_code error;
  const auto found =
      asio::ip::tcp::resolver(context).resolve(address.host, Concat(address.port), error);
  if (!error) asio::connect(socket, found, error);
  if (!error) socket.set_option(asio::ip::tcp::no_delay(true), error);
  if (!error) socket.native_non_blocking(true, error);
  if (error) return Unavailable("cannot connect to ", text, ": ", error.message());
  return socket.release();
}

}  // namespace

absl::StatusOr<Channels> Connect(const std::string& address, uint32_t count) {
  Channels channels;
  for (uint32_t i = 0; i < count; ++i) {
    // The generator shares the machine with what it measures, so a call of it is to cost little: no
    // name to resolve again, no other server to choose, no retry, no filter that is not needed.
    TKV_ASSIGN_OR_RETURN(const int socket, OpenSocket(address));
    grpc::ChannelArguments arguments;
    arguments.SetInt(GRPC_ARG_MINIMAL_STACK, 1);
    channels.push_back(grpc::CreateCustomInsecureChannelFromFd(address, socket, arguments));
  }
  return channels;
}

size_t KeyBytes(const CallOptions& options) { return KeyOf(options.key_prefix, 0).size(); }

StartCall EchoCalls(const Channels& channels, const CallOptions& options) {
  using C = Calls<Echo, EchoMessage, EchoMessage>;
  return C::Make(channels, options.in_flight,
                 {.fill = [](Random&, EchoMessage&) {},
                  .call =
                      [](C::Slot& s, auto done) {
                        s.stub->async()->Echo(s.context.get(), &s.request, &s.response,
                                              std::move(done));
                      },
                  .check = [](const EchoMessage&) { return std::string(); }});
}

StartCall RawGetCalls(const Channels& channels, const CallOptions& options) {
  using C = Calls<tinykvpb::TinyKv, kvrpcpb::RawGetRequest, kvrpcpb::RawGetResponse>;
  return C::Make(channels, options.in_flight,
                 {.fill = FillGet<kvrpcpb::RawGetRequest>(options),
                  .call =
                      [](C::Slot& s, auto done) {
                        s.stub->async()->RawGet(s.context.get(), &s.request, &s.response,
                                                std::move(done));
                      },
                  .check =
                      [size = options.value_bytes](const kvrpcpb::RawGetResponse& response) {
                        std::string error = ErrorOf(response.error(), response.has_region_error());
                        return error.empty() ? CheckSize(response.value().size(), size) : error;
                      }});
}

StartCall RawPutCalls(const Channels& channels, const CallOptions& options) {
  using C = Calls<tinykvpb::TinyKv, kvrpcpb::RawPutRequest, kvrpcpb::RawPutResponse>;
  return C::Make(channels, options.in_flight,
                 {.fill = FillPut<kvrpcpb::RawPutRequest>(options),
                  .call =
                      [](C::Slot& s, auto done) {
                        s.stub->async()->RawPut(s.context.get(), &s.request, &s.response,
                                                std::move(done));
                      },
                  .check =
                      [](const kvrpcpb::RawPutResponse& response) {
                        return ErrorOf(response.error(), response.has_region_error());
                      }});
}

StartCall EtcdGetCalls(const Channels& channels, const CallOptions& options) {
  using C = Calls<etcdserverpb::KV, etcdserverpb::RangeRequest, etcdserverpb::RangeResponse>;
  return C::Make(
      channels, options.in_flight,
      {.fill = FillGet<etcdserverpb::RangeRequest>(options),
       .call =
           [](C::Slot& s, auto done) {
             s.stub->async()->Range(s.context.get(), &s.request, &s.response, std::move(done));
           },
       .check =
           [size = options.value_bytes](const etcdserverpb::RangeResponse& response) {
             return CheckSize(response.kvs_size() == 1 ? response.kvs(0).value().size() : 0, size);
           }});
}

StartCall EtcdPutCalls(const Channels& channels, const CallOptions& options) {
  using C = Calls<etcdserverpb::KV, etcdserverpb::PutRequest, etcdserverpb::PutResponse>;
  return C::Make(channels, options.in_flight,
                 {.fill = FillPut<etcdserverpb::PutRequest>(options),
                  .call =
                      [](C::Slot& s, auto done) {
                        s.stub->async()->Put(s.context.get(), &s.request, &s.response,
                                             std::move(done));
                      },
                  .check = [](const etcdserverpb::PutResponse&) { return std::string(); }});
}

StartCall MixedCalls(const CallOptions& options, uint32_t percent, StartCall most, StartCall rest) {
  auto randoms = std::make_shared<std::vector<Random>>();
  for (uint32_t i = 0; i < options.in_flight; ++i) randoms->push_back(Random(i + 1));
  return
      [percent, randoms, most = std::move(most), rest = std::move(rest)](uint32_t slot, Done done) {
        const bool is_most = (*randoms)[slot].Percent(percent);
        (is_most ? most : rest)(slot, std::move(done));
      };
}

}  // namespace tinykv::bench
