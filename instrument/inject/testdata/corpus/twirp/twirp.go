// Package twirp has a server as Twirp generates it.
//
//corpus:want POST /twirp/acme.Hats/Make 200: /twirp/acme.Hats/Make
package twirp

import (
	"net/http"

	"example.com/corpus/reply"
)

// hats has what Twirp's servers have.
type hats struct{}

func (hats) ServeHTTP(w http.ResponseWriter, r *http.Request) { reply.OK(w, r) }
func (hats) ServiceDescriptor() ([]byte, int)                 { return nil, 0 }
func (hats) ProtocGenTwirpVersion() string                    { return "v8.1.0" }
func (hats) PathPrefix() string                               { return "/twirp/acme.Hats/" }

func Main(addr string) error {
	mux := http.NewServeMux()
	s := hats{}
	mux.Handle(s.PathPrefix(), s)
	return http.ListenAndServe(addr, mux)
}
