package onefoldtest

import (
	"reflect"
	"unsafe"

	"github.com/onefold/onefold/runtime/state"
)

// State returns the state of all services, by "Service.field", in the generic form
// of [state.Generic], which is equal for equal values and says nothing of types.
// Dependencies, configuration and mutexes are no state.
func State(app *App) map[string]any {
	all := map[string]any{}
	for _, s := range app.services {
		v := s.value.Elem()
		for i := range v.NumField() {
			f := v.Type().Field(i)
			if !app.isState(f) {
				continue
			}
			value := state.Generic(exposed(v.Field(i)).Interface())
			if f.Type.Kind() == reflect.Map && value == nil {
				value = state.Entries{} // a store does not tell them apart, and specs must not
			}
			all[s.name+"."+f.Name] = value
		}
	}
	return all
}

// isState reports whether a field of a service is persistent.
func (app *App) isState(f reflect.StructField) bool {
	t := f.Type
	switch {
	case f.Tag.Get("onefold") == "config":
		return false
	case t.PkgPath() == "sync" || t.Kind() == reflect.Pointer && t.Elem().PkgPath() == "sync":
		return false
	}
	return app.find(t) == nil
}

// exposed returns an addressable value without the mark of unexported fields.
func exposed(v reflect.Value) reflect.Value {
	return reflect.NewAt(v.Type(), unsafe.Pointer(v.UnsafeAddr())).Elem()
}
