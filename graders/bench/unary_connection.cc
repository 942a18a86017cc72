#include "graders/bench/unary_connection.h"

#include <algorithm>
#include <asio/buffer.hpp>
#include <asio/post.hpp>
#include <asio/write.hpp>
#include <cstring>
#include <utility>

#include "common/check.h"
#include "common/status.h"

namespace tinykv::bench {
namespace {

// More than is ever in flight, so that no response waits for room.
constexpr int32_t kWindowBytes = 64 << 20;

// A message on the wire: a byte that says whether it is compressed, four of its length, itself.
constexpr size_t kPrefixBytes = 5;

nghttp2_nv Header(std::string_view name, std::string_view value) {
  // nghttp2 copies both; the casts are its C interface's.
  return {.name = reinterpret_cast<uint8_t*>(const_cast<char*>(name.data())),
          .value = reinterpret_cast<uint8_t*>(const_cast<char*>(value.data())),
          .namelen = name.size(),
          .valuelen = value.size(),
          .flags = NGHTTP2_NV_FLAG_NONE};
}

std::string_view Text(const uint8_t* data, size_t size) {
  return {reinterpret_cast<const char*>(data), size};
}

}  // namespace

std::string Frame(std::string_view message) {
  const auto size = static_cast<uint32_t>(message.size());
  std::string framed(1, '\0');
  for (int shift = 24; shift >= 0; shift -= 8) framed.push_back(static_cast<char>(size >> shift));
  framed.append(message);
  return framed;
}

absl::StatusOr<std::string> Unframe(std::string_view framed) {
  if (framed.size() < kPrefixBytes) return Internal("a response without a message");
  if (framed[0] != 0) return Internal("a response that is compressed, which was not asked for");
  uint32_t size = 0;
  for (size_t i = 1; i < kPrefixBytes; ++i) size = size << 8 | static_cast<uint8_t>(framed[i]);
  framed.remove_prefix(kPrefixBytes);
  if (framed.size() != size) {
    return Internal("a response of ", framed.size(), " bytes, which is said to have ", size);
  }
  return std::string(framed);
}

UnaryConnection::UnaryConnection(asio::ip::tcp::socket socket, std::string address)
    : socket_(std::move(socket)), address_(std::move(address)) {
  MakeSession();
  Write();
  Read();
}

void UnaryConnection::MakeSession() {
  nghttp2_session_callbacks* callbacks = nullptr;
  TKV_CHECK(nghttp2_session_callbacks_new(&callbacks) == 0);
  nghttp2_session_callbacks_set_on_header_callback(callbacks, &OnHeader);
  nghttp2_session_callbacks_set_on_data_chunk_recv_callback(callbacks, &OnData);
  nghttp2_session_callbacks_set_on_stream_close_callback(callbacks, &OnClose);
  nghttp2_session* session = nullptr;
  TKV_CHECK(nghttp2_session_client_new(&session, callbacks, this) == 0);
  nghttp2_session_callbacks_del(callbacks);
  session_.reset(session);
  const std::array settings = {
      nghttp2_settings_entry{NGHTTP2_SETTINGS_ENABLE_PUSH, 0},
      nghttp2_settings_entry{NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE, kWindowBytes}};
  TKV_CHECK(nghttp2_submit_settings(session, 0, settings.data(), settings.size()) == 0);
  TKV_CHECK(nghttp2_session_set_local_window_size(session, 0, 0, kWindowBytes) == 0);
}

void UnaryConnection::Call(const std::string& path, std::string_view message, Answer answer) {
  absl::Status status = broken_.ok() ? Submit(path, message, answer) : broken_;
  if (!status.ok()) return Fail(std::move(answer), std::move(status));
  // Else it leaves when nghttp2 is done with what it is at: it must not be entered twice.
  if (!in_session_) Write();
}

absl::Status UnaryConnection::Submit(const std::string& path, std::string_view message,
                                     Answer& answer) {
  if (nghttp2_session_check_request_allowed(session_.get()) == 0) {
    return Unavailable(address_, " takes no more calls");
  }
  const std::array headers = {
      Header(":method", "POST"), Header(":scheme", "http"),
      Header(":path", path),     Header(":authority", address_),
      Header("te", "trailers"),  Header("content-type", "application/grpc")};
  const nghttp2_data_provider body = {.source = {}, .read_callback = &OnSend};
  const int32_t id = nghttp2_submit_request(session_.get(), nullptr, headers.data(), headers.size(),
                                            &body, nullptr);
  if (id < 0) return Unavailable("no call to ", address_, ": ", nghttp2_strerror(id));
  streams_[id] = {.request = Frame(message), .answer = std::move(answer)};
  return absl::OkStatus();
}

void UnaryConnection::Read() {
  socket_.async_read_some(asio::buffer(in_), [this](const asio::error_code& error, size_t bytes) {
    if (error) return Break(error.message());
    in_session_ = true;
    const ssize_t taken = nghttp2_session_mem_recv(session_.get(), in_.data(), bytes);
    in_session_ = false;
    if (taken < 0) return Break(nghttp2_strerror(static_cast<int>(taken)));
    Write();
    if (broken_.ok()) Read();
  });
}

void UnaryConnection::Write() {
  if (writing_ || !broken_.ok()) return;
  out_.clear();
  const uint8_t* data = nullptr;
  ssize_t bytes = 0;
  in_session_ = true;
  while ((bytes = nghttp2_session_mem_send(session_.get(), &data)) > 0) {
    out_.append(Text(data, static_cast<size_t>(bytes)));
  }
  in_session_ = false;
  if (bytes < 0) return Break(nghttp2_strerror(static_cast<int>(bytes)));
  if (out_.empty()) return CheckSession();
  writing_ = true;
  asio::async_write(socket_, asio::buffer(out_), [this](const asio::error_code& error, size_t) {
    writing_ = false;
    if (error) return Break(error.message());
    Write();
  });
}

void UnaryConnection::CheckSession() {
  // After a breach of the protocol nghttp2 reads nothing more, and calls would wait for ever.
  nghttp2_session* session = session_.get();
  if (nghttp2_session_want_read(session) == 0 && nghttp2_session_want_write(session) == 0) {
    Break("its session has ended");
  }
}

void UnaryConnection::Break(std::string_view why) {
  if (!broken_.ok()) return;
  broken_ = Unavailable("the connection to ", address_, " broke: ", why);
  asio::error_code ignored;
  socket_.close(ignored);
  for (auto& [id, stream] : std::exchange(streams_, {})) Fail(std::move(stream.answer), broken_);
}

void UnaryConnection::Fail(Answer answer, absl::Status status) {
  asio::post(socket_.get_executor(),
             [answer = std::move(answer), status = std::move(status)]() mutable {
               answer(std::move(status));
             });
}

ssize_t UnaryConnection::OnSend(nghttp2_session*, int32_t id, uint8_t* buffer, size_t space,
                                uint32_t* flags, nghttp2_data_source*, void* self) {
  Stream& stream = static_cast<UnaryConnection*>(self)->streams_.at(id);
  const size_t bytes = std::min(space, stream.request.size() - stream.sent);
  std::memcpy(buffer, stream.request.data() + stream.sent, bytes);
  stream.sent += bytes;
  if (stream.sent == stream.request.size()) *flags |= NGHTTP2_DATA_FLAG_EOF;
  return static_cast<ssize_t>(bytes);
}

int UnaryConnection::OnHeader(nghttp2_session*, const nghttp2_frame* frame, const uint8_t* name,
                              size_t name_bytes, const uint8_t* value, size_t value_bytes, uint8_t,
                              void* self) {
  auto& streams = static_cast<UnaryConnection*>(self)->streams_;
  const auto stream = streams.find(frame->hd.stream_id);
  if (stream == streams.end()) return 0;
  const std::string_view header = Text(name, name_bytes);
  if (header == ":status") stream->second.http_status = Text(value, value_bytes);
  if (header == "grpc-status") stream->second.grpc_status = Text(value, value_bytes);
  // Its percent-encoding is left as it is: bytes beyond ASCII are rare in it.
  if (header == "grpc-message") stream->second.grpc_message = Text(value, value_bytes);
  return 0;
}

int UnaryConnection::OnData(nghttp2_session*, uint8_t, int32_t id, const uint8_t* data,
                            size_t bytes, void* self) {
  auto& streams = static_cast<UnaryConnection*>(self)->streams_;
  const auto stream = streams.find(id);
  if (stream != streams.end()) stream->second.response.append(Text(data, bytes));
  return 0;
}

int UnaryConnection::OnClose(nghttp2_session*, int32_t id, uint32_t error, void* self) {
  auto& connection = *static_cast<UnaryConnection*>(self);
  auto node = connection.streams_.extract(id);
  if (node.empty()) return 0;
  node.mapped().answer(ResultOf(node.mapped(), error));
  return 0;
}

absl::StatusOr<std::string> UnaryConnection::ResultOf(const Stream& stream, uint32_t http2_error) {
  if (stream.grpc_status == "0") return Unframe(stream.response);
  if (!stream.grpc_status.empty()) {
    return Internal("gRPC status ", stream.grpc_status, ": ", stream.grpc_message);
  }
  return Unavailable("a call ended without a gRPC status: HTTP status ", Quote(stream.http_status),
                     ", ", nghttp2_http2_strerror(http2_error));
}

}  // namespace tinykv::bench
