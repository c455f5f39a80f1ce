// Package storable decides which Go types can be kept in the store, sent as JSON
// or used as keys, and in which form; and says precisely what is wrong with the
// others. The checks, the codec generator and the OpenAPI document ask it.
package storable

import (
	"fmt"
	"go/token"
	"go/types"
	"strings"
)

// Checker knows which packages the compiler rewrites.
type Checker struct {
	// Own reports whether code is generated into the package, so that its
	// types' unexported fields can be reached.
	Own func(*types.Package) bool
	// Service reports whether the type is a service; nil if there are none.
	Service func(*types.TypeName) bool
}

// Problem says why a type cannot be stored, sent or a key.
type Problem struct {
	Path   string     // from the type to what is at fault, such as "Home.conn"; empty for the type itself
	Type   types.Type // what is at fault
	Pos    token.Pos  // of the field at fault; NoPos for the type itself
	Reason string     // such as "a channel cannot be stored"
	Fix    string     // what to do instead
}

func (p *Problem) Error() string {
	where := p.Path
	if where != "" {
		where += ": "
	}
	return fmt.Sprintf("%s%s: %s; %s", where, types.TypeString(p.Type, (*types.Package).Name), p.Reason, p.Fix)
}

// Stored returns what prevents values of type t from being stored, nil if
// nothing does.
func (c Checker) Stored(t types.Type) *Problem {
	w := walker{Checker: c, seen: map[types.Type]bool{}}
	return w.stored(t)
}

// Error returns the type that errors of the declared type obj have, obj's or a pointer to
// it, where replies, other processes and logs get them whole: it is exported, can be stored
// and sent. Otherwise it returns nil, and for a type that would be one the problem of its fields.
func (c Checker) Error(obj *types.TypeName) (types.Type, *Problem) {
	named, ok := obj.Type().(*types.Named)
	if !ok || !obj.Exported() || obj.IsAlias() || obj.Parent() != obj.Pkg().Scope() || named.TypeParams().Len() > 0 || types.IsInterface(named) {
		return nil, nil
	}
	t, iface := types.Type(named), errorType.Underlying().(*types.Interface)
	if !types.Implements(named, iface) {
		t = types.NewPointer(named)
	}
	if !types.Implements(t, iface) {
		return nil, nil
	}
	problem := c.Stored(named)
	if problem == nil {
		problem = c.JSON(named)
	}
	if problem != nil {
		return nil, problem
	}
	return t, nil
}

// walker looks through one type. Types that it has seen are fine, or it would
// have stopped.
type walker struct {
	Checker
	seen map[types.Type]bool
	path []string
	pos  token.Pos
	home *types.Package // of the named struct around
}

func (w *walker) problem(t types.Type, fix, reason string, args ...any) *Problem {
	path := strings.Join(w.path, ".")
	path = strings.ReplaceAll(path, ".[", "[")
	return &Problem{Path: path, Type: t, Pos: w.pos, Reason: fmt.Sprintf(reason, args...), Fix: fix}
}

// in checks a part of a type, found at the given step from it.
func (w *walker) in(step string, t types.Type, check func(types.Type) *Problem) *Problem {
	w.path = append(w.path, step)
	p := check(t)
	w.path = w.path[:len(w.path)-1]
	return p
}

func (w *walker) field(f *types.Var, check func(types.Type) *Problem) *Problem {
	pos := w.pos
	w.pos = f.Pos()
	p := w.in(f.Name(), f.Type(), check)
	w.pos = pos
	return p
}

func (w *walker) stored(t types.Type) *Problem {
	t = types.Unalias(t)
	if w.seen[t] {
		return nil
	}
	w.seen[t] = true
	if named, ok := t.(*types.Named); ok {
		if p := w.named(named); p != nil {
			return p
		}
		if FormOf(t, w.Own) != Structure {
			return nil
		}
	}
	switch u := t.Underlying().(type) {
	case *types.Basic:
		if u.Kind() == types.UnsafePointer || u.Info()&types.IsUntyped != 0 || u.Kind() == types.Invalid {
			return w.problem(t, "store what it refers to", "%s cannot be stored", u)
		}
		return nil
	case *types.Slice:
		return w.in("[]", u.Elem(), w.stored)
	case *types.Array:
		return w.in("[]", u.Elem(), w.stored)
	case *types.Pointer:
		return w.stored(u.Elem())
	case *types.Map:
		if p := w.in("[key]", u.Key(), w.key); p != nil {
			return p
		}
		return w.in("[]", u.Elem(), w.stored)
	case *types.Struct:
		return w.storedFields(t, u)
	case *types.Chan:
		return w.problem(t, "store the data that the channel would carry", "a channel cannot be stored")
	case *types.Signature:
		return w.problem(t, "store data that says which function to call", "a function cannot be stored")
	case *types.Interface:
		return w.problem(t, "store a concrete type", "an interface value cannot be stored: what is in it is not known")
	}
	return w.problem(t, "store a concrete type", "%s cannot be stored", t)
}

