package gosource

import (
	"go/types"
	"path"
	"slices"
	"strings"

	"github.com/dave/jennifer/jen"

	"github.com/onefold/onefold/backend"
	"github.com/onefold/onefold/compiler/ir"
)

// describe adds what the runtime knows of a service:
//
//	var HotelService = &runtime.Service{
//		Name:    "Hotel",
//		Methods: []*runtime.Method{…},
//		…
//	}
func (p *packageFile) describe(s *service) {
	fields := []entry{{"Name", jen.Lit(s.Name)}, {"Methods", p.methods(s)}}
	list := s.fields(persistent)
	if len(list) > 0 {
		fields = append(fields, entry{"Fields", jen.Index().Qual(backend.Runtime, "Field").ValuesFunc(func(g *jen.Group) {
			for _, f := range list {
				g.Id(s.names.Field(f))
			}
		})})
	}
	if sentinels := p.sentinels(s); len(sentinels) > 0 {
		fields = append(fields, entry{"Sentinels", jen.Index().Qual(backend.Runtime, "Sentinel").Values(sentinels...)})
	}
	if private := p.privateErrors(s); len(private) > 0 {
		fields = append(fields, entry{"Private", jen.Index().Qual(backend.Runtime, "Sentinel").Values(private...)})
	}
	if errs := p.errorTypes(s); len(errs) > 0 {
		fields = append(fields, entry{"Errors", jen.Index().Qual(backend.Runtime, "ErrorType").Values(errs...)})
	}
	if len(list) > 0 {
		fields = append(fields, entry{"Init", jen.Id(s.names.Init)})
	}
	if len(s.fields(config)) > 0 {
		fields = append(fields, entry{"Configure", jen.Id(s.names.Configure)})
	}
	if calls := called(p.prog, s.Service); len(calls) > 0 {
		fields = append(fields, entry{"Calls", serviceNames(calls)})
	}
	fields = append(fields, entry{"Reach", serviceNames(reached(p.prog, s.Service))})
	p.out.Line().Commentf("%s describes %s to the runtime.", s.names.Descriptor, s.Name)
	p.out.Var().Id(s.names.Descriptor).Op("=").Op("&").Qual(backend.Runtime, "Service").Add(lines(fields...))
	p.init(s)
}

func (p *packageFile) methods(s *service) *jen.Statement {
	return jen.Index().Op("*").Qual(backend.Runtime, "Method").ValuesFunc(func(g *jen.Group) {
		for _, m := range s.Methods {
			entries := []entry{{"Name", jen.Lit(m.Name)}, {"Kind", kind(m.Kind)}}
			if len(m.Params) > 0 {
				entries = append(entries, entry{"Params", jen.Index().String().ValuesFunc(func(g *jen.Group) {
					for _, param := range m.Params {
						g.Lit(param.Name)
					}
				})})
			}
			if m.Kind != ir.Workflow {
				entries = append(entries, entry{"Call", jen.Id(s.names.Call(m))}, entry{"Serve", jen.Id(s.names.Serve(m))})
			}
			if m.Kind == ir.Workflow || m.Step || m.Message {
				entries = append(entries, entry{"Durable", jen.Id(s.names.Durable(m).Method)})
			}
			g.Line().Add(oneLine(entries...))
		}
		g.Line()
	})
}

func kind(k ir.MethodKind) *jen.Statement {
	name := map[ir.MethodKind]string{ir.Stateless: "Stateless", ir.ReadOnly: "ReadOnly", ir.Atomic: "Atomic", ir.Workflow: "Workflow"}[k]
	return jen.Qual(backend.Runtime, name)
}

// serviceNames returns a list of the names of services.
func serviceNames(services []*ir.Service) *jen.Statement {
	return jen.Index().String().ValuesFunc(func(g *jen.Group) {
		for _, s := range services {
			g.Lit(s.Name)
		}
	})
}

