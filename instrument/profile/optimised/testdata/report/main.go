// Command report lists the sales of a day as JSON.
package main

import (
	"compress/gzip"
	"fmt"
	"io"
	"net/http"

	"github.com/onefold/onefold/instrument/profile/optimised"
)

func main() { optimised.Main(report) }

func report(w http.ResponseWriter, r *http.Request) {
	out := "["
	for i := range 300 {
		if i > 0 {
			out += ","
		}
		out += fmt.Sprintf(`{"id":%d,"item":"item-%d","cents":%d}`, i, i%17, 100*i)
	}
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Content-Encoding", "gzip")
	z := gzip.NewWriter(w)
	io.WriteString(z, out+"]")
	z.Close()
}
