// Fingerprint: 128 bits that stand for a state, so that millions of them fit into memory. That two
// different states have the same is as likely as that the machine is broken.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace tinykv::grading {

struct Fingerprint {
  uint64_t high = 0;
  uint64_t low = 0;

  bool operator==(const Fingerprint&) const = default;
};

struct FingerprintHash {
  size_t operator()(const Fingerprint& print) const { return print.low; }
};

// Mixes the bits of a number so that each depends on all (the finalizer of MurmurHash3, Appleby).
inline uint64_t Mixed(uint64_t value) {
  value = (value ^ (value >> 33)) * 0xff51afd7ed558ccd;
  value = (value ^ (value >> 33)) * 0xc4ceb9fe1a85ec53;
  return value ^ (value >> 33);
}

inline Fingerprint FingerprintOf(std::string_view bytes) {
  // FNV-1a (Fowler, Noll and Vo), and the same backwards with another start.
  Fingerprint print{.high = 0x9e3779b97f4a7c15, .low = 0xcbf29ce484222325};
  for (const char byte : bytes) {
    const auto value = static_cast<unsigned char>(byte);
    print.low = (print.low ^ value) * 0x100000001b3;
    print.high = (print.high + value) * 0xff51afd7ed558ccd;
  }
  return {.high = Mixed(print.high), .low = Mixed(print.low)};
}

// Of one thing after the other.
inline Fingerprint Combine(const Fingerprint& a, const Fingerprint& b) {
  return {.high = Mixed(a.high * 3 + b.high), .low = Mixed(a.low * 5 + b.low)};
}

// Of things whose order does not matter.
inline Fingerprint AnyOrder(const Fingerprint& a, const Fingerprint& b) {
  return {.high = a.high + b.high, .low = a.low + b.low};
}

}  // namespace tinykv::grading
