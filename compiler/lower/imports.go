package lower

import (
	"go/ast"
	"strings"
)

// imports makes the file import rewritten packages from where they are written,
//
//	import "example.com/travel/hotel"
//	import "example.com/travel/gen/hotel"
//
// and drops the directives that concern the spec only.
func (f *file) imports() {
	for _, spec := range f.ir.Syntax.Imports {
		name := f.info.PkgNameOf(spec)
		if name == nil {
			continue
		}
		if pkg := f.prog.PackageOf(name.Imported()); pkg != nil && pkg.OutPath != "" {
			f.Move(pkg.Path, pkg.OutPath)
		}
	}
	for _, group := range f.ir.Syntax.Comments {
		f.marks(group)
	}
}

// marks drops //onefold: and //go:generate comments from group.
func (f *file) marks(group *ast.CommentGroup) {
	var kept []string
	for _, c := range group.List {
		if !strings.HasPrefix(c.Text, "//onefold:") && !strings.HasPrefix(c.Text, "//go:generate") {
			kept = append(kept, c.Text)
		}
	}
	if len(kept) == len(group.List) {
		return
	}
	for len(kept) > 0 && kept[len(kept)-1] == "//" {
		kept = kept[:len(kept)-1]
	}
	f.Replace("imports", group, strings.ReplaceAll(strings.Join(kept, "\n"), "$", "$$"), nil)
}
