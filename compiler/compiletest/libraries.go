package compiletest

import (
	"fmt"
	"go/token"
	"go/types"
	"os/exec"
	"strings"
	"sync"

	"github.com/onefold/onefold/frontend"
)

// paths are the packages that archives may import.
var paths = []string{
	"bufio", "bytes", "cmp", "container/heap", "context", "crypto/sha256", "database/sql", "embed", "encoding/hex", "encoding/json", "errors", "fmt",
	"io", "iter", "log", "log/slog", "maps", "math", "math/rand", "math/rand/v2", "net", "net/http", "net/url", "os", "os/exec",
	"path/filepath", "reflect", "regexp", "runtime", "crypto/rand", "hash/maphash", "runtime/debug", "slices", "sort", "strconv", "strings", "sync", "sync/atomic",
	"syscall", "text/template", "time", "unicode", "unicode/utf8", "unsafe",
	"github.com/google/uuid",
	"golang.org/x/sync/errgroup",
	"github.com/onefold/onefold",
}

// exportFiles lists the export data of paths, once a process.
var exportFiles = sync.OnceValues(func() (map[string]string, error) {
	args := append([]string{"list", "-export", "-f", "{{.ImportPath}} {{.Export}}"}, paths...)
	out, err := exec.Command("go", args...).Output()
	if err != nil {
		return nil, fmt.Errorf("list libraries: %w", err)
	}
	files := map[string]string{}
	for line := range strings.Lines(string(out)) {
		path, file, _ := strings.Cut(strings.TrimSpace(line), " ")
		files[path] = file
	}
	return files, nil
})

// libraries returns an importer of paths into fset.
func libraries(fset *token.FileSet) (types.Importer, error) {
	files, err := exportFiles()
	if err != nil {
		return nil, err
	}
	return frontend.ExportImporter(fset, files), nil
}
