// Command front asks its backends, one after the other, and replies with what they say.
// POST /-/backend?n=0&address=HOST:PORT puts another process in a backend's place.
package main

import (
	"fmt"
	"io"
	"log"
	"net/http"
	"os"
	"strconv"
	"sync/atomic"

	"github.com/onefold/onefold/instrument/slowpoke"
)

func main() {
	backends := make([]atomic.Value, len(os.Args)-2)
	for i, address := range os.Args[2:] {
		backends[i].Store(address)
	}
	transport := http.DefaultTransport.(*http.Transport).Clone()
	transport.MaxIdleConnsPerHost = 1000
	client := &http.Client{Transport: slowpoke.Transport(transport)}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /", func(w http.ResponseWriter, r *http.Request) {
		for i := range backends {
			if err := ask(client, backends[i].Load().(string), r, w); err != nil {
				http.Error(w, err.Error(), http.StatusBadGateway)
				return
			}
		}
	})
	mux.HandleFunc("POST /-/backend", func(w http.ResponseWriter, r *http.Request) {
		n, err := strconv.Atoi(r.FormValue("n"))
		if err != nil || n < 0 || n >= len(backends) {
			http.Error(w, "no such backend", http.StatusBadRequest)
			return
		}
		backends[n].Store(r.FormValue("address"))
	})
	mux.HandleFunc("GET /-/healthz", func(http.ResponseWriter, *http.Request) {})
	log.Fatal(http.ListenAndServe(os.Args[1], slowpoke.Handler(mux)))
}

// ask sends a request on and writes the length of the answer.
func ask(client *http.Client, address string, r *http.Request, w io.Writer) error {
	req, err := http.NewRequestWithContext(r.Context(), http.MethodGet, "http://"+address+r.URL.RequestURI(), nil)
	if err != nil {
		return err
	}
	resp, err := client.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	n, err := io.Copy(io.Discard, resp.Body)
	if err != nil || resp.StatusCode != http.StatusOK {
		return fmt.Errorf("%s: status %d: %w", address, resp.StatusCode, err)
	}
	fmt.Fprintln(w, n)
	return nil
}
