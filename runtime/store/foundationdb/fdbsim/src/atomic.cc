// The atomic operations, as FoundationDB's documentation defines them.
#include "../include/foundationdb/fdb_c.h"
#include "storage.h"

#include <algorithm>

namespace fdbsim {

namespace {

constexpr size_t maxValue = 100000;

// fitted returns old cut off or extended by zeros to the operand's length.
Bytes fitted(const std::optional<Bytes>& old, const Bytes& operand) {
  Bytes b = old.value_or("");
  b.resize(operand.size());
  return b;
}

Bytes add(Bytes a, const Bytes& operand) {
  unsigned carry = 0;
  for (size_t i = 0; i < a.size(); i++) {
    carry += uint8_t(a[i]) + uint8_t(operand[i]);
    a[i] = char(carry);
    carry >>= 8;
  }
  return a;
}

template <typename F>
Bytes bitwise(Bytes a, const Bytes& operand, F f) {
  for (size_t i = 0; i < a.size(); i++) a[i] = char(f(uint8_t(a[i]), uint8_t(operand[i])));
  return a;
}

// smaller compares two little-endian numbers of one length.
bool smaller(const Bytes& a, const Bytes& b) {
  return std::lexicographical_compare(a.rbegin(), a.rend(), b.rbegin(), b.rend(),
                                      [](char x, char y) { return uint8_t(x) < uint8_t(y); });
}

}  // namespace

bool knownOperation(int32_t type) {
  switch (type) {
    case FDB_MUTATION_TYPE_ADD:
    case FDB_MUTATION_TYPE_BIT_AND:
    case FDB_MUTATION_TYPE_BIT_OR:
    case FDB_MUTATION_TYPE_BIT_XOR:
    case FDB_MUTATION_TYPE_APPEND_IF_FITS:
    case FDB_MUTATION_TYPE_MAX:
    case FDB_MUTATION_TYPE_MIN:
    case FDB_MUTATION_TYPE_SET_VERSIONSTAMPED_KEY:
    case FDB_MUTATION_TYPE_SET_VERSIONSTAMPED_VALUE:
    case FDB_MUTATION_TYPE_BYTE_MIN:
    case FDB_MUTATION_TYPE_BYTE_MAX:
    case FDB_MUTATION_TYPE_COMPARE_AND_CLEAR:
      return true;
  }
  return false;
}

std::optional<Bytes> combine(int32_t type, const std::optional<Bytes>& old, const Bytes& operand) {
  switch (type) {
    case FDB_MUTATION_TYPE_ADD:
      return add(fitted(old, operand), operand);
    case FDB_MUTATION_TYPE_BIT_AND:
      return old ? bitwise(fitted(old, operand), operand, [](int a, int b) { return a & b; }) : operand;
    case FDB_MUTATION_TYPE_BIT_OR:
      return bitwise(fitted(old, operand), operand, [](int a, int b) { return a | b; });
    case FDB_MUTATION_TYPE_BIT_XOR:
      return bitwise(fitted(old, operand), operand, [](int a, int b) { return a ^ b; });
    case FDB_MUTATION_TYPE_APPEND_IF_FITS:
      return old.value_or("").size() + operand.size() > maxValue ? old : old.value_or("") + operand;
    case FDB_MUTATION_TYPE_MAX:
      return smaller(fitted(old, operand), operand) ? operand : fitted(old, operand);
    case FDB_MUTATION_TYPE_MIN:
      return !old || smaller(operand, fitted(old, operand)) ? operand : fitted(old, operand);
    case FDB_MUTATION_TYPE_BYTE_MIN:
      return old ? std::min(*old, operand) : operand;
    case FDB_MUTATION_TYPE_BYTE_MAX:
      return old ? std::max(*old, operand) : operand;
    case FDB_MUTATION_TYPE_COMPARE_AND_CLEAR:
      return old == operand ? std::nullopt : old;
  }
  return old;
}

}  // namespace fdbsim
