// Package gateway balances the requests of an application over the replicas of
// its services, and hides from clients that replicas die, hang, start and stop.
//
// A request without an identity gets an Onefold-Id before its first delivery,
// so the gateway may deliver it again: after a failed connection, to a replica that
// answers that it is stopping, and when a replica that has the request stops to
// answer health checks. Each delivery goes to the replica with the fewest requests.
// A request for which no replica is ready waits for one, up to its deadline.
package gateway
