// Package byhand is requests of the test applications as somebody would write them
// over the raw store who knows it well: net/http, the same codecs, one optimistic
// transaction a request, the same keys; in one process, or with each service in a
// process of its own, whose part in a transaction comes back to the root over the same
// transport. Only exactly-once is missing: a request that is sent twice happens twice.
package byhand
