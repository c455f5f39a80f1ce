// fdbsimd serves one simulated cluster on a unix socket, so that several
// processes share it. Usage: fdbsimd SOCKET
#include <csignal>
#include <cstdio>

#include "cluster.h"

int main(int argc, char** argv) {
  if (argc != 2) {
    fprintf(stderr, "usage: fdbsimd SOCKET\n");
    return 2;
  }
  signal(SIGPIPE, SIG_IGN);
  int fd = fdbsim::listenOn(argv[1]);
  if (fd < 0) {
    perror(argv[1]);
    return 1;
  }
  fdbsim::Loop loop;
  fdbsim::Server server(fd, loop);
  printf("fdbsim:server@unix:%s\n", argv[1]);
  fflush(stdout);
  loop.run();
  return 0;
}
