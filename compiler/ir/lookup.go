package ir

import (
	"cmp"
	"go/ast"
	"go/token"
	"go/types"
	"slices"
	"strings"
)

// index answers lookups by object; Program.Index fills it.
type index struct {
	services map[*types.TypeName]*Service
	methods  map[*types.Func]*Method
	fields   map[*types.Var]*Field
	packages map[*types.Package]*Package

	constructors map[*types.Func]*Service
	functions    map[*types.Func]*Function // AddFunction fills it
}

// Index prepares the lookups below. The frontend calls it once, when the
// services and their methods are complete.
func (p *Program) Index() {
	p.services = map[*types.TypeName]*Service{}
	p.methods = map[*types.Func]*Method{}
	p.fields = map[*types.Var]*Field{}
	p.packages = map[*types.Package]*Package{}
	p.constructors = map[*types.Func]*Service{}
	for pkg := range p.Sources() {
		p.packages[pkg.Types] = pkg
	}
	for _, s := range p.Services {
		p.services[s.Obj] = s
		if s.Constructor != nil {
			p.constructors[s.Constructor.Func] = s
		}
		for m := range s.All() {
			p.methods[m.Func] = m
		}
		for _, f := range s.Fields {
			p.fields[f.Var] = f
		}
	}
}

// Sources yields the rewritten packages and then the ones that are imported as
// they are.
func (p *Program) Sources() func(yield func(*Package) bool) {
	return func(yield func(*Package) bool) {
		for _, pkg := range p.Packages {
			if !yield(pkg) {
				return
			}
		}
		for _, pkg := range p.Imported {
			if !yield(pkg) {
				return
			}
		}
	}
}

// ServiceOf returns the service that obj declares, or nil.
func (p *Program) ServiceOf(obj *types.TypeName) *Service { return p.services[obj] }

// ServiceType returns the service that t is, or nil: t itself, not a pointer to it.
func (p *Program) ServiceType(t types.Type) *Service {
	if named, ok := types.Unalias(t).(*types.Named); ok {
		return p.services[named.Origin().Obj()]
	}
	return nil
}

// Pointee returns the service that t points to, or nil where t is no pointer to a service.
func (p *Program) Pointee(t types.Type) *Service {
	if t == nil {
		return nil
	}
	if ptr, ok := types.Unalias(t).(*types.Pointer); ok {
		return p.ServiceType(ptr.Elem())
	}
	return nil
}

// MethodOf returns the service method that fn declares, or nil.
func (p *Program) MethodOf(fn *types.Func) *Method {
	if fn == nil {
		return nil
	}
	return p.methods[fn.Origin()]
}

// ConstructorOf returns the service that fn constructs, or nil.
func (p *Program) ConstructorOf(fn *types.Func) *Service { return p.constructors[fn] }

// FieldOf returns the service field that v declares, or nil.
func (p *Program) FieldOf(v *types.Var) *Field { return p.fields[v] }

// PackageOf returns the user's package of t, rewritten or not, or nil for one
// that is known by its export data only.
func (p *Program) PackageOf(t *types.Package) *Package { return p.packages[t] }

// Position returns where pos is.
func (p *Program) Position(pos token.Pos) token.Position { return p.Fset.Position(pos) }

// All yields the endpoints and then the helpers.
func (s *Service) All() func(yield func(*Method) bool) {
	return func(yield func(*Method) bool) {
		for _, list := range [][]*Method{s.Methods, s.Helpers} {
			for _, m := range list {
				if !yield(m) {
					return
				}
			}
		}
	}
}

// Field returns the field called name, or nil.
func (s *Service) Field(name string) *Field {
	if i := slices.IndexFunc(s.Fields, func(f *Field) bool { return f.Name == name }); i >= 0 {
		return s.Fields[i]
	}
	return nil
}

// Method returns the endpoint or helper called name, or nil.
func (s *Service) Method(name string) *Method {
	for m := range s.All() {
		if m.Name == name {
			return m
		}
	}
	return nil
}

func (s *Service) String() string { return s.Name }

func (f *Field) String() string { return f.Service.Name + "." + f.Name }

func (m *Method) String() string { return m.Service.Name + "." + m.Name }

// Endpoint reports whether the method is exported, and so callable from outside.
func (m *Method) Endpoint() bool { return m.Func.Exported() }

// Receiver returns the receiver's variable, or nil where it has no name.
func (m *Method) Receiver() *types.Var {
	if names := m.Decl.Recv.List[0].Names; len(names) == 1 && names[0].Name != "_" {
		v, _ := m.File.Pkg.Info.Defs[names[0]].(*types.Var)
		return v
	}
	return nil
}

// Selected returns the service field that sel reaches first, when sel selects a
// field or promoted member of a service's struct; nil otherwise. For h.count
// promoted from an embedded struct that is the embedded field.
func (p *Program) Selected(info *types.Info, sel *ast.SelectorExpr) *Field {
	s := info.Selections[sel]
	if s == nil {
		return nil
	}
	service := p.Pointee(s.Recv())
	if service == nil {
		service = p.ServiceType(s.Recv())
	}
	if service == nil || s.Kind() != types.FieldVal && len(s.Index()) < 2 {
		return nil
	}
	strct, ok := service.Obj.Type().Underlying().(*types.Struct)
	if !ok {
		return nil
	}
	return p.fields[strct.Field(s.Index()[0])]
}

// CompareFields orders fields by service and name.
func CompareFields(a, b *Field) int {
	return cmp.Or(strings.Compare(a.Service.Name, b.Service.Name), strings.Compare(a.Name, b.Name))
}

// CompareMethods orders methods by service and name.
func CompareMethods(a, b *Method) int {
	return cmp.Or(strings.Compare(a.Service.Name, b.Service.Name), strings.Compare(a.Name, b.Name))
}

// CompareServices orders services by name.
func CompareServices(a, b *Service) int { return strings.Compare(a.Name, b.Name) }
