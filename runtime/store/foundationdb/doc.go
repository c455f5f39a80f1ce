// Package foundationdb is the store engine on a FoundationDB cluster: the one
// for production, with many processes on many machines.
//
// It needs FoundationDB's C client (libfdb_c 7.3) and cgo, and is therefore
// built only with -tags foundationdb; without the tag Open says so. The package
// fdbsim below it is a test double of that client, with which the engine is
// tested where no cluster is to be had.
//
// The engine is thin. It shares read versions among the requests that wait for
// one, reads in transactions that see no writes of their own, and hands each
// commit to a transaction of its own, with its read version and its conflict
// ranges given explicitly. It never retries: whoever counts attempts must see
// every failure. What FoundationDB's errors become is in one table, failures.
// A commit that ended in an error which does not prove that nothing happened is
// store.ErrUnknown.
//
// Network options (TLS, tracing, …) are taken from the environment, as by every
// FoundationDB client: FDB_NETWORK_OPTION_TLS_CERT_PATH and so on.
package foundationdb

import "time"

// Options adjust an engine. The zero value is what production wants.
type Options struct {
	// ClusterFile is the path of the cluster file; by default that of
	// FDB_CLUSTER_FILE, or else the system's.
	ClusterFile string
	// Timeout bounds every transaction that the engine makes, in case the
	// caller's context does not; 10 s by default. A read version lives half as long.
	Timeout time.Duration
}
