package console

import (
	"bytes"
	"crypto/sha256"
	"embed"
	"encoding/base64"
	"fmt"
	"net/http"
	"sync"
)

//go:embed page
var sources embed.FS

// The parts of the page, in the order in which they are put together.
var (
	styles  = []string{"theme.css", "layout.css", "parts.css"}
	scripts = []string{"dom.js", "api.js", "format.js", "figures.js", "try.js", "services.js", "steps.js", "workflows.js", "dead.js", "state.js", "main.js"}
)

// page is the page with its styles and scripts in it, and the policy that
// allows these alone.
var page = sync.OnceValue(func() (p struct {
	body   []byte
	policy string
}) {
	style, script := join(styles), join(scripts)
	script = append(append([]byte("'use strict';\n(() => {\n"), script...), "})();\n"...)
	p.body = bytes.Replace(read("page.html"), []byte("/*styles*/"), style, 1)
	p.body = bytes.Replace(p.body, []byte("/*scripts*/"), script, 1)
	p.policy = fmt.Sprintf("default-src 'none'; style-src %s; script-src %s; connect-src 'self'; img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
		sourceHash(style), sourceHash(script))
	return p
})

func join(names []string) []byte {
	var all []byte
	for _, name := range names {
		all = append(all, read(name)...)
	}
	return all
}

func read(name string) []byte {
	data, err := sources.ReadFile("page/" + name)
	if err != nil {
		panic(err) // it is not in the binary
	}
	return data
}

// sourceHash is how a content security policy names what is written in the page.
func sourceHash(text []byte) string {
	sum := sha256.Sum256(text)
	return "'sha256-" + base64.StdEncoding.EncodeToString(sum[:]) + "'"
}

func servePage(w http.ResponseWriter, _ *http.Request) {
	p := page()
	h := w.Header()
	h.Set("Content-Type", "text/html; charset=utf-8")
	h.Set("Content-Security-Policy", p.policy)
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Referrer-Policy", "no-referrer")
	h.Set("Cache-Control", "no-store")
	w.Write(p.body)
}
