// Package slowdefault makes package slowpoke count the calls of http.DefaultClient,
// and so of http.Get and its like. onefold instrument imports it into commands.
package slowdefault

import (
	"net/http"

	"github.com/onefold/onefold/instrument/slowpoke"
)

// While packages are initialised nobody else looks at the client yet. Who wants the
// default transport still gets the one that is the default at the time.
func init() { http.DefaultClient.Transport = slowpoke.Transport(http.DefaultClient.Transport) }
