package peer

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"path/filepath"
	"sync/atomic"
)

// TLS is a folder with this process's certificate and the authority that signed
// those of all processes. It may change.
type TLS struct {
	dir       string
	cert, key *watched[[]byte]
	authority *watched[*x509.CertPool]
	last      atomic.Pointer[tls.Certificate]
}

// OpenTLS reads tls.crt, tls.key and ca.crt in dir.
func OpenTLS(dir string) (*TLS, error) {
	t := &TLS{dir: dir}
	raw := func(text []byte) ([]byte, error) { return text, nil }
	var errs [3]error
	t.cert, errs[0] = watch(filepath.Join(dir, "tls.crt"), raw)
	t.key, errs[1] = watch(filepath.Join(dir, "tls.key"), raw)
	t.authority, errs[2] = watch(filepath.Join(dir, "ca.crt"), parseAuthority)
	if err := errors.Join(errs[:]...); err != nil {
		return nil, err
	}
	_, err := t.certificate()
	return t, err
}

func parseAuthority(text []byte) (*x509.CertPool, error) {
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(text) {
		return nil, errors.New("no certificate in PEM form")
	}
	return pool, nil
}

// certificate returns the newest certificate whose key was there too: the two files
// do not change at once.
func (t *TLS) certificate() (*tls.Certificate, error) {
	cert, err := tls.X509KeyPair(t.cert.get(), t.key.get())
	if err == nil {
		t.last.Store(&cert)
	} else if t.last.Load() == nil {
		return nil, fmt.Errorf("%s: %w", t.dir, err)
	}
	return t.last.Load(), nil
}

// Server returns the configuration of a listener that lets in only who has a
// certificate of the authority.
func (t *TLS) Server() *tls.Config {
	return &tls.Config{
		MinVersion: tls.VersionTLS13,
		GetConfigForClient: func(*tls.ClientHelloInfo) (*tls.Config, error) {
			cert, err := t.certificate()
			if err != nil {
				return nil, err
			}
			return &tls.Config{
				MinVersion:   tls.VersionTLS13,
				Certificates: []tls.Certificate{*cert},
				ClientAuth:   tls.RequireAndVerifyClientCert,
				ClientCAs:    t.authority.get(),
				NextProtos:   []string{"h2"},
			}, nil
		},
	}
}

// Client returns the configuration of a connection to a host, which must have a
// certificate of the authority for that name.
func (t *TLS) Client(host string) *tls.Config {
	return &tls.Config{
		MinVersion:           tls.VersionTLS13,
		ServerName:           host,
		RootCAs:              t.authority.get(),
		NextProtos:           []string{"h2"},
		GetClientCertificate: func(*tls.CertificateRequestInfo) (*tls.Certificate, error) { return t.certificate() },
	}
}
