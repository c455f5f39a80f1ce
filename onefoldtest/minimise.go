package onefoldtest

import "slices"

// mostRuns bounds how often a failing sequence is run to make it shorter.
const mostRuns = 400

// minimise drops steps as long as the rest still fails, and returns the rest and
// how it fails.
func (d *differential) minimise(steps []step, f *failure) ([]step, *failure) {
	runs := 0
	for size := (len(steps) + 1) / 2; size > 0 && runs < mostRuns; size /= 2 {
		for from := 0; from+size <= len(steps) && runs < mostRuns; {
			runs++
			shorter := slices.Delete(slices.Clone(steps), from, from+size)
			if g := d.run(shorter); g != nil {
				steps, f = shorter[:g.at+1], g
			} else {
				from += size
			}
		}
	}
	return steps, f
}
