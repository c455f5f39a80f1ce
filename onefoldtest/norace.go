//go:build !race

package onefoldtest

// raceDetector reports whether the race detector watches. It does not see that virtual
// time keeps the goroutines of a simulated plain program apart.
const raceDetector = false
