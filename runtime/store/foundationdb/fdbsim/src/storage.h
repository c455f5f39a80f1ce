// The keys and values of the simulated cluster at the versions of the window.
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <vector>

#include "message.h"

namespace fdbsim {

class Storage {
 public:
  std::optional<Bytes> get(int64_t version, const Bytes& key) const;

  // keyAt resolves a key selector; "" is before the first key, "\xff" after the last.
  Bytes keyAt(int64_t version, const Selector& selector) const;

  // range appends the keys between two selectors, up to the request's limits.
  void range(const Request& request, Reply& reply) const;

  // apply makes one mutation at version, which is not older than any applied before.
  void apply(int64_t version, const Mutation& mutation);

  // forget drops what nobody sees any more who reads at oldest or later.
  void forget(int64_t oldest);

  void erase();
  size_t keys() const { return map_.size(); }

 private:
  struct Entry {
    int64_t version;
    std::optional<Bytes> value;
  };
  using History = std::vector<Entry>;  // by version
  using Map = std::map<Bytes, History>;

  static const Entry* seen(const History& history, int64_t version);
  void write(int64_t version, const Bytes& key, std::optional<Bytes> value);
  Map::const_iterator next(Map::const_iterator it, int64_t version) const;
  bool previous(Map::const_iterator& it, int64_t version) const;

  Map map_;
  std::deque<std::pair<int64_t, Bytes>> written_;  // what forget has to look at
};

// combine returns what an atomic operation makes of the value before it.
std::optional<Bytes> combine(int32_t type, const std::optional<Bytes>& old, const Bytes& operand);

// knownOperation reports whether type is an atomic operation.
bool knownOperation(int32_t type);

}  // namespace fdbsim
