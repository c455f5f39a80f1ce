// Package instrument holds the source of what instrumented services run, to be
// copied into their modules. Package inject does so; the packages are used as they are,
// too.
package instrument

import "embed"

// Runtime is package slowpoke with what it needs, by folder. None of it needs a module
// but this one, grpc and the routers that the packages named after them measure; those
// are not compiled here, since this module does not require any router.
//
//go:embed slowpoke precise routers
var Runtime embed.FS
