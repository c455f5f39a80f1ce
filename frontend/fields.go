package frontend

import (
	"fmt"
	"go/ast"
	"go/types"
	"reflect"
	"strconv"

	"github.com/onefold/onefold/compiler/diag"
	"github.com/onefold/onefold/compiler/ir"
)

// fields fills in the fields of s.
func (b *builder) fields(s *ir.Service) {
	syntax := s.Spec.Type.(*ast.StructType)
	strct := s.Obj.Type().Underlying().(*types.Struct)
	i := 0
	for _, group := range syntax.Fields.List {
		for n := max(1, len(group.Names)); n > 0; n-- {
			if f := b.field(s, group, strct.Field(i), strct.Tag(i)); f != nil {
				s.Fields = append(s.Fields, f)
			}
			i++
		}
	}
}

func (b *builder) field(s *ir.Service, syntax *ast.Field, v *types.Var, tag string) *ir.Field {
	f := &ir.Field{Service: s, Name: v.Name(), Var: v, Embedded: v.Embedded(), Pos: v.Pos(), Doc: fieldDoc(syntax)}
	if f.Name == "_" {
		b.errorf(f.Pos, diag.Unstorable, "delete it", "field _ of service %s: has no name to be stored under", s.Name)
		return nil
	}
	if !b.tag(f, tag) {
		return nil
	}
	if f.Kind == ir.Config {
		b.configType(f)
		return f
	}
	b.kind(f)
	if f.Kind == ir.Dependency && f.Embedded {
		b.errorf(f.Pos, diag.Embedded, "give the field a name", "field %s of service %s: an embedded service; its methods would become endpoints of %s", f.Name, s.Name, s.Name)
	} else if f.Embedded {
		b.promoted(f)
	}
	return f
}

// promoted refuses methods of an embedded struct that look like endpoints: they
// would be called on the struct alone, and are not declared on the service.
func (b *builder) promoted(f *ir.Field) {
	methods := types.NewMethodSet(types.NewPointer(f.Service.Obj.Type()))
	for sel := range methods.Methods() {
		fn := sel.Obj().(*types.Func)
		params := fn.Signature().Params()
		if !fn.Exported() || len(sel.Index()) == 1 || sel.Index()[0] != fieldIndex(f) || params.Len() == 0 || !isContext(params.At(0).Type()) {
			continue
		}
		b.errorf(f.Pos, diag.Embedded, fmt.Sprintf("declare %s on %s and call that of %s in it, or unexport it", fn.Name(), f.Service.Name, f.Name),
			"field %s of service %s: its method %s looks like an endpoint, but those are declared on the service", f.Name, f.Service.Name, fn.Name())
	}
}

// fieldIndex returns which field of its struct f is.
func fieldIndex(f *ir.Field) int {
	s := f.Service.Obj.Type().Underlying().(*types.Struct)
	for i := range s.NumFields() {
		if s.Field(i) == f.Var {
			return i
		}
	}
	return -1
}

func fieldDoc(syntax *ast.Field) string {
	if text := syntax.Doc.Text(); text != "" {
		return text
	}
	return syntax.Comment.Text()
}

// tag reads the field's onefold tag; it reports false after a finding.
func (b *builder) tag(f *ir.Field, tag string) bool {
	value, ok := reflect.StructTag(tag).Lookup("onefold")
	switch {
	case ok && value == "config":
		f.Kind = ir.Config
	case ok:
		b.errorf(f.Pos, diag.Config, `use onefold:"config" or no tag`, "field %s of service %s: tag onefold:%s is unknown", f.Name, f.Service.Name, strconv.Quote(value))
		return false
	}
	return true
}

// configType reports a config field that no environment variable can set.
func (b *builder) configType(f *ir.Field) {
	basic, ok := f.Var.Type().Underlying().(*types.Basic)
	if ok && basic.Info()&(types.IsString|types.IsBoolean|types.IsInteger|types.IsFloat) != 0 && basic.Kind() != types.Uintptr {
		f.Elem = f.Var.Type()
		return
	}
	b.errorf(f.Pos, diag.Config, "split it into fields of these types", "field %s of service %s: %s cannot be set from the environment; want a string, bool, integer, float or time.Duration", f.Name, f.Service.Name, typeString(f.Var.Type()))
}

// kind decides how f is kept.
func (b *builder) kind(f *ir.Field) {
	t := f.Var.Type()
	if target := b.pointee(t); target != nil {
		f.Kind, f.Target = ir.Dependency, target
		return
	}
	if isMutex(t) {
		f.Kind = ir.Mutex
		return
	}
	f.Kind, f.Elem = ir.Value, t
	if hasMethods(t) {
		return // a method may need the whole map or slice at once
	}
	switch u := t.Underlying().(type) {
	case *types.Map:
		f.Kind, f.Key, f.Elem = ir.Map, u.Key(), u.Elem()
	case *types.Slice:
		if !isBytes(u) {
			f.Kind, f.Elem = ir.Slice, u.Elem()
		}
	}
}

// pointee returns the service that t points to, or nil.
func (b *builder) pointee(t types.Type) *ir.Service {
	ptr, ok := types.Unalias(t).(*types.Pointer)
	if !ok {
		return nil
	}
	return b.serviceType(ptr.Elem())
}

func (b *builder) serviceType(t types.Type) *ir.Service {
	named, ok := types.Unalias(t).(*types.Named)
	if !ok {
		return nil
	}
	return b.byType[named.Obj()]
}

func isMutex(t types.Type) bool {
	named, ok := types.Unalias(t).(*types.Named)
	if !ok || named.Obj().Pkg() == nil || named.Obj().Pkg().Path() != "sync" {
		return false
	}
	return named.Obj().Name() == "Mutex" || named.Obj().Name() == "RWMutex"
}

func hasMethods(t types.Type) bool {
	return types.NewMethodSet(types.NewPointer(t)).Len() > 0
}

// isBytes reports whether s is a slice of bytes, which is one value.
func isBytes(s *types.Slice) bool {
	basic, ok := s.Elem().Underlying().(*types.Basic)
	return ok && basic.Kind() == types.Byte
}
