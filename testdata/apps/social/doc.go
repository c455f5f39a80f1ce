// Package social is a social network: users, who follows whom, posts, and the
// timelines that posts are fanned out to.
package social

//go:generate go run github.com/onefold/onefold/cmd/onefold generate ./...
