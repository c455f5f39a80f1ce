package onefoldtest

import (
	"encoding/json"
	"errors"
	"go/token"
	"net/http"
	"reflect"
	"slices"

	"github.com/onefold/onefold/runtime/invoke"
)

// sentinel is an error variable of a spec: in the compiled application it is another
// variable of the same type and text, by which the plain one is recognised.
type sentinel struct{ name, typ, text string }

// problem returns the reply to an application error.
func (app *App) problem(err error) Reply {
	reply := Reply{Status: http.StatusUnprocessableEntity, Type: invoke.TypeApplication, Detail: err.Error(), Err: err}
	for node := range tree(err) {
		for _, s := range app.sentinels {
			if s.typ == typeName(node) && s.text == node.Error() && !slices.Contains(reply.Codes, s.name) {
				reply.Codes = append(reply.Codes, s.name)
			}
		}
		if reply.Error == nil {
			reply.Error = app.carried(node)
		}
	}
	return reply
}

// carried returns an error's value if its type is an exported one of a package
// that has services.
func (app *App) carried(err error) *ErrorValue {
	t := reflect.TypeOf(err)
	if t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	if !token.IsExported(t.Name()) || !slices.ContainsFunc(app.services, func(s *service) bool { return s.value.Type().Elem().PkgPath() == t.PkgPath() }) {
		return nil
	}
	value, failed := json.Marshal(err)
	if failed != nil {
		return nil
	}
	return &ErrorValue{Type: t.String(), Value: value}
}

// typeName returns the name of an error's type without its package's path.
func typeName(err error) string { return reflect.TypeOf(err).String() }

// tree yields err and the errors that it wraps, in the order of errors.Is.
func tree(err error) func(yield func(error) bool) {
	return func(yield func(error) bool) { walk(err, yield) }
}

func walk(err error, yield func(error) bool) bool {
	if err == nil {
		return true
	}
	if !yield(err) {
		return false
	}
	if joined, ok := err.(interface{ Unwrap() []error }); ok {
		for _, inner := range joined.Unwrap() {
			if !walk(inner, yield) {
				return false
			}
		}
		return true
	}
	return walk(errors.Unwrap(err), yield)
}
