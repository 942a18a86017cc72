#include "graders/bench/calls.h"

#include <atomic>
#include <cstdio>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "common/random.h"
#include "echo.pb.h"
#include "etcd_kv.pb.h"
#include "proto/kvrpcpb.pb.h"

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
template <typename Request, typename Response>
class Calls {
 public:
  struct Kind {
    std::string path;  // "/package.Service/Method"
    std::function<void(Random&, Request&)> fill;
    std::function<std::string(const Response&)> check;  // "" or what is wrong
  };

  Calls(UnaryClient& client, uint32_t in_flight, Kind kind)
      : client_(client), kind_(std::move(kind)), slots_(in_flight) {
    for (size_t i = 0; i < slots_.size(); ++i) slots_[i].random = Random(i + 1);
  }

  void Start(uint32_t index, Done done) {
    Slot& slot = slots_[index];
    slot.done = std::move(done);
    kind_.fill(slot.random, slot.request);
    client_.Call(index, kind_.path, slot.request.SerializeAsString(),
                 [this, &slot](const absl::StatusOr<std::string>& message) {
                   std::exchange(slot.done, nullptr)(Outcome(slot, message));
                 });
  }

  // As a StartCall, which owns the calls.
  static StartCall Make(UnaryClient& client, uint32_t in_flight, Kind kind) {
    auto calls = std::make_shared<Calls>(client, in_flight, std::move(kind));
    return [calls](uint32_t slot, Done done) { calls->Start(slot, std::move(done)); };
  }

 private:
  struct Slot {
    Random random{0};
    Request request = {};
    Response response = {};
    Done done = nullptr;
  };

  // "" or what is wrong.
  std::string Outcome(Slot& slot, const absl::StatusOr<std::string>& message) const {
    if (!message.ok()) return std::string(message.status().message());
    if (!slot.response.ParseFromString(*message)) return kind_.path + ": no such message";
    return kind_.check(slot.response);
  }

  UnaryClient& client_;
  const Kind kind_;
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

std::string ResponseError(const std::string& error, bool region_error) {
  return region_error ? "region error" : error;
}

std::string CheckSize(size_t found, size_t wanted) {
  return found == wanted ? "" : "a loaded key is not found, or its value has another size";
}

}  // namespace

size_t KeyBytes(const CallOptions& options) { return KeyOf(options.key_prefix, 0).size(); }

StartCall EchoCalls(UnaryClient& client, const CallOptions& options) {
  using C = Calls<EchoMessage, EchoMessage>;
  return C::Make(client, options.in_flight,
                 {.path = "/tinykv.bench.Echo/Echo",
                  .fill = [](Random&, EchoMessage&) {},
                  .check = [](const EchoMessage&) { return std::string(); }});
}

StartCall RawGetCalls(UnaryClient& client, const CallOptions& options) {
  using C = Calls<kvrpcpb::RawGetRequest, kvrpcpb::RawGetResponse>;
  return C::Make(client, options.in_flight,
                 {.path = "/tinykvpb.TinyKv/RawGet",
                  .fill = FillGet<kvrpcpb::RawGetRequest>(options),
                  .check = [size = options.value_bytes](const kvrpcpb::RawGetResponse& response) {
                    std::string error =
                        ResponseError(response.error(), response.has_region_error());
                    return error.empty() ? CheckSize(response.value().size(), size) : error;
                  }});
}

StartCall RawPutCalls(UnaryClient& client, const CallOptions& options) {
  using C = Calls<kvrpcpb::RawPutRequest, kvrpcpb::RawPutResponse>;
  return C::Make(client, options.in_flight,
                 {.path = "/tinykvpb.TinyKv/RawPut",
                  .fill = FillPut<kvrpcpb::RawPutRequest>(options),
                  .check = [](const kvrpcpb::RawPutResponse& response) {
                    return ResponseError(response.error(), response.has_region_error());
                  }});
}

StartCall EtcdGetCalls(UnaryClient& client, const CallOptions& options) {
  using C = Calls<etcdserverpb::RangeRequest, etcdserverpb::RangeResponse>;
  return C::Make(
      client, options.in_flight,
      {.path = "/etcdserverpb.KV/Range",
       .fill = FillGet<etcdserverpb::RangeRequest>(options),
       .check = [size = options.value_bytes](const etcdserverpb::RangeResponse& response) {
         return CheckSize(response.kvs_size() == 1 ? response.kvs(0).value().size() : 0, size);
       }});
}

StartCall EtcdPutCalls(UnaryClient& client, const CallOptions& options) {
  using C = Calls<etcdserverpb::PutRequest, etcdserverpb::PutResponse>;
  return C::Make(client, options.in_flight,
                 {.path = "/etcdserverpb.KV/Put",
                  .fill = FillPut<etcdserverpb::PutRequest>(options),
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
