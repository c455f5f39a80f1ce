// Package fdbsim drives a simulated FoundationDB: a test double of the client
// library libfdb_c and of a cluster behind it, written for onefold's tests.
//
// The double is in C++ (src, include; make builds libfdb_c.so and fdbsimd). It has the part of the C
// interface that the Go binding calls, so that the real binding is compiled and
// run against it: asynchronous futures on a network thread, read versions,
// multi-version reads, commits in batches with conflict detection on ranges,
// atomic operations, versionstamps, limits, timeouts, the window of five
// seconds. It keeps everything in memory, in this process or in that of a
// server, fdbsimd. It refuses what it does not simulate: tenants, watches,
// reading a transaction's own writes, and any option that it does not know.
//
// It is no proof of how FoundationDB behaves: the same tests are to be run on
// a real cluster. It has been written after FoundationDB's documentation and
// the behaviour of its client, and where a test depends on more than the
// interface's contract, the real thing decides.
//
// This package needs the build tags foundationdb and fdbsim. It reaches the
// double through the binding as well, by reads of keys that no cluster has.
package fdbsim
