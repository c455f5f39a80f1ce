#include "storage.h"

#include <algorithm>

namespace fdbsim {

namespace {
const Bytes endOfKeys = "\xff";
}

// seen returns the entry of a key that a read at version sees, if any.
const Storage::Entry* Storage::seen(const History& history, int64_t version) {
  for (size_t i = history.size(); i-- > 0;) {
    if (history[i].version <= version) return history[i].value ? &history[i] : nullptr;
  }
  return nullptr;
}

std::optional<Bytes> Storage::get(int64_t version, const Bytes& key) const {
  auto it = map_.find(key);
  if (it == map_.end()) return std::nullopt;
  const Entry* entry = seen(it->second, version);
  return entry != nullptr ? entry->value : std::nullopt;
}

// next returns the first key from it on that exists at version.
Storage::Map::const_iterator Storage::next(Map::const_iterator it, int64_t version) const {
  while (it != map_.end() && seen(it->second, version) == nullptr) ++it;
  return it;
}

// previous moves it to the last key before it that exists at version.
bool Storage::previous(Map::const_iterator& it, int64_t version) const {
  while (it != map_.begin()) {
    --it;
    if (seen(it->second, version) != nullptr) return true;
  }
  return false;
}

Bytes Storage::keyAt(int64_t version, const Selector& s) const {
  auto it = s.orEqual ? map_.upper_bound(s.key) : map_.lower_bound(s.key);
  if (s.offset > 0) {
    it = next(it, version);
    for (int i = 1; i < s.offset && it != map_.end(); i++) it = next(std::next(it), version);
    return it == map_.end() ? endOfKeys : it->first;
  }
  for (int i = s.offset; i <= 0; i++) {
    if (!previous(it, version)) return "";
  }
  return it->first;
}

void Storage::range(const Request& r, Reply& reply) const {
  // Selectors that only name a bound need no key there.
  auto bound = [&](const Selector& s) {
    if (s.offset != 1) return keyAt(r.version, s);
    return s.orEqual ? s.key + '\0' : s.key;
  };
  Bytes begin = bound(r.begin), end = bound(r.end);
  if (begin >= end) return;
  int64_t bytes = 0;
  auto add = [&](const Bytes& key, const Entry& entry) {
    reply.kvs.emplace_back(key, *entry.value);
    bytes += int64_t(key.size() + entry.value->size());
    reply.more = (r.limit > 0 && reply.kvs.size() == size_t(r.limit)) || (r.bytes > 0 && bytes >= r.bytes);
    return !reply.more;
  };
  auto from = map_.lower_bound(begin), to = map_.lower_bound(end);
  if (r.reverse) {
    while (to != from) {
      --to;
      const Entry* entry = seen(to->second, r.version);
      if (entry != nullptr && !add(to->first, *entry)) return;
    }
    return;
  }
  for (; from != to; ++from) {
    const Entry* entry = seen(from->second, r.version);
    if (entry != nullptr && !add(from->first, *entry)) return;
  }
}

void Storage::write(int64_t version, const Bytes& key, std::optional<Bytes> value) {
  History& history = map_[key];
  if (!history.empty() && history.back().version == version) {
    history.back().value = std::move(value);
    return;
  }
  history.push_back({version, std::move(value)});
  written_.emplace_back(version, key);
}

void Storage::apply(int64_t version, const Mutation& m) {
  switch (m.type) {
    case mutationSet:
      write(version, m.key, m.value);
      return;
    case mutationClearRange:
      for (auto it = map_.lower_bound(m.key); it != map_.end() && it->first < m.value; ++it) {
        if (it->second.back().value) write(version, it->first, std::nullopt);
      }
      return;
  }
  auto it = map_.find(m.key);
  write(version, m.key, combine(m.type, it == map_.end() ? std::nullopt : it->second.back().value, m.value));
}

void Storage::forget(int64_t oldest) {
  while (!written_.empty() && written_.front().first < oldest) {
    auto it = map_.find(written_.front().second);
    written_.pop_front();
    if (it == map_.end()) continue;
    History& history = it->second;
    size_t drop = 0;  // entries that a later one hides from everyone
    while (drop + 1 < history.size() && history[drop + 1].version <= oldest) drop++;
    history.erase(history.begin(), history.begin() + drop);
    if (history.size() == 1 && history[0].version <= oldest && !history[0].value) map_.erase(it);
  }
}

void Storage::erase() {
  map_.clear();
  written_.clear();
}

}  // namespace fdbsim
