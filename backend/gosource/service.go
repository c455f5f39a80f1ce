package gosource

import (
	"github.com/dave/jennifer/jen"
	"slices"

	"github.com/onefold/onefold/backend"
	"github.com/onefold/onefold/compiler/ir"
	"github.com/onefold/onefold/compiler/names"
)

// service is a service with the names of what is declared for it.
type service struct {
	*ir.Service
	names *names.Service
}

// fields returns the fields that keep accepts.
func (s *service) fields(keep func(ir.FieldKind) bool) []*ir.Field {
	var list []*ir.Field
	for _, f := range s.Fields {
		if keep(f.Kind) {
			list = append(list, f)
		}
	}
	return list
}

// binds reports whether the service is used in transactions: whether it has more than workflows.
func (s *service) binds() bool {
	return len(s.Methods) == 0 || slices.ContainsFunc(s.Methods, func(m *ir.Method) bool { return m.Kind != ir.Workflow })
}

func persistent(k ir.FieldKind) bool { return k.Persistent() }

func config(k ir.FieldKind) bool { return k == ir.Config }

// version asserts that the runtime knows this version of generated code:
//
//	const (
//		_ = runtime.EnforceVersion(runtime.MaxVersion - 1)
//		_ = runtime.EnforceVersion(1 - runtime.MinVersion)
//	)
func (p *packageFile) version() {
	if p.versioned {
		return
	}
	p.versioned = true
	p.out.Comment("This code is for a runtime of its version; it does not compile with another.")
	p.out.Const().Defs(
		jen.Id("_").Op("=").Qual(backend.Runtime, "EnforceVersion").Call(jen.Qual(backend.Runtime, "MaxVersion").Op("-").Lit(backend.Version)),
		jen.Id("_").Op("=").Qual(backend.Runtime, "EnforceVersion").Call(jen.Lit(backend.Version).Op("-").Qual(backend.Runtime, "MinVersion")),
	)
}

// service adds everything of one service.
func (p *packageFile) service(s *service) {
	p.stateType(s)
	p.descriptors(s)
	p.configuration(s)
	p.bind(s)
	p.bindRun(s)
	p.client(s)
	p.self(s)
	p.describe(s)
	for _, m := range s.Methods {
		if m.Kind != ir.Workflow {
			p.call(s, m)
			p.serve(s, m)
		}
	}
	p.durable(s)
}

// stateType adds the plain state that the constructor builds:
//
//	type hotelState struct {
//		rooms map[string]Room
//		total int
//	}
func (p *packageFile) stateType(s *service) {
	if s.Constructor == nil {
		return
	}
	var fields []jen.Code
	for _, f := range s.Fields {
		field := jen.Id(f.Name).Add(p.goType(f.Var.Type()))
		if f.Embedded {
			field = p.goType(f.Var.Type())
		}
		fields = append(fields, field)
	}
	p.out.Line().Commentf("%s is %s's state as the constructor builds it.", s.names.State, s.Name)
	p.out.Type().Id(s.names.State).Struct(fields...)
}

// descriptors adds where the fields live:
//
//	var (
//		hotelRooms = state.NewMap("Hotel", "rooms", codec.StringKey, RoomCodec)
//		hotelTotal = state.NewValue("Hotel", "total", codec.Int)
//	)
func (p *packageFile) descriptors(s *service) {
	fields := s.fields(persistent)
	if len(fields) > 0 {
		p.out.Line().Commentf("Where %s's fields live in the store.", s.Name)
		p.out.Var().DefsFunc(func(g *jen.Group) {
			for _, f := range fields {
				g.Id(s.names.Field(f)).Op("=").Add(p.descriptor(f))
			}
		})
	}
	if !s.binds() {
		return
	}
	p.out.Line().Commentf("%s tells %s from other services in a transaction.", s.names.Key, s.Name)
	p.out.Var().Id(s.names.Key).Op("=").Qual(backend.Atomic, "NewKey").Call(jen.Lit(s.Name))
}

