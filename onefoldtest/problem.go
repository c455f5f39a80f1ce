package onefoldtest

import (
	"encoding/json"
	"errors"
	"go/token"
	"net/http"
	"path"
	"reflect"
	"slices"
	"strings"

	"github.com/onefold/onefold/runtime/invoke"
)

// sentinel is an error variable of a spec: in the compiled application it is another
// variable of the same type and text, by which the plain one is recognised.
type sentinel struct{ name, typ, text string }

// problem returns the reply to an application error.
func (app *App) problem(err error) Reply {
	reply := Reply{Status: http.StatusUnprocessableEntity, Type: invoke.TypeApplication, Detail: err.Error(), Err: err}
	for node := range tree(err) {
		var names []string
		for _, s := range app.sentinels {
			if s.typ == typeName(node) && s.text == node.Error() {
				names = append(names, s.name)
			}
		}
		reply.wraps = append(reply.wraps, names)
		for _, name := range names {
			if !slices.Contains(reply.Codes, name) {
				reply.Codes = append(reply.Codes, name)
			}
		}
	}
	reply.Error = app.carried(err)
	return reply
}

// explains reports whether the plain side's error may have these codes, where it cannot
// say which it has: several sentinels may have one type and text, and a method Is of an
// error compares with variables of the plain program.
func (r *Reply) explains(codes []string) bool {
	unsure := slices.ContainsFunc(r.wraps, func(names []string) bool { return len(names) > 1 })
	asks := false
	for node := range tree(r.Err) {
		_, ok := node.(interface{ Is(error) bool })
		asks = asks || ok
	}
	if !unsure && !asks {
		return false
	}
	known := func(code string) bool { return slices.Contains(r.Codes, code) }
	return (asks || !slices.ContainsFunc(codes, func(code string) bool { return !known(code) })) &&
		!slices.ContainsFunc(r.wraps, func(names []string) bool { return len(names) > 0 && !intersect(names, codes) })
}

func intersect(a, b []string) bool {
	return slices.ContainsFunc(a, func(s string) bool { return slices.Contains(b, s) })
}

// carried returns what a reply carries of an error that has an exported type: the compiled
// application says which types it knows. Without one, they are those of packages that have services.
func (app *App) carried(err error) *ErrorValue {
	for _, name := range app.carries {
		for node := range tree(err) {
			if named(node, name) {
				return errorValue(name, node)
			}
		}
	}
	for node := range tree(err) {
		if app.carries == nil && app.declares(node) {
			return errorValue(strings.TrimPrefix(typeName(node), "*"), node)
		}
	}
	return nil
}

// named reports whether the type of err is what the compiled application calls name, such as
// "bank.LimitError", or "order/bank.LimitError" where there are several packages bank.
func named(err error, name string) bool {
	t := reflect.TypeOf(err)
	if t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	dir, base := path.Split(name)
	return t.String() == base && strings.HasSuffix("/"+path.Dir(t.PkgPath())+"/", "/"+dir)
}

// declares reports whether the type of err is an exported one of a package that has services.
func (app *App) declares(err error) bool {
	t := reflect.TypeOf(err)
	if t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	return token.IsExported(t.Name()) && slices.ContainsFunc(app.services, func(s *service) bool { return s.value.Type().Elem().PkgPath() == t.PkgPath() })
}

func errorValue(name string, err error) *ErrorValue {
	value, failed := json.Marshal(err)
	if failed != nil {
		return nil
	}
	return &ErrorValue{Type: name, Value: value}
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