// called returns the other services that methods of s call themselves.
func called(prog *ir.Program, s *ir.Service) []*ir.Service {
	set := map[*ir.Service]bool{}
	for m := range s.All() {
		for _, callee := range m.Effects.Calls {
			set[callee.Service] = true
		}
	}
	delete(set, s)
	return ordered(prog, set)
}

// reached returns the services that methods of s may touch, s included.
func reached(prog *ir.Program, s *ir.Service) []*ir.Service {
	set := map[*ir.Service]bool{s: true}
	for m := range s.All() {
		for _, r := range m.Effects.Reach {
			set[r] = true
		}
	}
	return ordered(prog, set)
}

// ordered returns the services of a set in the program's order.
func ordered(prog *ir.Program, set map[*ir.Service]bool) []*ir.Service {
	var services []*ir.Service
	for _, s := range prog.Services {
		if set[s] {
			services = append(services, s)
		}
	}
	return services
}

// init adds the function that writes the initial state:
//
//	func initHotel(tx *atomic.Tx) {
//		s := NewHotel()
//		hotelRooms.Init(tx, s.rooms)
//	}
func (p *packageFile) init(s *service) {
	list := s.fields(persistent)
	if len(list) == 0 {
		return
	}
	p.out.Line().Commentf("%s writes %s's initial state.", s.names.Init, s.Name)
	p.out.Func().Id(s.names.Init).Params(jen.Id("tx").Op("*").Qual(backend.Atomic, "Tx")).BlockFunc(func(g *jen.Group) {
		if s.Constructor == nil {
			for _, f := range list {
				g.Id(s.names.Field(f)).Dot("Init").Call(jen.Id("tx"), p.zero(f.Var.Type()))
			}
			return
		}
		g.Id("s").Op(":=").Add(p.construct(s))
		for _, f := range list {
			g.Id(s.names.Field(f)).Dot("Init").Call(jen.Id("tx"), jen.Id("s").Dot(f.Name))
		}
	})
}

// zero returns the zero value of t.
func (p *packageFile) zero(t types.Type) *jen.Statement {
	switch u := t.Underlying().(type) {
	case *types.Basic:
		switch {
		case u.Info()&types.IsString != 0:
			return jen.Lit("")
		case u.Info()&types.IsBoolean != 0:
			return jen.False()
		}
		return jen.Lit(0)
	case *types.Struct, *types.Array:
		return p.goType(t).Values()
	}
	return jen.Nil()
}

// sentinels returns the error values that replies name: the exported error
// variables of the service's package and of the user's packages below it.
func (p *packageFile) sentinels(s *service) []jen.Code {
	var list []jen.Code
	for _, pkg := range p.spoken(s) {
		for _, v := range errorVars(pkg) {
			if v.Exported() {
				list = append(list, p.sentinel(pkg, v))
			}
		}
	}
	return ended(list)
}

// privateErrors returns the unexported error variables of the service's package:
// its services may tell each other by them.
func (p *packageFile) privateErrors(s *service) []jen.Code {
	var list []jen.Code
	for _, v := range errorVars(s.Pkg) {
		if !v.Exported() && v.Name() != "_" {
			list = append(list, p.sentinel(s.Pkg, v))
		}
	}
	return ended(list)
}

// errorVars returns the package-level variables of type error in source order.
func errorVars(pkg *ir.Package) []*types.Var {
	return slices.DeleteFunc(declared[*types.Var](pkg), func(v *types.Var) bool {
		return !types.Identical(v.Type(), types.Universe.Lookup("error").Type())
	})
}

func (p *packageFile) sentinel(pkg *ir.Package, v *types.Var) *jen.Statement {
	return jen.Line().Add(oneLine(
		entry{"Name", jen.Lit(p.errorName(pkg, v.Name()))},
		entry{"Err", p.qualified(v.Pkg(), v.Name())},
	))
}

func ended(list []jen.Code) []jen.Code {
	if len(list) > 0 {
		list = append(list, jen.Line())
	}
	return list
}

