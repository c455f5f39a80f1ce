// Package proxies passes requests on.
//
//corpus:want GET /one/leaf 200: /one/ + /leaf + edge
//corpus:want GET /two/leaf 200: /two/ + /leaf + edge
//corpus:want GET /three/leaf 200: /three/ + /leaf + edge
package proxies

import (
	"net/http"
	"net/http/httputil"
	"net/url"

	"example.com/corpus/reply"
)

func Main(addr string) error {
	to := &url.URL{Scheme: "http", Host: addr}
	rewrite := func(r *httputil.ProxyRequest) { r.SetURL(to) }
	made := new(httputil.ReverseProxy)
	made.Rewrite = rewrite
	http.Handle("/one/", http.StripPrefix("/one", httputil.NewSingleHostReverseProxy(to)))
	http.Handle("/two/", http.StripPrefix("/two", &httputil.ReverseProxy{Rewrite: rewrite}))
	http.Handle("/three/", http.StripPrefix("/three", made))
	http.HandleFunc("/leaf", reply.OK)
	return http.ListenAndServe(addr, nil)
}
