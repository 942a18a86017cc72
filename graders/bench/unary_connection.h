// One connection of a UnaryClient: HTTP/2 by nghttp2, and gRPC's framing on it
// (https://github.com/grpc/grpc/blob/master/doc/PROTOCOL-HTTP2.md).
#pragma once

#include <nghttp2/nghttp2.h>

#include <array>
#include <asio/ip/tcp.hpp>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>

#include "absl/functional/any_invocable.h"
#include "absl/status/statusor.h"

namespace tinykv::bench {

// Gets the message of the response, or what the server or the connection failed with.
using Answer = absl::AnyInvocable<void(absl::StatusOr<std::string> message)>;

// A message as it is on the wire, with five bytes before it.
std::string Frame(std::string_view message);
// The message. Errors: kInternal for what is not one whole message, uncompressed.
absl::StatusOr<std::string> Unframe(std::string_view framed);

// Calls that are started while answers are given leave with one write, as many as there are.
// Thread-safety: none; it belongs to the thread that runs its socket's executor.
class UnaryConnection {
 public:
  // `socket` is connected to `address`.
  UnaryConnection(asio::ip::tcp::socket socket, std::string address);

  UnaryConnection(const UnaryConnection&) = delete;
  UnaryConnection& operator=(const UnaryConnection&) = delete;

  // `answer` is called at most once, never from within Call.
  void Call(const std::string& path, std::string_view message, Answer answer);

 private:
  struct Stream {
    std::string request = {};  // framed
    size_t sent = 0;
    std::string response = {};  // framed
    std::string http_status = {};
    std::string grpc_status = {};
    std::string grpc_message = {};
    Answer answer = nullptr;
  };
  struct DeleteSession {
    void operator()(nghttp2_session* session) const { nghttp2_session_del(session); }
  };

  void MakeSession();
  static absl::StatusOr<std::string> ResultOf(const Stream& stream, uint32_t http2_error);
  absl::Status Submit(const std::string& path, std::string_view message, Answer& answer);
  void Read();
  void Write();
  // Breaks the connection where nghttp2, which has nothing to send, will not read either.
  void CheckSession();
  // All calls under way fail, and so do all that come.
  void Break(std::string_view why);
  void Fail(Answer answer, absl::Status status);

  // What nghttp2 calls, with this connection as `self`.
  static ssize_t OnSend(nghttp2_session*, int32_t id, uint8_t* buffer, size_t space,
                        uint32_t* flags, nghttp2_data_source*, void* self);
  static int OnHeader(nghttp2_session*, const nghttp2_frame* frame, const uint8_t* name,
                      size_t name_bytes, const uint8_t* value, size_t value_bytes, uint8_t flags,
                      void* self);
  static int OnData(nghttp2_session*, uint8_t flags, int32_t id, const uint8_t* data, size_t bytes,
                    void* self);
  static int OnClose(nghttp2_session*, int32_t id, uint32_t error, void* self);

  asio::ip::tcp::socket socket_;
  const std::string address_;
  std::unique_ptr<nghttp2_session, DeleteSession> session_;
  std::unordered_map<int32_t, Stream> streams_;
  std::array<uint8_t, 64 << 10> in_;
  std::string out_;
  bool writing_ = false;
  bool in_session_ = false;  // nghttp2 is at work, and may be giving answers
  absl::Status broken_;
};

}  // namespace tinykv::bench
