// Package manifests turns a compiled program into what Kubernetes needs to run it:
// Knative Services, or Deployments with all that belongs to them, built as typed objects
// and checked with Knative's own validation. It reads and writes no files.
//
// # Processes
//
// One program can be any part of its application; the environment says which part
// a process is (see package peer of the runtime). Each service of the spec is a
// workload of its own. A service that no other one calls is public: it answers the
// JSON API. A service that others call is inner: it answers their calls, and nothing else
// reaches it, unless the configuration exposes it. A store that lives in one
// process, the embedded one, makes the whole application one workload with one replica.
package manifests
