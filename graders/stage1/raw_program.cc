#include "graders/stage1/raw_program.h"

#include <array>
#include <ostream>

#include "common/status.h"
#include "common/storage/region_error.h"
#include "common/strings.h"
#include "graders/task/property.h"

namespace tinykv::grading {
namespace {

namespace gen = rc::gen;

constexpr std::array<std::string_view, 5> kFamilyNames = {"", "default", "lock", "write", "writes"};
constexpr int kUnknownFamily = 4;
constexpr int kEmptyKey = kPlannedKeys;
constexpr int kLongKey = kPlannedKeys + 1;
constexpr char kLoaded[] = "w";

// By ModelStorage::Call.
constexpr std::array<std::string_view, 4> kCallNames = {"Storage::Write()", "Storage::Reader()",
                                                        "StorageReader::Get()", "its iterator"};

rc::Gen<RawRequest> AnyRequest() {
  using Fault = RawRequest::Fault;
  const auto family =
      gen::weightedElement<int>({{6, 0}, {3, 1}, {3, 2}, {3, 3}, {1, kUnknownFamily}});
  const auto key =
      gen::weightedOneOf<int>({{10, AnyKey()}, {1, gen::element(kEmptyKey, kLongKey)}});
  const auto padding =
      gen::weightedOneOf<int>({{6, gen::just(0)}, {3, InRange(0, 300)}, {1, gen::just(1000)}});
  const auto limit = gen::weightedOneOf<uint32_t>(
      {{8, InRange<uint32_t>(0, 8)}, {1, gen::element<uint32_t>(100, 0xffff'ffff)}});
  return gen::build<RawRequest>(
      gen::set(&RawRequest::family, family), gen::set(&RawRequest::key, key),
      gen::set(&RawRequest::padding, padding), gen::set(&RawRequest::limit, limit),
      gen::set(&RawRequest::partial_ok, gen::element(false, true)),
      gen::set(&RawRequest::fault,
               gen::weightedElement<Fault>(
                   {{10, Fault::kNone}, {1, Fault::kRegionError}, {1, Fault::kDiskError}})),
      gen::set(&RawRequest::good_pairs, InRange(0, 3)));
}

}  // namespace

std::string FamilyNameOf(const RawRequest& request) {
  return std::string(kFamilyNames.at(request.family));
}

std::string KeyOf(const RawRequest& request) {
  if (request.key == kEmptyKey) return "";
  if (request.key == kLongKey) return std::string(kRawLimits.key_bytes_max + 1, 'k');
  return KeyOf(request.key);
}

std::string ValueOf(const RawRequest& request, size_t number) {
  // A put without padding writes the empty value, which is a value.
  if (request.padding == 0 && number % 3 == 0) return "";
  return Concat("r", number + 1, std::string(request.padding, '_'));
}

Place PlaceOf(const RawRequest& request) {
  return {*ParseColumnFamily(FamilyNameOf(request)), KeyOf(request)};
}

std::string ErrorOf(const RawRequest& request) {
  if (request.key == kEmptyKey) return "the key is empty";
  if (request.key == kLongKey) return "the key is too long";
  if (request.family == kUnknownFamily) return "there is no such column family";
  return "";
}

std::string ToText(const RawRequest& request) {
  return Concat("of key ", Quote(KeyOf(request), 12), " in cf ", Quote(FamilyNameOf(request)));
}

rc::Gen<RawProgram> AnyRawProgram(const std::string& method) {
  return gen::build<RawProgram>(
      gen::set(&RawProgram::method, gen::just(method)),
      gen::set(&RawProgram::content, AnyWrite(20)),
      gen::set(&RawProgram::requests, gen::container<std::vector<RawRequest>>(AnyRequest())));
}

std::ostream& operator<<(std::ostream& out, const RawProgram& program) {
  if (program.content.modifies.empty()) {
    out << "the storage is empty\n";
  } else {
    out << "the storage holds the outcome of: " << ToText(NamedWrite{program.content, kLoaded})
        << '\n';
  }
  for (size_t i = 0; i < program.requests.size(); ++i) {
    const RawRequest& request = program.requests[i];
    out << i + 1 << ". " << program.method << ' ' << ToText(request);
    if (program.method == "RawPut") out << ", value " << Quote(ValueOf(request, i), 12);
    if (program.method == "RawScan") {
      out << ", limit " << request.limit << (request.partial_ok ? ", partial_ok" : "");
    }
    if (request.fault != RawRequest::Fault::kNone) {
      out << "; the storage fails";
      if (program.method == "RawScan") out << " after " << Counted(request.good_pairs, "pair");
      out << ": " << MessageOf(RawSession::FailureOf(request));
    }
    out << '\n';
  }
  return out;
}

RawSession::RawSession(const RawProgram& program)
    : executor_(clock_), storage_(executor_), handlers_(storage_, kRawLimits) {
  Apply({program.content, kLoaded}, storage_.content());
}

absl::Status RawSession::FailureOf(const RawRequest& request) {
  switch (request.fault) {
    case RawRequest::Fault::kNone:
      return absl::OkStatus();
    case RawRequest::Fault::kRegionError:
      return ServerIsBusy("a queue is full");
    case RawRequest::Fault::kDiskError:
      return Internal("the disk failed: input/output error");
  }
  return absl::OkStatus();
}

Result RawSession::CheckAnswer(const std::string& what, const absl::Status& failure,
                               const absl::Status& status) const {
  if (status == failure) return std::nullopt;
  const std::string_view call = kCallNames.at(static_cast<size_t>(call_));
  if (failure.ok()) {
    return Wrong(Concat(what, " was answered with the error ", status.ToString(),
                        "; the storage had no trouble, and a key that is not there is no error"));
  }
  if (!storage_.seen().met_failure) {
    return Wrong(Concat(what, " was answered with ", status.ToString(), " and never came to ", call,
                        ", which would have failed; that call is what the request is about"));
  }
  return Wrong(Concat(what, " was answered with ", status.ToString(), "; ", call, " failed (",
                      failure.ToString(), "), and the client must be told just that"));
}

Result RawSession::Check(const std::string& what, const RawRequest& request,
                         const std::string& error, const absl::Status& status) const {
  const ModelStorage::Seen& seen = storage_.seen();
  if (!error.empty()) {
    if (status.code() == absl::StatusCode::kInvalidArgument) return std::nullopt;
    return Wrong(Concat(what, " was answered with ", status.ToString(), "; ", error,
                        ", which is kInvalidArgument"));
  }
  if (Result finding = CheckAnswer(what, FailureOf(request), status)) return finding;
  if (seen.region_id != kRegionId) {
    return Wrong(Concat(what, " did not hand the request's context to the storage, which looks up ",
                        "the region there (from stage 2 on)"));
  }
  if (seen.reader_closed_first) {
    return Wrong(Concat(what, " closed its reader before its iterator; an iterator goes first"));
  }
  if (seen.open_readers > 0 || seen.open_iterators > 0) {
    return Wrong(Concat(what, " is answered and has left ", Counted(seen.open_readers, "reader"),
                        " and ", Counted(seen.open_iterators, "iterator"),
                        " open; each of them holds on to old versions of all data"));
  }
  return std::nullopt;
}

}  // namespace tinykv::grading