// errorName returns what a declared error is called outside: with as much of the import
// path as it takes where several packages have one name.
func (p *packageFile) errorName(pkg *ir.Package, name string) string {
	dir, qualifier := path.Dir(pkg.Path), pkg.Name
	for dir != "." && !p.unique(pkg, qualifier) {
		qualifier = path.Base(dir) + "/" + qualifier
		dir = path.Dir(dir)
	}
	return qualifier + "." + name
}

// unique reports whether a qualifier stands for pkg alone.
func (p *packageFile) unique(pkg *ir.Package, qualifier string) bool {
	for other := range p.prog.Sources() {
		if other != pkg && strings.HasSuffix("/"+path.Join(path.Dir(other.Path), other.Name), "/"+qualifier) {
			return false
		}
	}
	return true
}

// spoken returns the package of s and the user's packages that it imports,
// directly or not, its own first: those whose errors its methods may return.
func (p *packageFile) spoken(s *service) []*ir.Package {
	list := []*ir.Package{s.Pkg}
	for pkg := range p.prog.Sources() {
		if _, ok := p.below[pkg.Path]; ok {
			list = append(list, pkg)
		}
	}
	return list
}

// declared returns the package-level objects of one sort in source order.
func declared[O types.Object](pkg *ir.Package) []O {
	var list []O
	scope := pkg.Types.Scope()
	for _, name := range scope.Names() {
		if obj, ok := scope.Lookup(name).(O); ok {
			list = append(list, obj)
		}
	}
	slices.SortFunc(list, func(a, b O) int { return int(a.Pos() - b.Pos()) })
	return list
}

// errorTypes returns the exported error types that replies carry whole:
//
//	{Name: "bank.LimitError", AppendJSON: func(b []byte, err error) ([]byte, bool) {
//		var e *LimitError
//		if !errors.As(err, &e) {
//			return b, false
//		}
//		out, err := LimitErrorCodec.AppendJSON(b, e)
//		return out, err == nil
//	}, Codec: runtime.NewErrorCodec[*LimitError](codec.Pointer(LimitErrorCodec))}
func (p *packageFile) errorTypes(s *service) []jen.Code {
	var list []jen.Code
	for _, pkg := range p.spoken(s) {
		for _, obj := range declared[*types.TypeName](pkg) {
			if t, _ := p.checks.Error(obj); t != nil {
				name := p.errorName(pkg, obj.Name())
				entries := []entry{{"Name", jen.Lit(name)}, {"AppendJSON", p.appendError(obj, t)}}
				entries = append(entries, entry{"Codec", jen.Qual(backend.Runtime, "NewErrorCodec").Types(p.goType(t)).Call(p.types.Type(t))})
				if p.prog.Durable() {
					entries = append(entries, entry{"Durable", jen.Qual(backend.Workflow, "NewErrorType").Call(jen.Lit(name), p.types.Type(t))})
				}
				list = append(list, jen.Line().Add(oneLine(entries...)))
			}
		}
	}
	return ended(list)
}

func (p *packageFile) appendError(obj *types.TypeName, t types.Type) *jen.Statement {
	value := jen.Op("&").Id("e")
	if _, ok := t.(*types.Pointer); ok {
		value = jen.Id("e")
	}
	return jen.Func().Params(jen.Id("b").Index().Byte(), jen.Err().Error()).Params(jen.Index().Byte(), jen.Bool()).Block(
		jen.Var().Id("e").Add(p.goType(t)),
		jen.If(jen.Op("!").Qual("errors", "As").Call(jen.Err(), jen.Op("&").Id("e"))).Block(jen.Return(jen.Id("b"), jen.False())),
		jen.List(jen.Id("out"), jen.Err()).Op(":=").Add(p.types.Type(obj.Type())).Dot("AppendJSON").Call(jen.Id("b"), value),
		jen.Return(jen.Id("out"), jen.Err().Op("==").Nil()),
	)
}
