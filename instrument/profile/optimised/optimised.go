// Package optimised holds sample applications, each with a service that wastes time in
// a way of everyday code, and a patch that mends it. Its test predicts what the patch
// would give, applies it, and compares: the third tier of evidence, in which nothing is
// synthetic but the application's size.
//
// A front calls two services and replies when both have. Services are programs in
// testdata; a patch beside one is the change to it.
package optimised

import (
	"fmt"
	"log"
	"net/http"
	"os"

	"github.com/onefold/onefold/instrument/slowpoke"
)

// Main serves a handler, instrumented, at the address that is the program's first
// argument. It does not return.
func Main(handler http.HandlerFunc) {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /", handler)
	mux.HandleFunc("GET /-/healthz", func(http.ResponseWriter, *http.Request) {})
	if len(os.Args) < 2 {
		fmt.Fprintln(os.Stderr, "want an address")
		os.Exit(2)
	}
	log.Fatal(http.ListenAndServe(os.Args[1], slowpoke.Handler(mux)))
}
