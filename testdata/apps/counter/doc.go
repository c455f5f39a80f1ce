// Package counter is the smallest application: one service with state, alone,
// behind a chain of two stateless services, and twice below a tree.
package counter

//go:generate go run github.com/onefold/onefold/cmd/onefold generate ./...
