// How a client reaches a simulated cluster: in its own process, or in that of a
// server behind a unix socket.
#pragma once

#include <map>
#include <memory>

#include "database.h"
#include "loop.h"
#include "message.h"

namespace fdbsim {

// Cluster is used on the loop's thread, apart from its construction.
class Cluster {
 public:
  virtual ~Cluster() = default;
  virtual void call(Request request, Answer answer) = 0;
};

// connect returns the cluster that a connection string names, nullptr if it
// is not one of fdbsim's: fdbsim:NAME@memory or fdbsim:NAME@unix:PATH. A cluster
// in memory lives as long as somebody is connected to it.
std::shared_ptr<Cluster> connect(const Bytes& connectionString, Loop& loop);

// Remote is a cluster behind a socket. It connects again when the connection
// breaks, and then asks again what may be asked twice; a commit under way has an
// unknown result.
class Remote : public Cluster, public std::enable_shared_from_this<Remote> {
 public:
  Remote(Bytes path, Loop& loop) : path_(std::move(path)), loop_(loop) {}
  ~Remote() override;
  void call(Request request, Answer answer) override;

 private:
  struct Call {
    Request request;
    Answer answer;
    bool sent = false;
  };

  void open();
  void close();
  void ready(short events);
  bool receive();
  void send();

  Bytes path_;
  Loop& loop_;
  int fd_ = -1;
  bool opening_ = false;
  uint64_t number_ = 0;
  std::map<uint64_t, Call> calls_;
  Bytes in_, out_;
};

// listenOn returns a socket that listens at path, -1 with errno set on failure.
int listenOn(const Bytes& path);

// Server answers the clients that connect to a socket.
class Server {
 public:
  Server(int listening, Loop& loop);

 private:
  struct Client {
    int fd;
    Bytes in, out;
  };

  void accept();
  void ready(const std::shared_ptr<Client>& client, short events);
  bool receive(const std::shared_ptr<Client>& client);
  void send(const std::shared_ptr<Client>& client);
  void drop(const std::shared_ptr<Client>& client);

  int listening_;
  Loop& loop_;
  std::shared_ptr<Database> database_;
};

}  // namespace fdbsim
