// Package onboarding makes members of people who sign up: it greets them, gives them two
// days, reminds them, and forgets them if they never confirm.
package onboarding

//go:generate go run github.com/onefold/onefold/cmd/onefold generate ./...
