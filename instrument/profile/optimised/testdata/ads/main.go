// Command ads picks the best paid advertisement.
package main

import (
	"fmt"
	"net/http"
	"slices"

	"github.com/onefold/onefold/instrument/profile/optimised"
)

var bids = makeBids()

func makeBids() []int {
	var all []int
	for i := range 600 {
		all = append(all, i*7919%1009)
	}
	return all
}

func main() { optimised.Main(pick) }

func pick(w http.ResponseWriter, r *http.Request) {
	sorted := slices.Sorted(slices.Values(bids))
	fmt.Fprintln(w, sorted[len(sorted)-1])
}
