#include "message.h"

#include <cstring>

namespace fdbsim {

const char* nameOf(Op op) {
  static const char* const names[opCount] = {"grv", "get", "getkey", "range", "commit", "control"};
  return names[int(op)];
}

namespace {

// Writer and Reader have the same interface, so that one function per message
// says what its parts are. Both ends run the same build: numbers are as in memory.
class Writer {
 public:
  template <typename T>
  void number(const T& v) {
    out.append(reinterpret_cast<const char*>(&v), sizeof v);
  }
  void bytes(const Bytes& b) {
    number(uint32_t(b.size()));
    out += b;
  }
  template <typename T, typename F>
  void list(const std::vector<T>& v, F each) {
    number(uint32_t(v.size()));
    for (const T& e : v) each(e);
  }
  Bytes out;
};

class Reader {
 public:
  Reader(const char* from, size_t size) : at_(from), end_(from + size) {}
  template <typename T>
  void number(T& v) {
    if (!take(sizeof v)) return;
    memcpy(&v, at_ - sizeof v, sizeof v);
  }
  void bytes(Bytes& b) {
    uint32_t n = 0;
    number(n);
    if (take(n)) b.assign(at_ - n, n);
  }
  template <typename T, typename F>
  void list(std::vector<T>& v, F each) {
    uint32_t n = 0;
    number(n);
    v.clear();
    while (n-- > 0 && !broken_) {
      v.emplace_back();
      each(v.back());
    }
  }

 private:
  bool take(size_t n) {
    if (broken_ || size_t(end_ - at_) < n) {
      broken_ = true;
      return false;
    }
    at_ += n;
    return true;
  }
  const char *at_, *end_;
  bool broken_ = false;
};

template <typename Coder, typename Message>
void codeSelector(Coder& c, Message& s) {
  c.bytes(s.key);
  c.number(s.orEqual);
  c.number(s.offset);
}

template <typename Coder, typename Message>
void codeRequest(Coder& c, Message& m) {
  auto range = [&](auto& r) {
    c.bytes(r.begin);
    c.bytes(r.end);
  };
  c.number(m.op);
  c.number(m.version);
  c.bytes(m.key);
  codeSelector(c, m.begin);
  codeSelector(c, m.end);
  c.number(m.limit);
  c.number(m.bytes);
  c.number(m.reverse);
  c.list(m.mutations, [&](auto& mutation) {
    c.number(mutation.type);
    c.bytes(mutation.key);
    c.bytes(mutation.value);
  });
  c.list(m.reads, range);
  c.list(m.writes, range);
  c.number(m.report);
}

template <typename Coder, typename Message>
void codeReply(Coder& c, Message& m) {
  c.number(m.error);
  c.number(m.version);
  c.number(m.batch);
  c.number(m.present);
  c.bytes(m.value);
  c.list(m.kvs, [&](auto& kv) {
    c.bytes(kv.first);
    c.bytes(kv.second);
  });
  c.number(m.more);
  c.list(m.conflicts, [&](auto& index) { c.number(index); });
}

Bytes framed(uint64_t number, const Bytes& body) {
  Writer w;
  w.number(number);
  w.bytes(body);
  return w.out;
}

// body finds the first whole message of buffer from at on.
bool body(const Bytes& buffer, size_t& at, uint64_t& number, const char*& from, size_t& size) {
  constexpr size_t header = sizeof(uint64_t) + sizeof(uint32_t);
  if (buffer.size() - at < header) return false;
  uint32_t length;
  memcpy(&number, &buffer[at], sizeof number);
  memcpy(&length, &buffer[at + sizeof number], sizeof length);
  if (buffer.size() - at - header < length) return false;
  from = buffer.data() + at + header;
  size = length;
  at += header + length;
  return true;
}

}  // namespace

Bytes frame(uint64_t number, const Request& request) {
  Writer w;
  codeRequest(w, request);
  return framed(number, w.out);
}

Bytes frame(uint64_t number, const Reply& reply) {
  Writer w;
  codeReply(w, reply);
  return framed(number, w.out);
}

bool unframe(const Bytes& buffer, size_t& at, uint64_t& number, Request& request) {
  const char* from;
  size_t size;
  if (!body(buffer, at, number, from, size)) return false;
  Reader r(from, size);
  codeRequest(r, request);
  return true;
}

bool unframe(const Bytes& buffer, size_t& at, uint64_t& number, Reply& reply) {
  const char* from;
  size_t size;
  if (!body(buffer, at, number, from, size)) return false;
  Reader r(from, size);
  codeReply(r, reply);
  return true;
}

}  // namespace fdbsim
