// Package threelists appends to lists in three services in one transaction, and
// undoes all of it when either the caller or one of the callees wants out.
package threelists

//go:generate go run github.com/onefold/onefold/cmd/onefold generate ./...
