#include "database.h"

#include <algorithm>
#include <sstream>
#include <stdexcept>

#include "../include/foundationdb/fdb_c.h"
#include "errors.h"

namespace fdbsim {

namespace {

// Versions advance by a million a second; that many stay readable.
constexpr int64_t window = 5000000;
constexpr int64_t firstVersion = 1000000000;

bool overlap(const KeyRange& a, const KeyRange& b) { return a.begin < b.end && b.begin < a.end; }

// placeStamp writes the versionstamp of a commit where the last four bytes of
// with say, and removes those.
void placeStamp(Bytes& with, int64_t version, uint16_t index) {
  uint32_t at = 0;
  for (int i = 0; i < 4; i++) at |= uint32_t(uint8_t(with[with.size() - 4 + i])) << (8 * i);
  with.resize(with.size() - 4);
  for (int i = 0; i < 8; i++) with[at + i] = char(uint64_t(version) >> (8 * (7 - i)));
  with[at + 8] = char(index >> 8);
  with[at + 9] = char(index);
}

}  // namespace

int64_t Database::now() const { return frozen_ >= 0 ? frozen_ : monotonic() + offset_; }

// newest is the version that the cluster is at.
int64_t Database::newest() const { return std::max(committed_, firstVersion + now()); }

int64_t Database::oldest() const { return newest() - window; }

void Database::handle(Request request, Answer answer) {
  if (request.op == Op::Control) {
    Reply reply;
    control(request.key, reply);
    answer(std::move(reply));
    return;
  }
  Fault fault = faults_.next(request.op);
  if (fault.delay == 0) {
    perform(request, fault, std::move(answer));
    return;
  }
  auto held = std::make_shared<Request>(std::move(request));
  loop_.after(fault.delay, [self = shared_from_this(), held, fault, answer] { self->perform(*held, fault, answer); });
}

void Database::perform(Request& request, const Fault& fault, Answer answer) {
  if (fault.hang) answer = nullptr;
  if (request.op != Op::Commit) {
    Reply reply;
    reply.error = fault.error;
    if (fault.error == 0) read(request, reply);
    if (answer) answer(std::move(reply));
    return;
  }
  land(false);
  bool fails = fault.error != 0 || fault.hang;
  if (!fails || fault.landing == Landing::Landed) {
    submit({std::move(request), std::move(answer), fault.error});
    return;
  }
  if (fault.landing == Landing::Late) late_.push_back({std::move(request), fault.after});
  if (answer) {
    Reply reply;
    reply.error = fault.error;
    answer(std::move(reply));
  }
}

void Database::read(const Request& request, Reply& reply) {
  if (request.op == Op::ReadVersion) {
    reply.version = committed_ = newest();
    return;
  }
  if (request.version < oldest()) {
    reply.error = error::transactionTooOld;
    return;
  }
  if (request.version > newest()) {
    reply.error = error::futureVersion;
    return;
  }
  // No commit may get a version that somebody has read at.
  committed_ = std::max(committed_, request.version);
  switch (request.op) {
    case Op::Get:
      if (auto value = storage_.get(request.version, request.key)) {
        reply.present = true;
        reply.value = std::move(*value);
      }
      break;
    case Op::GetKey:
      reply.value = storage_.keyAt(request.version, request.begin);
      break;
    default:
      storage_.range(request, reply);
  }
}

// submit adds a commit to the batch, which closes when all that the loop has to
// do by now is done.
void Database::submit(Commit commit) {
  batch_.push_back(std::move(commit));
  if (batch_.size() == 1) loop_.post([self = shared_from_this()] { self->flush(); });
}

// land submits the late commits whose time has come, or all of them.
void Database::land(bool all) {
  std::vector<Late> rest;
  for (Late& late : late_) {
    if (all || (late.after > 0 && --late.after == 0)) {
      batch_.push_back({std::move(late.request), nullptr, 0});
      if (batch_.size() == 1) loop_.post([self = shared_from_this()] { self->flush(); });
    } else {
      rest.push_back(std::move(late));
    }
  }
  late_.swap(rest);
}

// flush decides the commits of the batch in order, all at one version.
void Database::flush() {
  std::vector<Commit> batch;
  batch.swap(batch_);
  if (batch.empty()) return;
  batches_++;
  int64_t version = std::max(committed_ + 1, newest());
  committed_ = version;
  while (!writes_.empty() && writes_.front().version < oldest()) writes_.pop_front();
  storage_.forget(oldest());
  uint16_t index = 0;
  for (Commit& c : batch) {
    Reply reply = decide(c.request, version, index);
    if (reply.error == 0) {
      index++;
      if (!c.answer && c.error == 0) landed_++;
      reply.error = c.error;
    }
    if (c.answer) c.answer(std::move(reply));
  }
}

// decide commits a request, or says why it cannot be.
Reply Database::decide(Request& request, int64_t version, uint16_t index) {
  Reply reply;
  if (!request.reads.empty() && request.version < oldest()) {
    reply.error = error::transactionTooOld;
    return reply;
  }
  for (size_t i = 0; i < request.reads.size(); i++) {
    if (!conflicts(request.reads[i], request.version)) continue;
    reply.error = error::notCommitted;
    if (!request.report) return reply;
    reply.conflicts.push_back(uint32_t(i));
  }
  if (reply.error != 0) return reply;
  apply(request, version, index);
  reply.version = version;
  reply.batch = index;
  return reply;
}

// conflicts reports whether a key of read was written after since.
bool Database::conflicts(const KeyRange& read, int64_t since) const {
  for (auto it = writes_.rbegin(); it != writes_.rend() && it->version > since; ++it) {
    if (overlap(it->range, read)) return true;
  }
  return false;
}

void Database::apply(Request& request, int64_t version, uint16_t index) {
  for (KeyRange& range : request.writes) writes_.push_back({version, std::move(range)});
  for (Mutation& m : request.mutations) {
    if (m.type == FDB_MUTATION_TYPE_SET_VERSIONSTAMPED_KEY) {
      // The key was not known before, and so the conflict range neither.
      placeStamp(m.key, version, index);
      writes_.push_back({version, {m.key, m.key + '\0'}});
      m.type = mutationSet;
    } else if (m.type == FDB_MUTATION_TYPE_SET_VERSIONSTAMPED_VALUE) {
      placeStamp(m.value, version, index);
      m.type = mutationSet;
    }
    storage_.apply(version, m);
  }
}

// control obeys a command: a verb, then words of the form name=value.
void Database::control(const Bytes& command, Reply& reply) {
  std::istringstream in(command);
  Bytes verb, word;
  Words words;
  in >> verb;
  while (in >> word) {
    size_t equals = word.find('=');
    words[word.substr(0, equals)] = equals == Bytes::npos ? "" : word.substr(equals + 1);
  }
  reply.present = true;
  try {
    if (verb == "fault") {
      faults_.plan(parseOp(words["op"]), std::stoull(words["nth"]), parseFault(words));
    } else if (verb == "rate") {
      faults_.rate(parseOp(words["op"]), std::stoi(words["permille"]), parseFault(words));
    } else if (verb == "seed") {
      faults_.seed(std::stoull(words["value"]));
    } else if (verb == "reset") {
      faults_.reset();
      landed_ = batches_ = 0;
    } else if (verb == "clock") {
      controlClock(words);
    } else if (verb == "land") {
      uint64_t before = landed_;
      land(true);
      flush();
      reply.value = std::to_string(landed_ - before);
    } else if (verb == "stats") {
      reply.value = stats();
    } else {
      throw std::invalid_argument("no command " + verb);
    }
  } catch (const std::exception& e) {
    reply.error = error::specialKeysApiFailure;
  }
}

void Database::controlClock(const Words& words) {
  if (words.count("freeze") != 0) frozen_ = now();
  if (words.count("run") != 0 && frozen_ >= 0) {
    offset_ = frozen_ - monotonic();
    frozen_ = -1;
  }
  if (auto it = words.find("advance"); it != words.end()) {
    (frozen_ >= 0 ? frozen_ : offset_) += std::stoll(it->second);
  }
}

Bytes Database::stats() const {
  std::ostringstream out;
  for (int i = 0; i < opCount; i++) out << nameOf(Op(i)) << ' ' << faults_.count(Op(i)) << '\n';
  out << "fired " << faults_.fired() << "\nlate " << late_.size() << "\nlanded " << landed_ << "\nbatches " << batches_
      << "\nkeys " << storage_.keys() << '\n';
  return out.str();
}

}  // namespace fdbsim
