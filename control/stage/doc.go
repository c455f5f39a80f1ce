// Package stage runs a compiled application as many processes on one machine: a
// storage process, and one process for each replica of each service, behind a
// gateway. It restarts what dies, and lets controllers see and steer what runs: list
// replicas, limit their CPU, pause them, and change their number.
//
// Nothing outlives the program that has a stage, even if that is killed: on Linux
// the kernel then kills the processes.
package stage
