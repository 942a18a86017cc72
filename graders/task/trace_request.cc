#include "graders/task/trace_request.h"

#include <utility>

namespace tinykv::grading {
namespace {

struct Request {
  bool is_wanted = false;
  bool was_offered = false;
  TracePageMaker maker;
};

Request& TheRequest() {
  static Request request;
  return request;
}

}  // namespace

void WantTrace() { TheRequest().is_wanted = true; }

bool TraceWanted() { return TheRequest().is_wanted; }

void OfferTrace(TracePageMaker maker) {
  TheRequest().was_offered = true;
  if (TraceWanted()) TheRequest().maker = std::move(maker);
}

bool TraceWasOffered() { return TheRequest().was_offered; }

std::string MakeOfferedTrace(const std::string& task, uint64_t seed, const Result& result) {
  const TracePageMaker& maker = TheRequest().maker;
  return maker ? maker(task, seed, result) : "";
}

}  // namespace tinykv::grading
