// Package media reviews movies: the media microservice application of the Beldi
// and DeathStarBench suites, all fourteen services of it.
package media

//go:generate go run github.com/onefold/onefold/cmd/onefold generate ./...
