package onefoldtest

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"reflect"
	"slices"
	"strings"
)

// A Request is one request of a client.
type Request struct {
	Method string // "Service.Method"
	Args   string // JSON object of the parameters
	Key    string // Idempotency-Key; empty for none
}

// String returns the request in one line, as failures print it.
func (r Request) String() string {
	if r.Key == "" {
		return r.Method + " " + r.Args
	}
	return fmt.Sprintf("%s %s key %s", r.Method, r.Args, r.Key)
}

// Generators make arguments, which are encoded as JSON. One is looked up for
// each parameter, and for each field, element and key inside it, by
// "Service.Method.parameter", then by the parameter's name, then by the type as in
// "types.SKU"; what has none is made from its type. Values should be few, so that
// requests meet.
type Generators map[string]func(r *rand.Rand) any

// OneOf returns a generator that picks one of the values.
func OneOf(values ...any) func(r *rand.Rand) any {
	return func(r *rand.Rand) any { return values[r.IntN(len(values))] }
}

// Between returns a generator of the integers from low to high, both included.
func Between(low, high int) func(r *rand.Rand) any {
	return func(r *rand.Rand) any { return low + r.IntN(high-low+1) }
}

// workload makes random requests for an application.
type workload struct {
	app     *App
	gens    Generators
	methods []string // those that are called, by their weight
}

// newWorkload returns the workload of the options.
func newWorkload(app *App, opts Options) *workload {
	w := &workload{app: app, gens: opts.Generators}
	for _, name := range app.methods() {
		weight, given := opts.Weights[name]
		if !given {
			weight = 1
		}
		w.methods = append(w.methods, slices.Repeat([]string{name}, weight)...)
	}
	return w
}

// request makes a request without a key.
func (w *workload) request(r *rand.Rand) Request {
	name := w.methods[r.IntN(len(w.methods))]
	return Request{Method: name, Args: w.args(r, name)}
}

// args makes arguments for a method.
func (w *workload) args(r *rand.Rand, name string) string {
	m, err := w.app.method(name)
	if err != nil {
		panic("onefoldtest: " + err.Error())
	}
	var b bytes.Buffer
	b.WriteByte('{')
	for i, param := range m.params {
		if i > 0 {
			b.WriteByte(',')
		}
		value := w.param(r, name, param, m.fn.Type().In(i+1))
		text, err := json.Marshal(value)
		if err != nil {
			panic(fmt.Sprintf("onefoldtest: argument %s of %s: %v", param, name, err))
		}
		fmt.Fprintf(&b, "%q:%s", param, text)
	}
	b.WriteByte('}')
	return b.String()
}

func (w *workload) param(r *rand.Rand, method, param string, t reflect.Type) any {
	for _, name := range []string{method + "." + param, param} {
		if gen := w.gens[name]; gen != nil {
			return gen(r)
		}
	}
	return w.value(r, t, 0).Interface()
}

// maxDepth is how deep values of recursive types go.
const maxDepth = 4

// value makes a value of type t.
func (w *workload) value(r *rand.Rand, t reflect.Type, depth int) reflect.Value {
	v := reflect.New(t).Elem()
	if gen := w.gens[t.String()]; gen != nil {
		v.Set(reflect.ValueOf(gen(r)).Convert(t))
		return v
	}
	if fillScalar(r, v) || depth > maxDepth {
		return v
	}
	switch t.Kind() {
	case reflect.Pointer:
		if r.IntN(4) > 0 {
			v.Set(reflect.New(t.Elem()))
			v.Elem().Set(w.value(r, t.Elem(), depth+1))
		}
	case reflect.Slice:
		if n := r.IntN(5) - 1; n >= 0 {
			v.Set(reflect.MakeSlice(t, n, n))
			w.elements(r, v, depth)
		}
	case reflect.Array:
		w.elements(r, v, depth)
	case reflect.Map:
		if n := r.IntN(4) - 1; n >= 0 {
			v.Set(reflect.MakeMap(t))
			for range n {
				v.SetMapIndex(w.value(r, t.Key(), depth+1), w.value(r, t.Elem(), depth+1))
			}
		}
	case reflect.Struct:
		w.fields(r, v, depth)
	}
	return v
}

func (w *workload) elements(r *rand.Rand, v reflect.Value, depth int) {
	for i := range v.Len() {
		v.Index(i).Set(w.value(r, v.Type().Elem(), depth+1))
	}
}

// fields fills the exported fields of a struct: what JSON carries.
func (w *workload) fields(r *rand.Rand, v reflect.Value, depth int) {
	for i := range v.NumField() {
		if f := v.Type().Field(i); f.IsExported() {
			v.Field(i).Set(w.value(r, f.Type, depth+1))
		}
	}
}

// texts are the strings made where nobody says otherwise: few, so that requests meet,
// and among them some that codecs may stumble over.
var texts = []string{"a", "b", "c", "d", "", "a\x00b", "ä\"\\\n<&>\u2028", strings.Repeat("long ", 40)}

// fillScalar sets v if its kind is a scalar's, mostly to one of a few small values.
func fillScalar(r *rand.Rand, v reflect.Value) bool {
	odd := r.IntN(16) == 0
	switch k := v.Kind(); {
	case k == reflect.String && odd:
		v.SetString(texts[r.IntN(len(texts))])
	case k == reflect.String:
		v.SetString(texts[r.IntN(4)])
	case k == reflect.Bool:
		v.SetBool(r.IntN(2) == 0)
	case v.CanInt() && odd:
		v.SetInt(r.Int64() >> r.IntN(64) * int64(1-2*r.IntN(2)))
	case v.CanInt():
		v.SetInt(int64(r.IntN(5)))
	case v.CanUint() && odd:
		v.SetUint(r.Uint64() >> r.IntN(64))
	case v.CanUint():
		v.SetUint(uint64(r.IntN(5)))
	case v.CanFloat():
		v.SetFloat([]float64{0, 1, 0.1, -2.5, 1e100}[r.IntN(5)])
		if v.Kind() == reflect.Float32 {
			v.SetFloat(float64(float32(r.IntN(9)) / 4))
		}
	default:
		return false
	}
	return true
}
