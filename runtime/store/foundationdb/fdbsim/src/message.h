// What a client asks of the simulated cluster and what that answers, and how
// both travel over a socket.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <utility>
#include <vector>

namespace fdbsim {

using Bytes = std::string;

enum class Op : uint8_t { ReadVersion, Get, GetKey, Range, Commit, Control };
constexpr int opCount = 6;
const char* nameOf(Op op);

struct Selector {
  Bytes key;
  bool orEqual = false;
  int32_t offset = 1;
};

struct KeyRange {
  Bytes begin, end;
};

// Mutations that are no atomic operations; those have the interface's numbers.
constexpr int32_t mutationSet = 0;
constexpr int32_t mutationClearRange = 1;

struct Mutation {
  int32_t type = mutationSet;
  Bytes key, value;
};

struct Request {
  Op op = Op::ReadVersion;
  int64_t version = 0;         // of reads and commits
  Bytes key;                   // Get; the command of Control
  Selector begin, end;         // GetKey (begin), Range
  int32_t limit = 0;           // Range: keys at most, 0 is no limit
  int64_t bytes = 0;           // Range: bytes after which to stop, 0 is no limit
  bool reverse = false;        // Range
  std::vector<Mutation> mutations;
  std::vector<KeyRange> reads, writes;  // Commit: conflict ranges
  bool report = false;                  // Commit: tell the reads that conflict
};

struct Reply {
  int32_t error = 0;
  int64_t version = 0;   // ReadVersion, Commit
  uint16_t batch = 0;    // Commit: its place among those of its version
  bool present = false;  // Get
  Bytes value;           // Get, GetKey, Control
  std::vector<std::pair<Bytes, Bytes>> kvs;  // Range
  bool more = false;                         // Range
  std::vector<uint32_t> conflicts;           // Commit: indices of reads
};

using Answer = std::function<void(Reply)>;

// frame returns a message as it goes over a socket: its length, the number that
// pairs request and reply, and the message.
Bytes frame(uint64_t number, const Request& request);
Bytes frame(uint64_t number, const Reply& reply);

// unframe takes the first whole message out of buffer, from at on, which it
// moves. It reports false if there is none yet.
bool unframe(const Bytes& buffer, size_t& at, uint64_t& number, Request& request);
bool unframe(const Bytes& buffer, size_t& at, uint64_t& number, Reply& reply);

}  // namespace fdbsim
