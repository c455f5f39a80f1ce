#include "future.h"

#include <atomic>

#include "errors.h"

struct FDB_future {
  fdbsim::FuturePtr future;
};

namespace fdbsim {

namespace {
std::atomic<int64_t> live{0};
}

Future::Future() { live++; }
Future::~Future() { live--; }
int64_t liveFutures() { return live; }

FDBFuture* handleOf(FuturePtr future) { return new FDB_future{std::move(future)}; }

void Future::finish(Reply reply) {
  FDBFuture* handle;
  FDBCallback callback;
  void* parameter;
  {
    std::lock_guard<std::mutex> lock(mutex_);
    if (ready_) return;
    ready_ = true;
    reply_ = std::move(reply);
    array_.reserve(reply_.kvs.size());
    for (auto& [key, value] : reply_.kvs) {
      array_.push_back({reinterpret_cast<const uint8_t*>(key.data()), int(key.size()),
                        reinterpret_cast<const uint8_t*>(value.data()), int(value.size())});
    }
    handle = handle_;
    callback = callback_;
    parameter = parameter_;
  }
  if (callback != nullptr) callback(handle, parameter);
}

void Future::fail(int32_t error) {
  Reply reply;
  reply.error = error;
  finish(std::move(reply));
}

bool Future::ready() const {
  std::lock_guard<std::mutex> lock(mutex_);
  return ready_;
}

void Future::onReady(FDBFuture* handle, FDBCallback callback, void* parameter) {
  {
    std::lock_guard<std::mutex> lock(mutex_);
    if (!ready_) {
      handle_ = handle;
      callback_ = callback;
      parameter_ = parameter;
      return;
    }
  }
  callback(handle, parameter);
}

int32_t Future::result() const {
  std::lock_guard<std::mutex> lock(mutex_);
  return ready_ ? reply_.error : error::futureNotSet;
}

void Future::release() {
  std::lock_guard<std::mutex> lock(mutex_);
  if (!ready_) return;
  int32_t error = reply_.error;
  reply_ = Reply();
  reply_.error = error;
  array_ = {};
}

}  // namespace fdbsim

using fdbsim::Reply;

void fdb_future_cancel(FDBFuture* f) { f->future->fail(fdbsim::error::operationCancelled); }

void fdb_future_release_memory(FDBFuture* f) { f->future->release(); }

void fdb_future_destroy(FDBFuture* f) {
  f->future->fail(fdbsim::error::operationCancelled);
  delete f;
}

fdb_bool_t fdb_future_is_ready(FDBFuture* f) { return f->future->ready(); }

fdb_error_t fdb_future_set_callback(FDBFuture* f, FDBCallback callback, void* parameter) {
  auto future = f->future;  // the callback may destroy f
  future->onReady(f, callback, parameter);
  return 0;
}

fdb_error_t fdb_future_get_error(FDBFuture* f) { return f->future->result(); }

fdb_error_t fdb_future_get_int64(FDBFuture* f, int64_t* out) {
  if (int32_t error = f->future->result()) return error;
  *out = f->future->reply().version;
  return 0;
}

fdb_error_t fdb_future_get_key(FDBFuture* f, uint8_t const** key, int* length) {
  if (int32_t error = f->future->result()) return error;
  const Reply& reply = f->future->reply();
  *key = reinterpret_cast<const uint8_t*>(reply.value.data());
  *length = int(reply.value.size());
  return 0;
}

fdb_error_t fdb_future_get_value(FDBFuture* f, fdb_bool_t* present, uint8_t const** value, int* length) {
  if (int32_t error = fdb_future_get_key(f, value, length)) return error;
  *present = f->future->reply().present;
  return 0;
}

fdb_error_t fdb_future_get_keyvalue_array(FDBFuture* f, FDBKeyValue const** kvs, int* count, fdb_bool_t* more) {
  if (int32_t error = f->future->result()) return error;
  *kvs = f->future->array().data();
  *count = int(f->future->array().size());
  *more = f->future->reply().more;
  return 0;
}

// Nothing that fdbsim supports has these results.
fdb_error_t fdb_future_get_key_array(FDBFuture*, FDBKey const**, int*) { return fdbsim::error::unsupportedOperation; }

fdb_error_t fdb_future_get_string_array(FDBFuture*, const char***, int*) { return fdbsim::error::unsupportedOperation; }
