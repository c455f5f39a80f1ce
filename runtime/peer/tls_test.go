package peer_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"io"
	"log"
	"math/big"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/onefold/onefold/runtime"
	"github.com/onefold/onefold/runtime/atomic"
	"github.com/onefold/onefold/runtime/peer"
)

// certificates makes a folder with a certificate for 127.0.0.1, signed by an authority of its own.
func certificates(t *testing.T) *peer.TLS {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "onefold"},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign,
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth},
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
	}
	cert, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	raw, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	for name, block := range map[string]*pem.Block{
		"tls.crt": {Type: "CERTIFICATE", Bytes: cert}, "ca.crt": {Type: "CERTIFICATE", Bytes: cert}, "tls.key": {Type: "PRIVATE KEY", Bytes: raw},
	} {
		if err := os.WriteFile(filepath.Join(dir, name), pem.EncodeToMemory(block), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	secrets, err := peer.OpenTLS(dir)
	if err != nil {
		t.Fatal(err)
	}
	return secrets
}

// TestTLS calls over HTTP/2 with certificates: those of another authority do not get in.
func TestTLS(t *testing.T) {
	secrets := certificates(t)
	app := &runtime.App{Name: "app"}
	handler := peer.NewHandler(app, nil, peer.Config{})
	handler.Ready()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	protocols := new(http.Protocols)
	protocols.SetHTTP2(true)
	server := &http.Server{Handler: handler, Protocols: protocols, ErrorLog: log.New(io.Discard, "", 0)}
	go server.Serve(tls.NewListener(listener, secrets.Server()))
	defer server.Close()

	call := func(secrets *peer.TLS) error {
		peers, err := peer.ParsePeers("Hotel=https://"+listener.Addr().String(), []string{"Hotel"})
		if err != nil {
			t.Fatal(err)
		}
		client := peer.NewClient(app, peer.Config{Services: []string{}, Peers: peers, TLS: secrets}, peer.ClientOptions{})
		defer client.Close()
		_, err = client.Call(t.Context(), &atomic.Call{Service: "Hotel", Method: "Total"})
		return err
	}
	if err := call(secrets); err == nil || !strings.Contains(err.Error(), "this process does not answer /onefold/call/Hotel/Total") {
		t.Errorf("with the right certificate: %v, want the handler's answer", err)
	}
	if err := call(certificates(t)); err == nil || !strings.Contains(err.Error(), "no process answers") {
		t.Errorf("with another authority's certificate: %v, want a refusal", err)
	}
}
