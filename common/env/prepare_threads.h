// PrepareThreads: what a program does first whose threads, gRPC's and its own, wake each other for
// every request. It changes the whole process, so it is for main functions.
#pragma once

namespace tinykv {

// REQUIRES: no other thread runs yet; those that are started later inherit what it sets.
void PrepareThreads();

}  // namespace tinykv
