// Package suite runs the suites of package onefoldtest over every application in
// testdata/apps. It is all tests.
//
// A test runs with a fixed seed and with a random one, which it logs. To repeat
// the latter, or to look longer:
//
//	ONEFOLD_SEED=123 go test ./onefoldtest/suite -run Differential/shop
//	ONEFOLD_SOAK=100 go test ./onefoldtest/suite -timeout 0
//
// where the soak is how many random seeds each test tries.
package suite
