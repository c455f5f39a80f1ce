package gosource

import (
	"crypto/sha256"
	"encoding/hex"
	"go/token"
	"path"
	"strings"
	"unicode"

	"github.com/dave/jennifer/jen"

	"github.com/onefold/onefold/backend"
	"github.com/onefold/onefold/compiler/ir"
	"github.com/onefold/onefold/compiler/names"
)

// Names of files in the output folder.
const (
	AppFile     = "app.go"
	OpenAPIFile = "openapi.json"
)

// App says what the application's own files need to know.
type App struct {
	Name    string // of the application and its command
	OutPath string // import path of the output folder
	Version string // changes with the generated code
}

// Version returns a version that changes whenever files do.
func Version(files []backend.File) string {
	h := sha256.New()
	for _, f := range files {
		h.Write([]byte(f.Name))
		h.Write([]byte{0})
		h.Write(f.Data)
		h.Write([]byte{0})
	}
	return hex.EncodeToString(h.Sum(nil)[:8])
}

// EmitApp returns the files of the application: its description and its command.
func EmitApp(prog *ir.Program, table *names.Table, app App) ([]backend.File, error) {
	description, err := backend.GoFile(AppFile, appFile(prog, table, app))
	if err != nil {
		return nil, err
	}
	command, err := backend.GoFile(path.Join("cmd", app.Name, "main.go"), mainFile(app))
	if err != nil {
		return nil, err
	}
	return []backend.File{description, command}, nil
}

// appFile returns the package that describes the application:
//
//	func App() *runtime.App {
//		return &runtime.App{Name: "travel", Services: []*runtime.Service{hotel.HotelService}, …}
//	}
func appFile(prog *ir.Program, table *names.Table, app App) *jen.File {
	f := jen.NewFilePathName(app.OutPath, packageName(app.OutPath))
	f.PackageComment("// Package " + packageName(app.OutPath) + " is the application " + app.Name + ", compiled by onefold.")
	f.Anon("embed")
	f.ImportName(backend.Runtime, "runtime")
	for _, p := range prog.Packages {
		f.ImportName(p.OutPath, p.Name)
	}
	f.Comment("//go:embed " + OpenAPIFile)
	f.Var().Id("openAPI").Index().Byte()
	f.Line().Comment("App describes the application to what runs it.")
	f.Func().Id("App").Params().Op("*").Qual(backend.Runtime, "App").Block(
		jen.Return(description(prog.Services, table, app)),
	)
	return f
}

// description returns the value that describes services of the application.
func description(services []*ir.Service, table *names.Table, app App) *jen.Statement {
	return jen.Op("&").Qual(backend.Runtime, "App").Add(lines(
		entry{"Name", jen.Lit(app.Name)},
		entry{"Services", list(services, table)},
		entry{"OpenAPI", jen.Id("openAPI")},
		entry{"Version", jen.Lit(app.Version)},
	))
}

func list(services []*ir.Service, table *names.Table) *jen.Statement {
	return jen.Index().Op("*").Qual(backend.Runtime, "Service").ValuesFunc(func(g *jen.Group) {
		for _, s := range services {
			g.Line().Qual(s.Pkg.OutPath, table.Service(s).Descriptor)
		}
		g.Line()
	})
}

// mainFile returns the command that serves the application.
func mainFile(app App) *jen.File {
	f := jen.NewFile("main")
	f.PackageComment("// Command " + app.Name + " serves the application on the embedded store.")
	f.ImportName(backend.Local, "local")
	f.ImportName(app.OutPath, packageName(app.OutPath))
	f.Func().Id("main").Params().Block(
		jen.Qual("os", "Exit").Call(jen.Qual(backend.Local, "Main").Call(
			jen.Qual(app.OutPath, "App").Call(), jen.Qual("os", "Args").Index(jen.Lit(1).Op(":")),
		)),
	)
	return f
}

// packageName returns a package name for the last element of an import path.
func packageName(importPath string) string {
	name := strings.Map(func(r rune) rune {
		if unicode.IsLetter(r) || unicode.IsDigit(r) {
			return unicode.ToLower(r)
		}
		return -1
	}, path.Base(importPath))
	if !token.IsIdentifier(name) {
		return "app" + name
	}
	return name
}
