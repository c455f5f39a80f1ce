// Package reply is what the programs answer with.
package reply

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"io"
	"math/big"
	"net/http"
	"os"
	"path/filepath"
	"time"
)

// OK answers a request.
func OK(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, "ok") }

// Drain reads a response.
func Drain(resp *http.Response, err error) {
	if err != nil {
		panic(err)
	}
	io.Copy(io.Discard, resp.Body)
	resp.Body.Close()
}

// Certificate returns files with a new certificate and its key.
func Certificate() (cert, key string) {
	dir, err := os.MkdirTemp("", "corpus")
	if err != nil {
		panic(err)
	}
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		panic(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), NotAfter: time.Now().Add(time.Hour)}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &private.PublicKey, private)
	if err != nil {
		panic(err)
	}
	keyDER, err := x509.MarshalECPrivateKey(private)
	if err != nil {
		panic(err)
	}
	write := func(name, kind string, der []byte) string {
		name = filepath.Join(dir, name)
		if err := os.WriteFile(name, pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}), 0o600); err != nil {
			panic(err)
		}
		return name
	}
	return write("cert", "CERTIFICATE", der), write("key", "EC PRIVATE KEY", keyDER)
}
