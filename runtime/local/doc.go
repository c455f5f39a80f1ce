// Package local runs an application in one process on the embedded store:
// what generated main functions and `onefold run` call, and, with any engine and no
// network, what tests call.
package local
