#include "faults.h"

#include <stdexcept>

namespace fdbsim {

void Faults::plan(Op op, uint64_t nth, Fault fault) { planned_[int(op)][counts_[int(op)] + nth] = fault; }

void Faults::rate(Op op, int permille, Fault fault) { rates_[int(op)].push_back({permille, fault}); }

void Faults::reset() {
  fired_ = 0;
  for (int i = 0; i < opCount; i++) {
    counts_[i] = 0;
    planned_[i].clear();
    rates_[i].clear();
  }
}

Fault Faults::next(Op op) {
  uint64_t n = ++counts_[int(op)];
  auto& planned = planned_[int(op)];
  if (auto it = planned.find(n); it != planned.end()) {
    Fault fault = it->second;
    planned.erase(it);
    fired_++;
    return fault;
  }
  const auto& rates = rates_[int(op)];
  if (rates.empty()) return {};
  int x = int(random_() % 1000);
  for (const Rate& rate : rates) {
    if (x < rate.permille) {
      fired_++;
      return rate.fault;
    }
    x -= rate.permille;
  }
  return {};
}

Fault parseFault(const Words& words) {
  Fault f;
  for (auto& [name, value] : words) {
    if (name == "error") {
      f.error = std::stoi(value);
    } else if (name == "landing") {
      f.landing = value == "late" ? Landing::Late : value == "landed" ? Landing::Landed : Landing::Lost;
    } else if (name == "after") {
      f.after = std::stoi(value);
    } else if (name == "delay") {
      f.delay = std::stoll(value);
    } else if (name == "hang") {
      f.hang = value == "1";
    }
  }
  return f;
}

Op parseOp(const Bytes& name) {
  for (int i = 0; i < opCount; i++) {
    if (name == nameOf(Op(i))) return Op(i);
  }
  throw std::invalid_argument("no operation " + name);
}

}  // namespace fdbsim
