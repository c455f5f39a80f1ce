package names

import (
	"go/types"

	"golang.org/x/tools/go/types/typeutil"

	"github.com/onefold/onefold/compiler/ir"
)

// Value is a type whose values a package's workflows carry by onefold's functions,
// and the variable that holds its codec.
type Value struct {
	Name string
	Type types.Type
}

// values are those of one package.
type values struct {
	byType typeutil.Map // types.Type → string
	list   []Value
}

// Value returns the variable that holds the codec of t for p's workflows.
func (t *Table) Value(p *ir.Package, typ types.Type) string {
	v := t.values[p]
	if v == nil {
		v = &values{}
		t.values[p] = v
	}
	if name, ok := v.byType.At(typ).(string); ok {
		return name
	}
	name := t.packages[p].Take(valueName(typ) + "Value")
	v.byType.Set(typ, name)
	v.list = append(v.list, Value{name, typ})
	return name
}

// Values returns what Value was asked for, in that order.
func (t *Table) Values(p *ir.Package) []Value {
	if v := t.values[p]; v != nil {
		return v.list
	}
	return nil
}

// valueName makes a name of what t is made of: orders of []Order.
func valueName(typ types.Type) string {
	switch t := types.Unalias(typ).(type) {
	case *types.Named:
		return Lower(t.Obj().Name())
	case *types.Basic:
		return Lower(t.Name())
	case *types.Pointer:
		return valueName(t.Elem())
	case *types.Slice:
		return valueName(t.Elem()) + "s"
	case *types.Array:
		return valueName(t.Elem()) + "s"
	case *types.Map:
		return valueName(t.Elem()) + "By" + Upper(valueName(t.Key()))
	}
	return "step"
}
