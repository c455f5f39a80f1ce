// Package bench measures the whole: requests across processes next to the same
// written by hand, and what becomes of throughput when many want the same keys. It has
// only tests; see the bench targets of the Makefile.
package bench
