// Package travel books trips: a room, a seat and an order, all or nothing.
package travel

//go:generate go run github.com/onefold/onefold/cmd/onefold generate ./...
