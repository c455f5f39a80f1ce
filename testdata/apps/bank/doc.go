// Package bank moves money between accounts: sentinel errors, an exported error
// type, nested transactions and an audit log.
package bank

//go:generate go run github.com/onefold/onefold/cmd/onefold generate ./...
