// Package nightly adds the day's sales of all shops up, each night.
package nightly

//go:generate go run github.com/onefold/onefold/cmd/onefold generate ./...
