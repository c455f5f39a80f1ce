#include "loop.h"

#include <fcntl.h>
#include <poll.h>
#include <unistd.h>

#include <chrono>
#include <cstdio>
#include <cstdlib>

namespace fdbsim {

int64_t monotonic() {
  using namespace std::chrono;
  return duration_cast<microseconds>(steady_clock::now().time_since_epoch()).count();
}

Loop::Loop() {
  if (pipe(wake_) != 0) {
    perror("fdbsim: pipe");
    abort();
  }
  for (int fd : wake_) {
    fcntl(fd, F_SETFL, O_NONBLOCK);
    fcntl(fd, F_SETFD, FD_CLOEXEC);
  }
}

Loop::~Loop() {
  close(wake_[0]);
  close(wake_[1]);
}

void Loop::post(Task task) {
  std::lock_guard<std::mutex> lock(mutex_);
  tasks_.push_back(std::move(task));
  if (!woken_) {
    woken_ = true;
    (void)!write(wake_[1], "", 1);
  }
}

void Loop::stop() {
  post([this] {
    std::lock_guard<std::mutex> lock(mutex_);
    stopped_ = true;
  });
}

uint64_t Loop::after(int64_t microseconds, Task task) {
  uint64_t number = nextTimer_++;
  int64_t when = monotonic() + microseconds;
  timers_.emplace(Key{when, number}, std::move(task));
  due_[number] = when;
  return number;
}

void Loop::cancel(uint64_t timer) {
  auto it = due_.find(timer);
  if (it == due_.end()) return;
  timers_.erase(Key{it->second, timer});
  due_.erase(it);
}

void Loop::watch(int fd, bool writable, std::function<void(short)> ready) {
  watches_[fd] = Watch{short(writable ? POLLIN | POLLOUT : POLLIN), std::move(ready)};
}

void Loop::unwatch(int fd) { watches_.erase(fd); }

void Loop::run() {
  for (;;) {
    runTasks();
    runTimers();
    {
      std::lock_guard<std::mutex> lock(mutex_);
      if (stopped_) return;
    }
    wait();
  }
}

void Loop::runTasks() {
  std::vector<Task> tasks;
  {
    std::lock_guard<std::mutex> lock(mutex_);
    tasks.swap(tasks_);
  }
  for (Task& task : tasks) task();
}

void Loop::runTimers() {
  while (!timers_.empty() && timers_.begin()->first.first <= monotonic()) {
    auto first = timers_.begin();
    Task task = std::move(first->second);
    due_.erase(first->first.second);
    timers_.erase(first);
    task();
  }
}

int64_t Loop::untilNextTimer() const {
  if (timers_.empty()) return -1;
  int64_t left = timers_.begin()->first.first - monotonic();
  return left > 0 ? left : 0;
}

// wait sleeps until a task, a timer or a file descriptor needs the loop.
void Loop::wait() {
  std::vector<pollfd> fds{{wake_[0], POLLIN, 0}};
  for (auto& [fd, w] : watches_) fds.push_back({fd, w.events, 0});
  timespec timeout{};
  int64_t left = untilNextTimer();
  {
    std::lock_guard<std::mutex> lock(mutex_);
    if (!tasks_.empty()) left = 0;
  }
  timeout.tv_sec = left / 1000000;
  timeout.tv_nsec = left % 1000000 * 1000;
  ppoll(fds.data(), fds.size(), left < 0 ? nullptr : &timeout, nullptr);
  if (fds[0].revents != 0) {
    std::lock_guard<std::mutex> lock(mutex_);
    char buffer[64];
    while (read(wake_[0], buffer, sizeof buffer) > 0) {
    }
    woken_ = false;
  }
  for (size_t i = 1; i < fds.size(); i++) {
    auto it = watches_.find(fds[i].fd);
    if (fds[i].revents == 0 || it == watches_.end()) continue;
    auto ready = it->second.ready;  // it may unwatch itself
    ready(fds[i].revents);
  }
}

}  // namespace fdbsim
