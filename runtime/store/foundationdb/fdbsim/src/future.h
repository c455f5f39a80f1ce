// Futures: results that arrive on the network thread.
#pragma once

#include <condition_variable>
#include <memory>
#include <mutex>
#include <vector>

#include "../include/foundationdb/fdb_c.h"
#include "message.h"

namespace fdbsim {

// Future is the state behind an FDBFuture. The first result counts.
class Future {
 public:
  Future();
  ~Future();
  Future(const Future&) = delete;
  Future& operator=(const Future&) = delete;

  void finish(Reply reply);
  void fail(int32_t error);
  bool ready() const;

  // onReady calls callback once there is a result, with handle.
  void onReady(FDBFuture* handle, FDBCallback callback, void* parameter);

  // result returns the error of the future, futureNotSet while there is none.
  int32_t result() const;

  // reply is to be read when there is a result.
  const Reply& reply() const { return reply_; }
  const std::vector<FDBKeyValue>& array() const { return array_; }
  void release();

 private:
  mutable std::mutex mutex_;
  bool ready_ = false;
  Reply reply_;
  std::vector<FDBKeyValue> array_;
  FDBFuture* handle_ = nullptr;
  FDBCallback callback_ = nullptr;
  void* parameter_ = nullptr;
};

using FuturePtr = std::shared_ptr<Future>;

// handleOf returns what the interface hands out for a future.
FDBFuture* handleOf(FuturePtr future);

// liveFutures counts the futures that were not freed.
int64_t liveFutures();

}  // namespace fdbsim
