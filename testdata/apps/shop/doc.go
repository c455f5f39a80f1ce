// Package shop is a web shop that uses every construct of the spec language at
// least once. Read the other applications first.
package shop

//go:generate go run github.com/onefold/onefold/cmd/onefold generate ./...
