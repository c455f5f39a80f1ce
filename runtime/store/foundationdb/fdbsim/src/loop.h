// The event loop: one thread runs everything that is not a call of the C
// interface, as FoundationDB's network thread does.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <mutex>
#include <vector>

namespace fdbsim {

using Task = std::function<void()>;

class Loop {
 public:
  Loop();
  ~Loop();
  Loop(const Loop&) = delete;
  Loop& operator=(const Loop&) = delete;

  void run();   // until stop
  void stop();  // from any thread

  // post runs task on the loop's thread, in order. From any thread.
  void post(Task task);

  // The rest is for the loop's own thread.

  // after runs task once, in that many microseconds of real time.
  uint64_t after(int64_t microseconds, Task task);
  void cancel(uint64_t timer);

  // watch calls ready with poll's events while fd is readable, or writable if
  // that is asked for.
  void watch(int fd, bool writable, std::function<void(short)> ready);
  void unwatch(int fd);

 private:
  struct Watch {
    short events;
    std::function<void(short)> ready;
  };
  using Key = std::pair<int64_t, uint64_t>;  // when it is due, its number

  int64_t untilNextTimer() const;
  void runTimers();
  void runTasks();
  void wait();

  int wake_[2];
  std::mutex mutex_;
  bool stopped_ = false;     // guarded by mutex_
  bool woken_ = false;       // guarded by mutex_
  std::vector<Task> tasks_;  // guarded by mutex_
  uint64_t nextTimer_ = 1;
  std::map<Key, Task> timers_;
  std::map<uint64_t, int64_t> due_;
  std::map<int, Watch> watches_;
};

// monotonic returns microseconds of real time.
int64_t monotonic();

}  // namespace fdbsim