func (p *packageFile) descriptor(f *ir.Field) *jen.Statement {
	place := []jen.Code{jen.Lit(f.Service.Name), jen.Lit(f.Name)}
	switch f.Kind {
	case ir.Map:
		return jen.Qual(backend.State, "NewMap").Call(append(place, p.types.Key(f.Key), p.types.Type(f.Elem))...)
	case ir.Slice:
		return jen.Qual(backend.State, "NewSlice").Call(append(place, p.types.Type(f.Elem))...)
	}
	return jen.Qual(backend.State, "NewValue").Call(append(place, p.types.Type(f.Elem))...)
}

// configuration adds what the config fields are set to:
//
//	var hotelConfig struct{ limit int }
//
//	func configureHotel(lookup func(name string) (string, bool)) error {
//		hotelConfig.limit = NewHotel().limit
//		return errors.Join(runtime.Config(lookup, "HOTEL_LIMIT", &hotelConfig.limit))
//	}
func (p *packageFile) configuration(s *service) {
	fields := s.fields(config)
	if len(fields) == 0 {
		return
	}
	p.out.Line().Commentf("%s is what the constructor and the environment set the config fields of %s to.", s.names.Config, s.Name)
	p.out.Var().Id(s.names.Config).StructFunc(func(g *jen.Group) {
		for _, f := range fields {
			g.Id(f.Name).Add(p.goType(f.Var.Type()))
		}
	})
	p.out.Line().Commentf("%s sets the config fields of %s, once.", s.names.Configure, s.Name)
	lookup := jen.Id("lookup").Func().Params(jen.Id("name").String()).Params(jen.String(), jen.Bool())
	p.out.Func().Id(s.names.Configure).Params(lookup).Error().BlockFunc(func(g *jen.Group) {
		var errs []jen.Code
		if s.Constructor != nil {
			g.Id("s").Op(":=").Add(p.construct(s))
		}
		for _, f := range fields {
			if s.Constructor != nil {
				g.Id(s.names.Config).Dot(f.Name).Op("=").Id("s").Dot(f.Name)
			}
			errs = append(errs, jen.Line().Qual(backend.Runtime, "Config").Call(jen.Id("lookup"), jen.Lit(f.Variable()), jen.Op("&").Id(s.names.Config).Dot(f.Name)))
		}
		g.Return(jen.Qual("errors", "Join").Call(append(errs, jen.Line())...))
	})
}

// construct returns a call of the constructor, without dependencies: it only builds state.
func (p *packageFile) construct(s *service) *jen.Statement {
	var nils []jen.Code
	for range s.Constructor.Deps {
		nils = append(nils, jen.Nil())
	}
	return jen.Id(s.Constructor.Func.Name()).Call(nils...)
}

// bind adds the function that gives a transaction its instance:
//
//	func bindHotel(tx *atomic.Tx) *Hotel {
//		return atomic.Bind(tx, hotelKey, func(tx *atomic.Tx) *Hotel {
//			return &Hotel{tx: tx, rooms: hotelRooms.In(tx)}
//		})
//	}
func (p *packageFile) bind(s *service) {
	if !s.binds() {
		return
	}
	tx := jen.Id("tx").Op("*").Qual(backend.Atomic, "Tx")
	fields := []entry{{s.names.Tx, jen.Id("tx")}}
	for _, f := range s.Fields {
		switch {
		case f.Kind.Persistent():
			fields = append(fields, entry{f.Name, jen.Id(s.names.Field(f)).Dot("In").Call(jen.Id("tx"))})
		case f.Kind == ir.Config:
			fields = append(fields, entry{f.Name, jen.Id(s.names.Config).Dot(f.Name)})
		case f.Kind == ir.Dependency:
			fields = append(fields, entry{f.Name, p.qualified(f.Target.Obj.Pkg(), p.names.Service(f.Target).NewClient).Call(jen.Id("tx"))})
		}
	}
	literal := lines(fields...)
	if len(fields) < 4 {
		literal = oneLine(fields...)
	}
	p.out.Line().Commentf("%s returns %s as tx sees it.", s.names.Bind, s.Name)
	p.out.Func().Id(s.names.Bind).Params(tx).Op("*").Id(s.Name).Block(
		jen.Return(jen.Qual(backend.Atomic, "Bind").Call(jen.Id("tx"), jen.Id(s.names.Key),
			jen.Func().Params(tx.Clone()).Op("*").Id(s.Name).Block(jen.Return(jen.Op("&").Id(s.Name).Add(literal))))),
	)
}
