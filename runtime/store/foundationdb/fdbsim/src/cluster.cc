#include "cluster.h"

#include <mutex>

namespace fdbsim {

namespace {

class Local : public Cluster {
 public:
  explicit Local(Loop& loop) : database_(std::make_shared<Database>(loop)) {}
  void call(Request request, Answer answer) override { database_->handle(std::move(request), std::move(answer)); }

 private:
  std::shared_ptr<Database> database_;
};

// inMemory returns the cluster of that name in this process.
std::shared_ptr<Cluster> inMemory(const Bytes& name, Loop& loop) {
  static std::mutex mutex;
  static std::map<Bytes, std::weak_ptr<Cluster>> open;
  std::lock_guard<std::mutex> lock(mutex);
  std::shared_ptr<Cluster> cluster = open[name].lock();
  if (cluster == nullptr) {
    cluster = std::make_shared<Local>(loop);
    open[name] = cluster;
  }
  return cluster;
}

}  // namespace

std::shared_ptr<Cluster> connect(const Bytes& connectionString, Loop& loop) {
  const Bytes scheme = "fdbsim:", memory = "memory", socket = "unix:";
  size_t at = connectionString.find('@');
  if (connectionString.compare(0, scheme.size(), scheme) != 0 || at == Bytes::npos) return nullptr;
  Bytes name = connectionString.substr(scheme.size(), at - scheme.size());
  Bytes place = connectionString.substr(at + 1);
  if (place == memory) return inMemory(name, loop);
  if (place.compare(0, socket.size(), socket) == 0) return std::make_shared<Remote>(place.substr(socket.size()), loop);
  return nullptr;
}

}  // namespace fdbsim