// named checks what is peculiar to named types.
func (w *walker) named(t *types.Named) *Problem {
	obj := t.Obj()
	pkg := obj.Pkg()
	switch {
	case w.Service != nil && w.Service(obj):
		return w.problem(t, "keep the service in a field of the service that calls it", "a service is no data")
	case pkg == nil: // error, comparable: interfaces
		return nil
	case pkg.Path() == "sync" || pkg.Path() == "sync/atomic":
		return w.problem(t, "put it into the service itself, where the transaction does its work", "%s.%s is no data", pkg.Name(), obj.Name())
	case obj.Parent() != pkg.Scope():
		return w.problem(t, "declare it at package level", "a type declared in a function cannot be stored")
	}
	return w.instance(t)
}

// instance refuses generic types whose codec has no package to live in: it needs
// to reach unexported fields, and to name the type arguments.
func (w *walker) instance(t *types.Named) *Problem {
	s, ok := t.Underlying().(*types.Struct)
	if !ok || t.TypeArgs().Len() == 0 || AllExported(s) || InstanceHome(t) != nil {
		return nil
	}
	return w.problem(t, "export its fields", "a generic type with unexported fields cannot be stored with type arguments that its package does not import")
}

func (w *walker) storedFields(t types.Type, s *types.Struct) *Problem {
	outer := w.home
	defer func() { w.home = outer }()
	if named, ok := t.(*types.Named); ok {
		w.home = named.Obj().Pkg()
	}
	for f := range s.Fields() {
		if f.Name() == "_" {
			continue
		}
		if !f.Exported() && !w.reaches(f) {
			return w.problem(t, "copy what you need of it into a type of your own",
				"it has unexported fields (%s) and no MarshalBinary, GobEncode or MarshalText", f.Name())
		}
		if p := w.field(f, w.stored); p != nil {
			return p
		}
	}
	return nil
}

// reaches reports whether the codec of the struct that has f can reach it: the
// codec lives in the package that declares the type.
func (w *walker) reaches(f *types.Var) bool {
	return w.Own != nil && w.Own(f.Pkg()) && (w.home == nil || w.home == f.Pkg())
}

// Key returns what prevents values of type t from being keys of persistent maps,
// and of maps in values; nil if nothing does.
func (c Checker) Key(t types.Type) *Problem {
	w := walker{Checker: c, seen: map[types.Type]bool{}}
	return w.key(t)
}

const keyFix = "use a string, integer, bool, fixed array or a struct of these"

func (w *walker) key(t types.Type) *Problem {
	t = types.Unalias(t)
	if named, ok := t.(*types.Named); ok {
		if p := w.named(named); p != nil {
			return p
		}
	}
	switch u := t.Underlying().(type) {
	case *types.Basic:
		if u.Info()&(types.IsString|types.IsInteger|types.IsBoolean) != 0 && u.Info()&types.IsUntyped == 0 {
			return nil
		}
	case *types.Array:
		return w.in("[]", u.Elem(), w.key)
	case *types.Struct:
		outer := w.home
		defer func() { w.home = outer }()
		if named, ok := t.(*types.Named); ok {
			w.home = named.Obj().Pkg()
		}
		for f := range u.Fields() {
			if f.Name() == "_" {
				continue
			}
			if !f.Exported() && !w.reaches(f) {
				return w.problem(t, keyFix, "its unexported fields (%s) cannot be reached", f.Name())
			}
			if p := w.field(f, w.key); p != nil {
				return p
			}
		}
		return nil
	}
	return w.problem(t, keyFix, "%s cannot be part of a key", kindName(t))
}

func kindName(t types.Type) string {
	switch u := t.Underlying().(type) {
	case *types.Basic:
		return u.String()
	case *types.Pointer:
		return "a pointer"
	case *types.Interface:
		return "an interface"
	case *types.Chan:
		return "a channel"
	}
	return types.TypeString(t, (*types.Package).Name)
}

// AllExported reports whether every field of s can be reached from any package.
func AllExported(s *types.Struct) bool {
	for f := range s.Fields() {
		if !f.Exported() && f.Name() != "_" {
			return false
		}
	}
	return true
}

// InstanceHome returns the package of the generic type that t is an instance of
// if it may name all type arguments without an import cycle, nil otherwise.
func InstanceHome(t *types.Named) *types.Package {
	home := t.Obj().Pkg()
	deps := map[*types.Package]bool{}
	dependencies(home, deps)
	for pkg := range mentioned(t) {
		if !deps[pkg] {
			return nil
		}
	}
	return home
}

// dependencies adds pkg and everything it imports to deps.
func dependencies(pkg *types.Package, deps map[*types.Package]bool) {
	if deps[pkg] {
		return
	}
	deps[pkg] = true
	for _, imp := range pkg.Imports() {
		dependencies(imp, deps)
	}
}
