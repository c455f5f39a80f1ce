// Package clients calls itself with all kinds of clients.
//
//corpus:want GET /all 200: /all + 11 /leaf + 11 edge
package clients

import (
	"net/http"
	"net/http/httputil"
	"net/url"

	"example.com/corpus/reply"
)

var zero http.Client

type client struct{ *http.Client }

func Main(addr string) error {
	leaf := "http://" + addr + "/leaf"
	assigned := new(http.Client)
	assigned.Transport = http.DefaultTransport
	var first, second http.Client
	many := []*http.Client{{}, {Transport: http.DefaultTransport.(*http.Transport).Clone()}}
	http.HandleFunc("/leaf", reply.OK)
	http.HandleFunc("/all", func(w http.ResponseWriter, r *http.Request) {
		reply.Drain(http.Get(leaf))
		reply.Drain(http.Post(leaf, "text/plain", nil))
		reply.Drain(http.PostForm(leaf, url.Values{}))
		reply.Drain(http.DefaultClient.Get(leaf))
		reply.Drain((&http.Client{}).Head(leaf))
		reply.Drain(client{&http.Client{Timeout: 1e10}}.Get(leaf))
		for _, c := range []*http.Client{&zero, assigned, &first, &second, many[0]} {
			reply.Drain(c.Get(leaf))
		}
		if many[1].Transport.(*http.Transport) == nil || assigned.Transport != http.DefaultTransport || zero.Transport != nil {
			panic("another transport")
		}
		reply.OK(w, r)
	})
	_ = httputil.ReverseProxy{}
	return http.ListenAndServe(addr, nil)
}
