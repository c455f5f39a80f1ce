// Package shortener shortens the links in posts.
package shortener

//go:generate go run github.com/onefold/onefold/cmd/onefold generate ./...
