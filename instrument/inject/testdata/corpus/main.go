// Command corpus runs one of the programs, each of which uses one way to serve or to
// call. What is expected of a program is in its package comment: a request, the status
// of the reply, and what counts it.
package main

import (
	"fmt"
	"os"

	"example.com/corpus/alias"
	"example.com/corpus/calls"
	"example.com/corpus/cancelled"
	"example.com/corpus/chiiface"
	"example.com/corpus/chinested"
	"example.com/corpus/chirouter"
	"example.com/corpus/chistd"
	"example.com/corpus/clients"
	"example.com/corpus/cloned"
	"example.com/corpus/connect"
	"example.com/corpus/custom"
	"example.com/corpus/dot"
	"example.com/corpus/echonested"
	"example.com/corpus/echoserver"
	"example.com/corpus/embedded"
	"example.com/corpus/evaluated"
	"example.com/corpus/excluded"
	"example.com/corpus/files"
	"example.com/corpus/generic"
	"example.com/corpus/ginengine"
	"example.com/corpus/ginnested"
	"example.com/corpus/gorilla"
	"example.com/corpus/gorillasub"
	"example.com/corpus/grpchttp"
	"example.com/corpus/grpcserver"
	"example.com/corpus/h2c"
	"example.com/corpus/handle"
	"example.com/corpus/handlefunc"
	"example.com/corpus/iface"
	"example.com/corpus/inprocess"
	"example.com/corpus/listentls"
	"example.com/corpus/loop"
	"example.com/corpus/methodvalue"
	"example.com/corpus/middleware"
	"example.com/corpus/nested"
	"example.com/corpus/panics"
	"example.com/corpus/patterns"
	"example.com/corpus/points"
	"example.com/corpus/proxies"
	"example.com/corpus/results"
	"example.com/corpus/serve"
	"example.com/corpus/servegoroutine"
	"example.com/corpus/serverasserted"
	"example.com/corpus/serverassign"
	"example.com/corpus/serverliteral"
	"example.com/corpus/serverwrapped"
	"example.com/corpus/skipped"
	"example.com/corpus/streams"
	"example.com/corpus/table"
	"example.com/corpus/timeout"
	"example.com/corpus/tls"
	"example.com/corpus/twice"
	"example.com/corpus/twirp"
	"example.com/corpus/websocket"
)

var programs = map[string]func(addr string) error{
	"grpc": calls.Echo, // the clients
	"ws":   calls.Websocket,

	"alias":          alias.Main,
	"cancelled":      cancelled.Main,
	"chiiface":       chiiface.Main,
	"chinested":      chinested.Main,
	"chirouter":      chirouter.Main,
	"chistd":         chistd.Main,
	"clients":        clients.Main,
	"cloned":         cloned.Main,
	"connect":        connect.Main,
	"custom":         custom.Main,
	"dot":            dot.Main,
	"echonested":     echonested.Main,
	"echoserver":     echoserver.Main,
	"embedded":       embedded.Main,
	"evaluated":      evaluated.Main,
	"excluded":       excluded.Main,
	"files":          files.Main,
	"generic":        generic.Main,
	"ginengine":      ginengine.Main,
	"ginnested":      ginnested.Main,
	"gorilla":        gorilla.Main,
	"gorillasub":     gorillasub.Main,
	"grpchttp":       grpchttp.Main,
	"grpcserver":     grpcserver.Main,
	"h2c":            h2c.Main,
	"handle":         handle.Main,
	"handlefunc":     handlefunc.Main,
	"iface":          iface.Main,
	"inprocess":      inprocess.Main,
	"listentls":      listentls.Main,
	"loop":           loop.Main,
	"methodvalue":    methodvalue.Main,
	"middleware":     middleware.Main,
	"nested":         nested.Main,
	"panics":         panics.Main,
	"patterns":       patterns.Main,
	"points":         points.Main,
	"proxies":        proxies.Main,
	"results":        results.Main,
	"serve":          serve.Main,
	"servegoroutine": servegoroutine.Main,
	"serverasserted": serverasserted.Main,
	"serverassign":   serverassign.Main,
	"serverliteral":  serverliteral.Main,
	"serverwrapped":  serverwrapped.Main,
	"skipped":        skipped.Main,
	"streams":        streams.Main,
	"table":          table.Main,
	"timeout":        timeout.Main,
	"tls":            tls.Main,
	"twice":          twice.Main,
	"twirp":          twirp.Main,
	"websocket":      websocket.Main,
}

func main() {
	if err := programs[os.Args[1]](os.Args[2]); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}
