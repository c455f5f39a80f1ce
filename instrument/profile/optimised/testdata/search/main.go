// Command search finds the notes that mention an address, a date or a price.
package main

import (
	"fmt"
	"net/http"
	"regexp"
	"strings"

	"github.com/onefold/onefold/instrument/profile/optimised"
)

var notes = makeNotes()

func makeNotes() []string {
	var all []string
	for i := range 15 {
		all = append(all, fmt.Sprintf("note %d: %s", i, strings.Repeat("call ann at the desk ", i)), fmt.Sprintf("paid %d.50 EUR to ann%d@example.com on 2026-03-%02d", i, i, i%28+1))
	}
	return all
}

func main() { optimised.Main(search) }

func search(w http.ResponseWriter, r *http.Request) {
	patterns := []*regexp.Regexp{
		regexp.MustCompile(`(?i)[a-z0-9._%+-]{1,64}@[a-z0-9.-]{1,255}\.[a-z]{2,24}`),
		regexp.MustCompile(`(?i)\b(19|20)\d\d-(0[1-9]|1[0-2])-(0[1-9]|[12]\d|3[01])\b`),
		regexp.MustCompile(`(?i)\b\d{1,7}([.,]\d{2})?\s?(eur|usd|gbp|chf)\b`),
	}
	for _, note := range notes {
		for _, p := range patterns {
			if p.MatchString(note) {
				fmt.Fprintln(w, note)
				break
			}
		}
	}
}
