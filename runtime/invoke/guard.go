package invoke

import (
	"crypto/sha256"
	"crypto/subtle"
	"net"
	"net/http"
	"net/netip"
	"strings"
)

// Access says who may see and change everything below /_onefold/.
type Access struct {
	// Token lets those through that bear it: Authorization: Bearer TOKEN.
	Token string
	// Local lets, where there is no token, those through who are on this machine.
	Local bool
}

// Guard lets requests through to next that have access. Those from this machine come to a
// name of this machine, and directly: a web page of elsewhere that has its own name point here
// (DNS rebinding) does not, nor does what a proxy hands on. None may come from a page of another origin.
func Guard(access Access, next http.Handler) http.Handler {
	origins := http.NewCrossOriginProtection()
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		p := Problem{Type: TypeForbidden, Status: http.StatusForbidden}
		switch {
		case origins.Check(r) != nil:
			p.Type, p.Detail = TypeCrossOrigin, "a web page of another origin sent this"
		case access.Token != "" && !bears(r, access.Token):
			w.Header().Set("WWW-Authenticate", "Bearer")
			p.Type, p.Status, p.Detail = TypeUnauthorized, http.StatusUnauthorized, "this needs the server's token: Authorization: Bearer TOKEN"
		case access.Token == "" && !access.Local:
			p.Detail = "a server at an address that others reach serves this only with a token; start it with --admin-token"
		case access.Token == "" && !local(r):
			p.Detail = "without a token this is for requests from the same machine alone, to 127.0.0.1 or localhost; start the server with --admin-token to open it to others"
		default:
			next.ServeHTTP(w, r)
			return
		}
		p.Write(w)
	})
}

// bears reports whether the request has the token.
func bears(r *http.Request, token string) bool {
	given, ok := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
	a, b := sha256.Sum256([]byte(given)), sha256.Sum256([]byte(token))
	return ok && subtle.ConstantTimeCompare(a[:], b[:]) == 1
}

// local reports whether the request comes from this machine, directly.
func local(r *http.Request) bool {
	for _, name := range []string{"Forwarded", "X-Forwarded-For", "X-Forwarded-Host", "Via"} {
		if r.Header.Get(name) != "" {
			return false
		}
	}
	peer, err := netip.ParseAddrPort(r.RemoteAddr)
	return err == nil && peer.Addr().Unmap().IsLoopback() && localName(r.Host)
}

// localName reports whether a Host header names this machine.
func localName(host string) bool {
	if name, _, err := net.SplitHostPort(host); err == nil {
		host = name
	}
	host = strings.Trim(host, "[]")
	if addr, err := netip.ParseAddr(host); err == nil {
		return addr.Unmap().IsLoopback()
	}
	return strings.EqualFold(host, "localhost")
}
