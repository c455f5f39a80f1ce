// Command poker is the entrypoint of a container: the parent of the service, which
// it can stop and continue for a profiler. See package entry.
package main

import (
	"os"

	"github.com/onefold/onefold/instrument/poker/entry"
)

func main() {
	os.Exit(entry.Run(os.Args[1:], os.Stdout, os.Stderr))
}
