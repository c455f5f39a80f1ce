// The client's side: databases and transactions, which belong to the callers'
// threads and the network thread both.
#pragma once

#include <memory>
#include <mutex>
#include <optional>
#include <vector>

#include "cluster.h"
#include "future.h"
#include "loop.h"

namespace fdbsim {

// Limits of FoundationDB.
constexpr size_t maxKey = 10000, maxValue = 100000;
constexpr int64_t maxTransaction = 10000000;

// Network is the event loop of this process.
struct Network {
  Loop loop;
  std::mutex mutex;
  bool ready = false, running = false, stopped = false;  // guarded by mutex
};
Network& network();

// Settings are what options set; a database's are those its transactions begin with.
struct Settings {
  int64_t timeout = 0;  // milliseconds, 0 is none
  int64_t sizeLimit = maxTransaction;
  bool readOwnWrites = true;
  bool report = false;
  bool selfConflict = true;
};

// DatabaseHandle is an open database.
struct DatabaseHandle {
  std::shared_ptr<Cluster> cluster;
  Settings settings;  // guarded by mutex
  std::mutex mutex;
  // The client reads at no version below all that it was given: it cannot tell
  // that such a one is of this cluster. The network thread's.
  int64_t lowestVersion = INT64_MAX;
};

// Transaction is one transaction. Its methods lock it.
class Transaction : public std::enable_shared_from_this<Transaction> {
 public:
  explicit Transaction(std::shared_ptr<DatabaseHandle> database);
  ~Transaction();

  int32_t setTimeout(int64_t milliseconds);
  int32_t setSizeLimit(int64_t bytes);
  int32_t disableReadYourWrites();
  void reportConflicts();
  void riskCausality();

  void setReadVersion(int64_t version);
  FuturePtr readVersion();
  FuturePtr get(Bytes key, bool snapshot);
  FuturePtr read(Request request, bool snapshot);  // GetKey and Range

  void mutate(Mutation mutation);
  int32_t addConflict(KeyRange range, bool read);
  FuturePtr commit();
  int32_t committedVersion(int64_t& out);
  FuturePtr versionstamp();
  FuturePtr approximateSize();
  FuturePtr onError(int32_t error);
  void cancel();
  void reset();
  // abandon ends what is under way, when nobody can ask for it any more.
  void abandon();

 private:
  using WithVersion = std::function<void(int32_t error, int64_t version)>;

  FuturePtr begin();
  void arm();
  void timedOut(uint64_t generation);
  void poison(int32_t error);
  void withVersion(WithVersion next);
  void readAt(const FuturePtr& future, Request request);
  int32_t checkRead(const Request& request) const;
  int32_t check(const Mutation& mutation) const;
  int32_t checkCommit() const;
  void addSelfConflict();
  void committed(const FuturePtr& future, Reply reply, uint64_t generation);
  Reply conflictingKeys() const;
  void clear();

  const std::shared_ptr<DatabaseHandle> database_;
  mutable std::mutex mutex_;
  uint64_t generation_ = 0;  // resets
  Settings settings_;
  int64_t created_ = 0;
  uint64_t timer_ = 0;       // the network thread's
  bool armed_ = false;
  int32_t poisoned_ = 0;     // why nothing can be done any more
  std::vector<std::weak_ptr<Future>> pending_;

  int64_t version_ = -1;
  bool askedVersion_ = false;
  std::vector<WithVersion> waiting_;

  std::vector<Mutation> mutations_;
  std::vector<KeyRange> reads_, writes_;
  int64_t size_ = 0;
  int32_t deferred_ = 0;  // the first error of a call that returns none
  bool commits_ = false;
  int64_t committed_ = 0;  // 0 unknown, -1 read-only
  std::vector<FuturePtr> stampWaiters_;
  Bytes stamp_;
  std::vector<KeyRange> lost_;  // read conflict ranges, joined
};

int64_t liveTransactions();

}  // namespace fdbsim
