package gosource

import (
	"path"

	"github.com/dave/jennifer/jen"

	"github.com/onefold/onefold/backend"
	"github.com/onefold/onefold/compiler/ir"
	"github.com/onefold/onefold/compiler/names"
)

// Command returns the folder, in the output, of the command that can be one service
// of an application.
func Command(app, service string) string { return path.Join("cmd", app+"-"+service) }

// EmitServices returns a command for each service, which holds the services alone
// that this one reaches, and the application's document.
func EmitServices(prog *ir.Program, table *names.Table, app App, document []byte) ([]backend.File, error) {
	var files []backend.File
	for _, s := range prog.Services {
		folder := Command(app.Name, s.Name)
		command, err := backend.GoFile(path.Join(folder, "main.go"), serviceMain(prog, table, app, s))
		if err != nil {
			return nil, err
		}
		files = append(files, command, backend.File{Name: path.Join(folder, OpenAPIFile), Data: document})
	}
	return files, nil
}

// serviceMain returns the command for a service:
//
//	func main() {
//		os.Exit(local.Main(&runtime.App{Name: "travel", Services: []*runtime.Service{hotel.HotelService}, …}, os.Args[1:]))
//	}
func serviceMain(prog *ir.Program, table *names.Table, app App, s *ir.Service) *jen.File {
	f := jen.NewFile("main")
	f.PackageComment("// Command " + path.Base(Command(app.Name, s.Name)) + " is service " + s.Name + " of the application " + app.Name + ".")
	f.Anon("embed")
	f.ImportName(backend.Local, "local")
	f.ImportName(backend.Runtime, "runtime")
	for _, p := range prog.Packages {
		f.ImportName(p.OutPath, p.Name)
	}
	f.Comment("//go:embed " + OpenAPIFile)
	f.Var().Id("openAPI").Index().Byte()
	f.Line().Func().Id("main").Params().Block(
		jen.Qual("os", "Exit").Call(jen.Qual(backend.Local, "Main").Call(
			description(reached(prog, s), table, app), jen.Qual("os", "Args").Index(jen.Lit(1).Op(":")),
		)),
	)
	return f
}
