package gosource

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"go/ast"
	"go/printer"
	"go/token"
	"go/types"
	"io"
	"slices"

	"github.com/onefold/onefold/compiler/ir"
)

// CodeHash returns what changes with whatever the replay of the workflow m depends
// on: the code that it runs between its steps, the constants and variables of the
// packages that this mentions, and the types and names of what it calls. Comments,
// the layout of the code and the bodies of its steps are none of that.
func CodeHash(prog *ir.Program, m *ir.Method) string {
	h := hasher{prog: prog, seen: map[types.Object]bool{}}
	for _, f := range prog.Flow(m) {
		fmt.Fprintf(&h.text, "%s %s\n", f, f.Func.Signature())
		h.node(f.File.Pkg, f.Decl.Body)
	}
	slices.Sort(h.facts)
	for _, fact := range slices.Compact(h.facts) {
		io.WriteString(&h.text, fact)
	}
	sum := sha256.Sum256(h.text.Bytes())
	return hex.EncodeToString(sum[:8])
}

// hasher gathers the text that is hashed.
type hasher struct {
	prog  *ir.Program
	text  bytes.Buffer
	facts []string // about what the code mentions
	seen  map[types.Object]bool
}

// node adds the code of n, and what it mentions.
func (h *hasher) node(pkg *ir.Package, n ast.Node) {
	// A fresh file set knows no position, so the layout is the printer's own.
	if err := printer.Fprint(&h.text, token.NewFileSet(), n); err != nil {
		panic(fmt.Sprintf("print code of a workflow: %v", err))
	}
	h.text.WriteByte('\n')
	ast.Inspect(n, func(n ast.Node) bool {
		if id, ok := n.(*ast.Ident); ok {
			h.object(pkg.Info.Uses[id])
		}
		return true
	})
}

// object adds what there is to know of something that the code mentions.
func (h *hasher) object(obj types.Object) {
	if obj == nil || obj.Pkg() == nil || h.seen[obj] {
		return
	}
	h.seen[obj] = true
	pkg := h.prog.PackageOf(obj.Pkg())
	if pkg == nil {
		return
	}
	switch obj := obj.(type) {
	case *types.Const:
		h.facts = append(h.facts, fmt.Sprintf("const %s.%s = %s\n", pkg.Path, obj.Name(), obj.Val().ExactString()))
	case *types.TypeName:
		h.facts = append(h.facts, fmt.Sprintf("type %s.%s %s\n", pkg.Path, obj.Name(), obj.Type().Underlying()))
	case *types.Func:
		h.facts = append(h.facts, fmt.Sprintf("func %s %s\n", obj.FullName(), obj.Signature()))
	case *types.Var:
		if obj.Parent() == obj.Pkg().Scope() {
			h.variable(pkg, obj)
		}
	}
}

// variable adds the initial value of a package variable, which never changes.
func (h *hasher) variable(pkg *ir.Package, v *types.Var) {
	for _, init := range pkg.Info.InitOrder {
		if !slices.Contains(init.Lhs, v) {
			continue
		}
		var value hasher
		value.prog, value.seen = h.prog, h.seen
		value.node(pkg, init.Rhs)
		h.facts = append(append(h.facts, value.facts...), fmt.Sprintf("var %s.%s = %s\n", pkg.Path, v.Name(), value.text.String()))
	}
}
