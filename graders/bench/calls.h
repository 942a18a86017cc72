// What servers are asked in benchmarks. One generator for all of them: they differ in path
// and message and in nothing else. A client must outlive the calls that are made with it.
#pragma once

#include <cstdint>
#include <string>

#include "graders/bench/load.h"
#include "graders/bench/unary_client.h"

namespace tinykv::bench {

struct CallOptions {
  uint32_t in_flight = 64;
  uint32_t keys = 100000;
  uint32_t value_bytes = 100;
  std::string key_prefix = "key-";
  // Takes key after key, as for loading; else keys are drawn, every one alike, from a fixed seed.
  bool in_order = false;
};

// How long a key is.
size_t KeyBytes(const CallOptions& options);

// Calls that send nothing and get nothing.
StartCall EchoCalls(UnaryClient& client, const CallOptions& options);

// A get fails unless the value has the size that is loaded.
StartCall RawGetCalls(UnaryClient& client, const CallOptions& options);
StartCall RawPutCalls(UnaryClient& client, const CallOptions& options);
StartCall EtcdGetCalls(UnaryClient& client, const CallOptions& options);
StartCall EtcdPutCalls(UnaryClient& client, const CallOptions& options);

// `percent` of the calls by `most`, the others by `rest`, drawn from a fixed seed.
StartCall MixedCalls(const CallOptions& options, uint32_t percent, StartCall most, StartCall rest);

}  // namespace tinykv::bench
