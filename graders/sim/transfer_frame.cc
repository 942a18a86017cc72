#include "graders/sim/transfer_frame.h"

#include "common/check.h"
#include "common/coding.h"
#include "common/status.h"
#include "common/strings.h"

namespace tinykv::sim {
namespace {

// The low three bits of a protobuf message's first byte are a wire type, and there is no type 7.
constexpr std::string_view kMark = "\xff transfer ";

std::string Describe(const TransferFrame& frame) {
  switch (frame.kind) {
    case TransferFrame::Kind::kBegin:
      return "begins";
    case TransferFrame::Kind::kWelcome:
      return "is welcome";
    case TransferFrame::Kind::kChunk:
      return Concat("chunk ", frame.sequence, ", ", Counted(frame.chunk.size(), "byte"));
    case TransferFrame::Kind::kEnd:
      return Concat("ends after ", Counted(frame.sequence, "chunk"));
    case TransferFrame::Kind::kAck:
      return Concat("has ", Counted(frame.sequence, "chunk"));
    case TransferFrame::Kind::kResult:
      return frame.status.ok() ? "has arrived" : Concat("fails: ", MessageOf(frame.status));
    case TransferFrame::Kind::kBroken:
      return "is broken off";
  }
  return "?";
}

}  // namespace

bool IsTransferFrame(std::string_view message) { return message.starts_with(kMark); }

std::string EncodeFrame(const TransferFrame& frame) {
  std::string message(kMark);
  message.push_back(static_cast<char>(frame.kind));
  PutVarint64(&message, frame.transfer);
  PutVarint64(&message, frame.connection);
  PutVarint64(&message, frame.sequence);
  PutVarint64(&message, static_cast<uint64_t>(frame.status.code()));
  PutLengthPrefixed(&message, MessageOf(frame.status));
  message += frame.chunk;
  return message;
}

TransferFrame DecodeFrame(std::string_view message) {
  TKV_CHECK(IsTransferFrame(message));
  message.remove_prefix(kMark.size());
  TKV_CHECK(!message.empty() && message[0] < TransferFrame::kKinds);
  TransferFrame frame{.kind = static_cast<TransferFrame::Kind>(message[0])};
  message.remove_prefix(1);
  uint64_t code = 0;
  std::string_view text;
  TKV_CHECK(GetVarint64(&message, &frame.transfer));
  TKV_CHECK(GetVarint64(&message, &frame.connection));
  TKV_CHECK(GetVarint64(&message, &frame.sequence));
  TKV_CHECK(GetVarint64(&message, &code));
  TKV_CHECK(GetLengthPrefixed(&message, &text));
  frame.status = MakeStatus(static_cast<absl::StatusCode>(code), text);
  frame.chunk = message;
  return frame;
}

std::string DescribeFrame(std::string_view message) {
  const TransferFrame frame = DecodeFrame(message);
  return Concat("transfer ", frame.transfer, ": ", Describe(frame));
}

}  // namespace tinykv::sim
