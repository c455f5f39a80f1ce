#include <algorithm>
#include <atomic>
#include <random>

#include "client.h"
#include "errors.h"

namespace fdbsim {

namespace {

std::atomic<int64_t> live{0};

const Bytes systemKeys = "\xff";
const Bytes specialKeys = "\xff\xff";
const Bytes conflictingKeysPrefix = "\xff\xff/transaction/conflicting_keys/";
const Bytes controlPrefix = "\xff\xff/fdbsim/";

bool hasPrefix(const Bytes& key, const Bytes& prefix) { return key.compare(0, prefix.size(), prefix) == 0; }

// What FoundationDB counts besides the bytes of keys and values.
constexpr int64_t mutationOverhead = 44, rangeOverhead = 24;

int64_t sizeOf(const Mutation& m) { return mutationOverhead + int64_t(m.key.size() + m.value.size()); }
int64_t sizeOf(const KeyRange& r) { return rangeOverhead + int64_t(r.begin.size() + r.end.size()); }

KeyRange point(const Bytes& key) { return {key, key + '\0'}; }

bool overlap(const KeyRange& a, const KeyRange& b) { return a.begin < b.end && b.begin < a.end; }

}  // namespace

int64_t liveTransactions() { return live; }

Transaction::Transaction(std::shared_ptr<DatabaseHandle> database) : database_(std::move(database)) {
  live++;
  clear();
}

Transaction::~Transaction() { live--; }

// clear makes the transaction as if it were new.
void Transaction::clear() {
  generation_++;
  {
    std::lock_guard<std::mutex> lock(database_->mutex);
    settings_ = database_->settings;
  }
  created_ = monotonic();
  armed_ = false;
  poisoned_ = 0;
  version_ = -1;
  askedVersion_ = false;
  waiting_.clear();
  mutations_.clear();
  mutations_.shrink_to_fit();
  reads_.clear();
  writes_.clear();
  size_ = 0;
  deferred_ = 0;
  commits_ = false;
  committed_ = 0;
  stampWaiters_.clear();
  stamp_.clear();
  lost_.clear();
}

int32_t Transaction::setTimeout(int64_t milliseconds) {
  if (milliseconds < 0) return error::invalidOptionValue;
  std::lock_guard<std::mutex> lock(mutex_);
  settings_.timeout = milliseconds;
  armed_ = false;
  return 0;
}

int32_t Transaction::setSizeLimit(int64_t bytes) {
  if (bytes < 32 || bytes > maxTransaction) return error::invalidOptionValue;
  std::lock_guard<std::mutex> lock(mutex_);
  settings_.sizeLimit = bytes;
  return 0;
}

int32_t Transaction::disableReadYourWrites() {
  std::lock_guard<std::mutex> lock(mutex_);
  if (!pending_.empty() || !mutations_.empty()) return error::clientInvalidOperation;
  settings_.readOwnWrites = false;
  return 0;
}

void Transaction::reportConflicts() {
  std::lock_guard<std::mutex> lock(mutex_);
  settings_.report = true;
}

void Transaction::riskCausality() {
  std::lock_guard<std::mutex> lock(mutex_);
  settings_.selfConflict = false;
}

// begin returns the future of an operation. The caller holds the lock.
FuturePtr Transaction::begin() {
  auto future = std::make_shared<Future>();
  int32_t error = poisoned_ != 0 ? poisoned_ : commits_ ? error::usedDuringCommit : 0;
  if (error != 0) {
    future->fail(error);
    return future;
  }
  if (pending_.size() >= 32) {
    std::vector<std::weak_ptr<Future>> still;
    for (auto& weak : pending_) {
      auto f = weak.lock();
      if (f != nullptr && !f->ready()) still.push_back(weak);
    }
    pending_.swap(still);
  }
  pending_.push_back(future);
  arm();
  return future;
}

// arm starts the clock of the timeout. The caller holds the lock.
void Transaction::arm() {
  if (settings_.timeout == 0 || armed_) return;
  armed_ = true;
  int64_t left = created_ + settings_.timeout * 1000 - monotonic();
  network().loop.post([weak = weak_from_this(), left, generation = generation_] {
    auto self = weak.lock();
    if (self == nullptr) return;
    Loop& loop = network().loop;
    loop.cancel(self->timer_);
    self->timer_ = loop.after(left, [weak, generation] {
      if (auto self = weak.lock()) self->timedOut(generation);
    });
  });
}

void Transaction::timedOut(uint64_t generation) {
  {
    std::lock_guard<std::mutex> lock(mutex_);
    if (generation != generation_) return;
  }
  poison(error::transactionTimedOut);
}

// poison fails all that is under way, and all that comes.
void Transaction::poison(int32_t error) {
  std::vector<std::weak_ptr<Future>> pending;
  std::vector<FuturePtr> stamps;
  {
    std::lock_guard<std::mutex> lock(mutex_);
    if (poisoned_ == 0) poisoned_ = error;
    pending.swap(pending_);
    stamps.swap(stampWaiters_);
  }
  for (auto& weak : pending) {
    if (auto future = weak.lock()) future->fail(error);
  }
  for (auto& future : stamps) future->fail(error);
}

void Transaction::cancel() { poison(error::transactionCancelled); }

void Transaction::reset() {
  poison(error::transactionCancelled);
  std::lock_guard<std::mutex> lock(mutex_);
  clear();
}

void Transaction::abandon() {
  cancel();
  network().loop.post([self = shared_from_this()] { network().loop.cancel(self->timer_); });
}

void Transaction::setReadVersion(int64_t version) {
  std::lock_guard<std::mutex> lock(mutex_);
  int32_t error = 0;
  if (version_ >= 0 || askedVersion_) error = error::readVersionAlreadySet;
  if (version <= 0) error = error::versionInvalid;
  if (error != 0) {
    if (deferred_ == 0) deferred_ = error;
    return;
  }
  version_ = version;
}

// withVersion goes on with the transaction's read version, which it asks for if
// there is none yet. On the network thread.
void Transaction::withVersion(WithVersion next) {
  int64_t version;
  uint64_t generation;
  {
    std::lock_guard<std::mutex> lock(mutex_);
    version = version_;
    generation = generation_;
    if (version < 0) waiting_.push_back(next);
    if (version < 0 && askedVersion_) return;
    askedVersion_ = true;
  }
  if (version >= 0) {
    next(0, version);
    return;
  }
  database_->cluster->call(Request(), [self = shared_from_this(), generation](Reply reply) {
    DatabaseHandle& database = *self->database_;
    if (reply.error == 0) database.lowestVersion = std::min(database.lowestVersion, reply.version);
    std::vector<WithVersion> waiting;
    {
      std::lock_guard<std::mutex> lock(self->mutex_);
      if (generation != self->generation_) return;
      self->askedVersion_ = false;
      if (reply.error == 0) self->version_ = reply.version;
      waiting.swap(self->waiting_);
    }
    for (auto& next : waiting) next(reply.error, reply.version);
  });
}

FuturePtr Transaction::readVersion() {
  std::lock_guard<std::mutex> lock(mutex_);
  auto future = begin();
  network().loop.post([self = shared_from_this(), future] {
    if (future->ready()) return;
    self->withVersion([future](int32_t error, int64_t version) {
      Reply reply;
      reply.error = error;
      reply.version = version;
      future->finish(std::move(reply));
    });
  });
  return future;
}

// checkRead says why a read cannot be made. The caller holds the lock.
int32_t Transaction::checkRead(const Request& r) const {
  if (deferred_ != 0) return deferred_;
  const Bytes& key = r.op == Op::Get ? r.key : r.begin.key;
  if (key > systemKeys || r.end.key > systemKeys || (r.op == Op::Get && key >= systemKeys)) {
    return error::keyOutsideLegalRange;
  }
  // The simulation does not merge a transaction's own writes into its reads.
  if (settings_.readOwnWrites && !mutations_.empty()) return error::unsupportedOperation;
  return 0;
}

// readAt makes a read at the transaction's version.
void Transaction::readAt(const FuturePtr& future, Request request) {
  auto held = std::make_shared<Request>(std::move(request));
  network().loop.post([self = shared_from_this(), future, held] {
    if (future->ready()) return;
    self->withVersion([self, future, held](int32_t error, int64_t version) {
      if (error == 0 && version < self->database_->lowestVersion) error = error::transactionTooOld;
      if (error != 0) {
        future->fail(error);
        return;
      }
      held->version = version;
      self->database_->cluster->call(std::move(*held), [future](Reply reply) { future->finish(std::move(reply)); });
    });
  });
}

FuturePtr Transaction::get(Bytes key, bool snapshot) {
  Request request;
  request.op = Op::Get;
  if (hasPrefix(key, controlPrefix)) {
    auto future = std::make_shared<Future>();
    request.op = Op::Control;
    request.key = key.substr(controlPrefix.size());
    network().loop.post([self = shared_from_this(), future, request] {
      self->database_->cluster->call(request, [future](Reply reply) { future->finish(std::move(reply)); });
    });
    return future;
  }
  request.key = std::move(key);
  return read(std::move(request), snapshot);
}

FuturePtr Transaction::read(Request request, bool snapshot) {
  std::lock_guard<std::mutex> lock(mutex_);
  if (request.op == Op::Range && hasPrefix(request.begin.key, conflictingKeysPrefix)) {
    auto future = std::make_shared<Future>();
    future->finish(conflictingKeys());
    return future;
  }
  auto future = begin();
  if (future->ready()) return future;
  if (int32_t error = checkRead(request)) {
    future->fail(error);
    return future;
  }
  if (!snapshot) {
    // Range reads conflict with all that was asked for, though less may have been read.
    KeyRange range = request.op == Op::Get ? point(request.key) : KeyRange{request.begin.key, request.end.key};
    size_ += sizeOf(range);
    reads_.push_back(std::move(range));
  }
  readAt(future, std::move(request));
  return future;
}

// check says why a mutation cannot be made.
int32_t Transaction::check(const Mutation& m) const {
  bool clears = m.type == mutationClearRange;
  if (m.key > systemKeys || (clears ? m.value > systemKeys : m.key == systemKeys)) return error::keyOutsideLegalRange;
  if (clears) return 0;
  if (m.key.size() > maxKey) return error::keyTooLarge;
  if (m.value.size() > maxValue) return error::valueTooLarge;
  if (m.type == mutationSet) return 0;
  if (!knownOperation(m.type)) return error::invalidMutationType;
  const Bytes* stamped = m.type == FDB_MUTATION_TYPE_SET_VERSIONSTAMPED_KEY     ? &m.key
                         : m.type == FDB_MUTATION_TYPE_SET_VERSIONSTAMPED_VALUE ? &m.value
                                                                                : nullptr;
  if (stamped == nullptr) return 0;
  if (stamped->size() < 4) return error::clientInvalidOperation;
  uint64_t at = 0;
  for (int i = 0; i < 4; i++) at |= uint64_t(uint8_t((*stamped)[stamped->size() - 4 + i])) << (8 * i);
  return at + 10 > stamped->size() - 4 ? error::clientInvalidOperation : 0;
}

void Transaction::mutate(Mutation m) {
  std::lock_guard<std::mutex> lock(mutex_);
  int32_t error = commits_ ? error::usedDuringCommit : check(m);
  if (error != 0) {
    if (deferred_ == 0) deferred_ = error;
    return;
  }
  if (m.type == mutationClearRange && m.key >= m.value) return;
  size_ += sizeOf(m);
  if (m.type != FDB_MUTATION_TYPE_SET_VERSIONSTAMPED_KEY) {
    writes_.push_back(m.type == mutationClearRange ? KeyRange{m.key, m.value} : point(m.key));
    size_ += sizeOf(writes_.back());
  }
  mutations_.push_back(std::move(m));
}

int32_t Transaction::addConflict(KeyRange range, bool read) {
  if (range.begin > range.end) return error::invertedRange;
  std::lock_guard<std::mutex> lock(mutex_);
  if (commits_) return error::usedDuringCommit;
  if (range.begin > systemKeys || range.end > systemKeys) return error::keyOutsideLegalRange;
  if (range.begin == range.end) return 0;
  size_ += sizeOf(range);
  (read ? reads_ : writes_).push_back(std::move(range));
  return 0;
}

// checkCommit says why the transaction cannot be committed. The caller holds the lock.
int32_t Transaction::checkCommit() const {
  if (deferred_ != 0) return deferred_;
  return size_ > settings_.sizeLimit ? error::transactionTooLarge : 0;
}

// addSelfConflict sees to it that the transaction conflicts with itself, so that
// it cannot be committed twice. The caller holds the lock.
void Transaction::addSelfConflict() {
  if (!settings_.selfConflict) return;
  for (const KeyRange& write : writes_) {
    for (const KeyRange& read : reads_) {
      if (overlap(write, read)) return;
    }
  }
  static std::atomic<uint64_t> number{std::random_device{}()};
  KeyRange own = point("\xff/SC/" + std::to_string(++number));
  reads_.push_back(own);
  writes_.push_back(own);
}

FuturePtr Transaction::commit() {
  std::lock_guard<std::mutex> lock(mutex_);
  auto future = begin();
  if (future->ready()) return future;
  if (int32_t error = checkCommit()) {
    future->fail(error);
    return future;
  }
  commits_ = true;
  if (mutations_.empty() && writes_.empty()) {
    committed_ = -1;
    future->finish(Reply());
    return future;
  }
  addSelfConflict();
  auto request = std::make_shared<Request>();
  request->op = Op::Commit;
  request->mutations = std::move(mutations_);
  request->reads = reads_;
  request->writes = writes_;
  request->report = settings_.report;
  network().loop.post([self = shared_from_this(), future, request, generation = generation_] {
    if (future->ready()) return;
    self->withVersion([=](int32_t error, int64_t version) {
      if (error != 0) {
        future->fail(error);
        return;
      }
      request->version = version;
      self->database_->cluster->call(std::move(*request), [=](Reply reply) {
        self->committed(future, std::move(reply), generation);
      });
    });
  });
  return future;
}

// committed takes the result of the commit.
void Transaction::committed(const FuturePtr& future, Reply reply, uint64_t generation) {
  std::vector<FuturePtr> stamps;
  Reply stamp;
  {
    std::lock_guard<std::mutex> lock(mutex_);
    if (generation != generation_) return;
    stamps.swap(stampWaiters_);
    if (reply.error == 0) {
      committed_ = reply.version;
      for (int i = 7; i >= 0; i--) stamp_ += char(uint64_t(reply.version) >> (8 * i));
      stamp_ += char(reply.batch >> 8);
      stamp_ += char(reply.batch);
      stamp.value = stamp_;
    } else {
      stamp.error = error::transactionInvalidVersion;
      for (uint32_t index : reply.conflicts) lost_.push_back(reads_[index]);
    }
  }
  for (auto& waiter : stamps) waiter->finish(stamp);
  future->finish(std::move(reply));
}

// conflictingKeys returns where the lost read conflict ranges, joined, begin and
// end. The caller holds the lock.
Reply Transaction::conflictingKeys() const {
  std::vector<KeyRange> joined = lost_;
  std::sort(joined.begin(), joined.end(), [](const KeyRange& a, const KeyRange& b) { return a.begin < b.begin; });
  Reply reply;
  for (size_t i = 0; i < joined.size();) {
    KeyRange range = joined[i++];
    for (; i < joined.size() && joined[i].begin <= range.end; i++) range.end = std::max(range.end, joined[i].end);
    reply.kvs.emplace_back(conflictingKeysPrefix + range.begin, "1");
    reply.kvs.emplace_back(conflictingKeysPrefix + range.end, "0");
  }
  return reply;
}

int32_t Transaction::committedVersion(int64_t& out) {
  std::lock_guard<std::mutex> lock(mutex_);
  if (committed_ == 0) return error::transactionInvalidVersion;
  out = committed_;
  return 0;
}

FuturePtr Transaction::versionstamp() {
  std::lock_guard<std::mutex> lock(mutex_);
  auto future = std::make_shared<Future>();
  if (committed_ == -1) {
    future->fail(error::noCommitVersion);
  } else if (!stamp_.empty()) {
    Reply reply;
    reply.value = stamp_;
    future->finish(std::move(reply));
  } else {
    stampWaiters_.push_back(future);
  }
  return future;
}

FuturePtr Transaction::approximateSize() {
  std::lock_guard<std::mutex> lock(mutex_);
  auto future = begin();
  Reply reply;
  reply.version = size_;
  future->finish(std::move(reply));
  return future;
}

FuturePtr Transaction::onError(int32_t code) {
  constexpr int64_t backOff = 2000;  // microseconds
  auto future = std::make_shared<Future>();
  if (!error::retryable(code)) {
    future->fail(code);
    return future;
  }
  reset();
  network().loop.post([future] { network().loop.after(backOff, [future] { future->finish(Reply()); }); });
  return future;
}

}  // namespace fdbsim
