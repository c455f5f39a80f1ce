// What goes wrong in the simulated cluster, and when: at operations that a test
// names, or at random from a seed.
#pragma once

#include <cstdint>
#include <map>
#include <random>
#include <vector>

#include "message.h"

namespace fdbsim {

// Landing says what becomes of a commit that fails.
enum class Landing { Lost, Landed, Late };

struct Fault {
  int32_t error = 0;               // what the client is told; 0 is nothing bad
  Landing landing = Landing::Lost;
  int after = 0;                   // Late: lands before that many-th further commit; 0 is when told to
  int64_t delay = 0;               // microseconds before the operation
  bool hang = false;               // the client is never told anything
};

using Words = std::map<Bytes, Bytes>;

class Faults {
 public:
  // plan strikes the nth operation of a kind from now on, counted from 1.
  void plan(Op op, uint64_t nth, Fault fault);
  // rate strikes operations of a kind at random, permille of them.
  void rate(Op op, int permille, Fault fault);
  void seed(uint64_t seed) { random_.seed(seed); }
  void reset();

  // next counts an operation and returns the fault that strikes it.
  Fault next(Op op);

  uint64_t count(Op op) const { return counts_[int(op)]; }
  uint64_t fired() const { return fired_; }

 private:
  struct Rate {
    int permille;
    Fault fault;
  };
  uint64_t counts_[opCount] = {};
  uint64_t fired_ = 0;
  std::map<uint64_t, Fault> planned_[opCount];  // by count
  std::vector<Rate> rates_[opCount];
  std::mt19937_64 random_;
};

// parseFault reads error, landing, after, delay and hang; it throws
// std::invalid_argument.
Fault parseFault(const Words& words);

// parseOp is the inverse of nameOf.
Op parseOp(const Bytes& name);

}  // namespace fdbsim
