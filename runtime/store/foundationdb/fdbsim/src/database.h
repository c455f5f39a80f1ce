// The simulated cluster: versions, the window of five seconds, conflict
// detection, commits in batches. It belongs to one event loop.
#pragma once

#include <deque>
#include <memory>

#include "faults.h"
#include "loop.h"
#include "message.h"
#include "storage.h"

namespace fdbsim {

class Database : public std::enable_shared_from_this<Database> {
 public:
  explicit Database(Loop& loop) : loop_(loop) {}

  // handle does what a client asks and answers it, perhaps later.
  void handle(Request request, Answer answer);

 private:
  // Commit is one that waits for its batch.
  struct Commit {
    Request request;
    Answer answer;      // none for one that lands late
    int32_t error = 0;  // told instead of success
  };
  struct Late {
    Request request;
    int after;
  };
  struct Write {
    int64_t version;
    KeyRange range;
  };

  int64_t now() const;
  int64_t newest() const;
  int64_t oldest() const;

  void perform(Request& request, const Fault& fault, Answer answer);
  void read(const Request& request, Reply& reply);
  void submit(Commit commit);
  void land(bool all);
  void flush();
  Reply decide(Request& request, int64_t version, uint16_t index);
  bool conflicts(const KeyRange& read, int64_t since) const;
  void apply(Request& request, int64_t version, uint16_t index);

  void control(const Bytes& command, Reply& reply);
  void controlClock(const Words& words);
  Bytes stats() const;

  Loop& loop_;
  Storage storage_;
  Faults faults_;
  std::deque<Write> writes_;  // of the window, by version
  std::vector<Commit> batch_;
  std::vector<Late> late_;
  uint64_t landed_ = 0;    // commits that landed late
  uint64_t batches_ = 0;
  int64_t committed_ = 0;  // the newest version that anyone has seen
  int64_t offset_ = 0;     // of the clock, microseconds
  int64_t frozen_ = -1;    // where the clock stands still
};

}  // namespace fdbsim
