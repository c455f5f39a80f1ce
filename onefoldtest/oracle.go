package onefoldtest

import (
	"encoding/json"
	"fmt"
	"net/http"
	"slices"

	"github.com/onefold/onefold/runtime"
	"github.com/onefold/onefold/runtime/invoke"
)

// oracle is the plain side of a suite: it knows the reply to every request, those
// with an Idempotency-Key included.
type oracle struct {
	app   *App
	kinds map[string]runtime.Kind // of methods
	done  map[string]delivery     // by key
}

// delivery is a request with a key that was answered for good.
type delivery struct {
	method, args string // the arguments canonical
	reply        Reply
}

// newOracle returns the oracle of a plain application; the compiled one tells
// what a reflection of the plain one cannot: the names of errors, the kinds of methods.
func newOracle(app *App, compiled *runtime.App) *oracle {
	o := &oracle{app: app, kinds: map[string]runtime.Kind{}, done: map[string]delivery{}}
	app.sentinels, app.carries = nil, []string{}
	for _, s := range compiled.Services {
		for _, m := range s.Methods {
			o.kinds[s.Name+"."+m.Name] = m.Kind
		}
		for _, e := range s.Sentinels {
			app.sentinels = append(app.sentinels, sentinel{name: e.Name, typ: typeName(e.Err), text: e.Err.Error()})
		}
		for _, t := range s.Errors {
			app.carries = append(app.carries, t.Name)
		}
	}
	return o
}

// invoke runs a request, or finds the reply that it must get.
func (o *oracle) invoke(req Request) Reply {
	if req.Key == "" || o.kinds[req.Method] != runtime.Atomic {
		return Invoke(o.app, req.Method, req.Args)
	}
	args := canonical(req.Args)
	if first, ok := o.done[req.Key]; ok && args != "" {
		if first.method != req.Method || first.args != args {
			return Reply{Status: http.StatusUnprocessableEntity, Type: invoke.TypeMismatch}
		}
		reply := first.reply
		reply.Replayed = true
		return reply
	}
	reply := Invoke(o.app, req.Method, req.Args)
	if reply.Status == http.StatusOK || reply.Status == http.StatusUnprocessableEntity {
		o.done[req.Key] = delivery{req.Method, args, reply}
	}
	return reply
}

// canonical returns the one spelling of a JSON object that all its spellings have, or
// "" if it is none.
func canonical(args string) string {
	var members map[string]any
	if json.Unmarshal([]byte(args), &members) != nil {
		return ""
	}
	text, err := json.Marshal(decoded([]byte(args)))
	if err != nil {
		return ""
	}
	return string(text)
}

// answered lists the requests with a key that were answered.
func (o *oracle) answered() []string {
	var list []string
	for key, d := range o.done {
		list = append(list, fmt.Sprint(key, " ", d.reply.Status, " ", string(d.reply.Value), d.reply.Detail))
	}
	slices.Sort(list)
	return list
}
