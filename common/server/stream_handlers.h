// StreamHandlers: who serves the two streams between stores, Raft and Snapshot.
#pragma once

#include <functional>

namespace grpc {
class ByteBuffer;
class CallbackServerContext;
template <class Request>
class ServerReadReactor;
}  // namespace grpc

namespace tinykv {

// What a stage installs (as TinyKvHandlers, server.h): GrpcTransport::handlers(). An empty member
// is an rpc that is not there.
struct StreamHandlers {
  // Returns a new reactor for one stream; it deletes itself. Messages come and go as the bytes that
  // they are on the wire: whoever gets them in the end parses them, once. The answer, a Done, is
  // empty and needs nothing done.
  using Handler = std::function<grpc::ServerReadReactor<grpc::ByteBuffer>*(
      grpc::CallbackServerContext& context)>;

  Handler raft;
  Handler snapshot;
};

}  // namespace tinykv
