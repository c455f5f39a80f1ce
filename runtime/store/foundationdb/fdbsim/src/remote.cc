#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "cluster.h"
#include "errors.h"

namespace fdbsim {

namespace {

constexpr int64_t reopenAfter = 20000;  // microseconds

bool addressOf(const Bytes& path, sockaddr_un& address) {
  memset(&address, 0, sizeof address);
  address.sun_family = AF_UNIX;
  if (path.size() >= sizeof address.sun_path) {
    errno = ENAMETOOLONG;
    return false;
  }
  memcpy(address.sun_path, path.data(), path.size());
  return true;
}

int openSocket() { return socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0); }

// receiveInto appends what has arrived; it reports false when the other side is gone.
bool receiveInto(int fd, Bytes& in) {
  char buffer[64 << 10];
  for (;;) {
    ssize_t n = recv(fd, buffer, sizeof buffer, 0);
    if (n > 0) {
      in.append(buffer, size_t(n));
      continue;
    }
    return n < 0 && (errno == EAGAIN || errno == EINTR);
  }
}

// sendFrom sends what the socket takes of out.
void sendFrom(int fd, Bytes& out) {
  size_t sent = 0;
  while (sent < out.size()) {
    ssize_t n = ::send(fd, out.data() + sent, out.size() - sent, MSG_NOSIGNAL);
    if (n <= 0) break;
    sent += size_t(n);
  }
  out.erase(0, sent);
}

}  // namespace

Remote::~Remote() {
  if (fd_ < 0) return;
  loop_.post([fd = fd_, &loop = loop_] {
    loop.unwatch(fd);
    ::close(fd);
  });
}

void Remote::call(Request request, Answer answer) {
  calls_[++number_] = Call{std::move(request), std::move(answer)};
  send();
}

void Remote::open() {
  opening_ = false;
  sockaddr_un address;
  fd_ = addressOf(path_, address) ? openSocket() : -1;
  if (fd_ >= 0 && connect(fd_, reinterpret_cast<sockaddr*>(&address), sizeof address) == 0) {
    send();
    return;
  }
  close();
}

// close ends the connection and opens another one soon.
void Remote::close() {
  if (fd_ >= 0) {
    loop_.unwatch(fd_);
    ::close(fd_);
    fd_ = -1;
  }
  in_.clear();
  out_.clear();
  std::vector<Answer> unknown;
  for (auto it = calls_.begin(); it != calls_.end();) {
    Call& call = it->second;
    if (call.sent && call.request.op == Op::Commit) {
      unknown.push_back(std::move(call.answer));
      it = calls_.erase(it);
      continue;
    }
    call.sent = false;
    ++it;
  }
  if (!opening_) {
    opening_ = true;
    loop_.after(reopenAfter, [self = weak_from_this()] {
      if (auto remote = self.lock()) remote->open();
    });
  }
  Reply reply;
  reply.error = error::commitUnknownResult;
  for (Answer& answer : unknown) answer(reply);
}

void Remote::ready(short events) {
  auto self = shared_from_this();
  if ((events & (POLLIN | POLLHUP | POLLERR)) != 0 && !receive()) {
    close();
    return;
  }
  send();
}

bool Remote::receive() {
  bool open = receiveInto(fd_, in_);
  size_t at = 0;
  uint64_t number;
  Reply reply;
  while (unframe(in_, at, number, reply)) {
    auto it = calls_.find(number);
    if (it == calls_.end()) continue;
    Answer answer = std::move(it->second.answer);
    calls_.erase(it);
    answer(std::move(reply));
  }
  in_.erase(0, at);
  return open;
}

// send sends the calls that were not sent yet.
void Remote::send() {
  if (fd_ < 0) {
    if (!opening_) open();
    return;
  }
  for (auto& [number, call] : calls_) {
    if (call.sent) continue;
    call.sent = true;
    out_ += frame(number, call.request);
  }
  sendFrom(fd_, out_);
  loop_.watch(fd_, !out_.empty(), [self = weak_from_this()](short events) {
    if (auto remote = self.lock()) remote->ready(events);
  });
}

int listenOn(const Bytes& path) {
  sockaddr_un address;
  if (!addressOf(path, address)) return -1;
  int fd = openSocket();
  if (fd < 0) return -1;
  unlink(path.c_str());
  if (bind(fd, reinterpret_cast<sockaddr*>(&address), sizeof address) == 0 && listen(fd, 128) == 0) return fd;
  ::close(fd);
  return -1;
}

Server::Server(int listening, Loop& loop)
    : listening_(listening), loop_(loop), database_(std::make_shared<Database>(loop)) {
  loop_.watch(listening_, false, [this](short) { accept(); });
}

void Server::accept() {
  int fd = accept4(listening_, nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC);
  if (fd < 0) return;
  auto client = std::make_shared<Client>(Client{fd, {}, {}});
  send(client);
}

void Server::ready(const std::shared_ptr<Client>& client, short events) {
  if ((events & (POLLIN | POLLHUP | POLLERR)) != 0 && !receive(client)) {
    drop(client);
    return;
  }
  send(client);
}

bool Server::receive(const std::shared_ptr<Client>& client) {
  bool open = receiveInto(client->fd, client->in);
  size_t at = 0;
  uint64_t number;
  Request request;
  while (unframe(client->in, at, number, request)) {
    database_->handle(std::move(request), [this, number, to = std::weak_ptr<Client>(client)](Reply reply) {
      auto client = to.lock();
      if (client == nullptr || client->fd < 0) return;
      client->out += frame(number, reply);
      send(client);
    });
    request = Request();
  }
  client->in.erase(0, at);
  return open;
}

void Server::send(const std::shared_ptr<Client>& client) {
  sendFrom(client->fd, client->out);
  loop_.watch(client->fd, !client->out.empty(), [this, client](short events) { ready(client, events); });
}

void Server::drop(const std::shared_ptr<Client>& client) {
  loop_.unwatch(client->fd);
  ::close(client->fd);
  client->fd = -1;
}

}  // namespace fdbsim
