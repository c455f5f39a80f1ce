//go:build e2e

package e2e

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"math/big"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	utilyaml "k8s.io/apimachinery/pkg/util/yaml"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/rest"
)

// bin is where a program is: among those that were built, or anywhere.
func bin(name string) string {
	if filepath.IsAbs(name) {
		return name
	}
	return filepath.Join(os.Getenv("E2E_BIN"), name)
}

// died says which program ended first, which none should before its test.
var died atomic.Value

// start runs a program until the test ends. Its output is shown when the test fails.
func start(t *testing.T, name string, args ...string) {
	t.Helper()
	var output bytes.Buffer
	cmd := exec.Command(bin(name), args...)
	cmd.Stdout, cmd.Stderr = &output, &output
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan struct{})
	go func() {
		died.CompareAndSwap(nil, errors.Join(fmt.Errorf("%s ended", name), cmd.Wait()))
		close(ended)
	}()
	t.Cleanup(func() {
		_ = cmd.Process.Kill() // it may have ended already, which the test has seen
		<-ended
		if t.Failed() {
			t.Logf("the end of what %s says:\n%s", name, tail(output.Bytes(), 4000))
		}
	})
}

func tail(b []byte, n int) []byte { return b[max(0, len(b)-n):] }

// eventually tries until fn returns nil.
func eventually(t *testing.T, what string, within time.Duration, fn func() error) {
	t.Helper()
	var err error
	for deadline := time.Now().Add(within); time.Now().Before(deadline); time.Sleep(100 * time.Millisecond) {
		if err = fn(); err == nil {
			return
		}
		if early := died.Load(); early != nil {
			t.Fatalf("%s: %v", what, early)
		}
	}
	t.Fatalf("%s: not within %v: %v", what, within, err)
}

// cluster is a Kubernetes in the namespaces of the test.
type cluster struct {
	dir         string // of all its state
	config      *rest.Config
	kubeconfig  string
	client      dynamic.Interface
	accounts    string // file of the key that signs the tokens of accounts
	certificate string // file of the API server's certificate, which is its own authority
}

// apiServer starts etcd and a kube-apiserver that pods find at an address.
func apiServer(t *testing.T, dir, address string) *cluster {
	t.Helper()
	const token = "e2e-administrator"
	c := &cluster{dir: dir}
	tokens := write(t, dir, "tokens.csv", token+",admin,admin,system:masters\n")
	c.accounts = write(t, dir, "accounts.key", keyFile(t, newKey(t)))
	key := newKey(t)
	c.certificate = write(t, dir, "api.crt", certificate(t, key, address))
	start(t, "etcd", "--data-dir", filepath.Join(dir, "etcd"), "--unsafe-no-fsync", "--log-level=error",
		"--listen-client-urls=http://127.0.0.1:2379", "--advertise-client-urls=http://127.0.0.1:2379",
		"--listen-peer-urls=http://127.0.0.1:2380", "--initial-advertise-peer-urls=http://127.0.0.1:2380", "--initial-cluster=default=http://127.0.0.1:2380")
	start(t, "kube-apiserver", "--etcd-servers=http://127.0.0.1:2379", "--advertise-address="+address, "--secure-port=6443",
		"--tls-cert-file", c.certificate, "--tls-private-key-file", write(t, dir, "api.key", keyFile(t, key)),
		"--cert-dir", filepath.Join(dir, "certificates"), "--service-cluster-ip-range=10.96.0.0/16",
		"--service-account-issuer=https://kubernetes.default.svc", "--service-account-key-file", c.accounts, "--service-account-signing-key-file", c.accounts,
		"--token-auth-file", tokens, "--authorization-mode=RBAC")
	c.config = &rest.Config{Host: "https://127.0.0.1:6443", BearerToken: token, QPS: 100, Burst: 200, TLSClientConfig: rest.TLSClientConfig{Insecure: true}}
	c.kubeconfig = write(t, dir, "kubeconfig", fmt.Sprintf(`
apiVersion: v1
kind: Config
current-context: e2e
contexts: [{name: e2e, context: {cluster: e2e, user: admin}}]
clusters: [{name: e2e, cluster: {server: "%s", insecure-skip-tls-verify: true}}]
users: [{name: admin, user: {token: %s}}]
`, c.config.Host, token))
	var err error
	if c.client, err = dynamic.NewForConfig(c.config); err != nil {
		t.Fatal(err)
	}
	eventually(t, "the API server is ready", 2*time.Minute, func() error {
		_, err := c.client.Resource(schema.GroupVersionResource{Version: "v1", Resource: "namespaces"}).Get(t.Context(), "default", metav1.GetOptions{})
		return err
	})
	return c
}

func write(t *testing.T, dir, name, text string) string {
	t.Helper()
	file := filepath.Join(dir, name)
	if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}

func newKey(t *testing.T) *ecdsa.PrivateKey {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

func keyFile(t *testing.T, key *ecdsa.PrivateKey) string {
	t.Helper()
	der, err := x509.MarshalECPrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	return string(pem.EncodeToMemory(&pem.Block{Type: "EC PRIVATE KEY", Bytes: der}))
}

// certificate returns one for an API server at an address, and at the first of
// the range of services.
func certificate(t *testing.T, key *ecdsa.PrivateKey, address string) string {
	t.Helper()
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "e2e"}, NotAfter: time.Now().Add(24 * time.Hour),
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign,
		DNSNames:    []string{"kubernetes.default.svc"},
		IPAddresses: []net.IP{net.ParseIP("127.0.0.1"), net.ParseIP(address), net.ParseIP("10.96.0.1")},
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	return string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}))
}

// apply applies the objects of a manifest, after edit has changed them.
func (c *cluster) apply(t *testing.T, manifest string, edit func(o *unstructured.Unstructured)) {
	t.Helper()
	for d := utilyaml.NewYAMLOrJSONDecoder(strings.NewReader(manifest), 4096); ; {
		o := new(unstructured.Unstructured)
		err := d.Decode(&o.Object)
		if errors.Is(err, io.EOF) {
			return
		}
		if err != nil {
			t.Fatalf("%v in:\n%s", err, manifest)
		}
		if len(o.Object) == 0 {
			continue // comments
		}
		if edit != nil {
			edit(o)
		}
		if _, err := c.resource(o.GroupVersionKind(), o.GetNamespace()).Apply(t.Context(), o.GetName(), o, metav1.ApplyOptions{FieldManager: "e2e", Force: true}); err != nil {
			t.Fatalf("apply %s %s: %v", o.GetKind(), o.GetName(), err)
		}
	}
}

func (c *cluster) resource(kind schema.GroupVersionKind, namespace string) dynamic.ResourceInterface {
	r, _ := meta.UnsafeGuessKindToResource(kind)
	if namespace == "" {
		return c.client.Resource(r)
	}
	return c.client.Resource(r).Namespace(namespace)
}

// applyFiles applies the files of a module that pattern matches.
func (c *cluster) applyFiles(t *testing.T, pattern string, edit func(o *unstructured.Unstructured)) {
	t.Helper()
	files, err := filepath.Glob(pattern)
	if err != nil || len(files) == 0 {
		t.Fatalf("no files %s: %v", pattern, err)
	}
	for _, file := range files {
		data, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		c.apply(t, string(data), edit)
	}
}

// installDefinitions applies the definitions of Knative Serving, and of the other
// modules of Knative that are given.
func (c *cluster) installDefinitions(t *testing.T, modules ...string) {
	t.Helper()
	var names []string
	edit := func(o *unstructured.Unstructured) {
		if o.GetKind() == "CustomResourceDefinition" {
			names = append(names, o.GetName())
		}
	}
	c.applyFiles(t, filepath.Join(os.Getenv("E2E_SERVING"), "config/core/300-resources/*.yaml"), edit)
	for _, module := range modules {
		c.applyFiles(t, filepath.Join(moduleDir(t, module), "config/*.yaml"), edit)
	}
	for _, name := range names {
		eventually(t, name+" is established", time.Minute, func() error {
			return c.condition(t.Context(), apiextensionsv1.SchemeGroupVersion.WithKind("CustomResourceDefinition"), "", name, "Established")
		})
	}
}

// moduleDir returns where a module is that Knative Serving requires.
func moduleDir(t *testing.T, module string) string {
	t.Helper()
	cmd := exec.Command("go", "list", "-m", "-f", "{{.Dir}}", module)
	cmd.Dir = os.Getenv("E2E_SERVING")
	cmd.Env = append(os.Environ(), "GOWORK=off", "GOPROXY=off")
	out, err := cmd.Output()
	if err != nil || len(out) < 2 {
		t.Fatalf("go list %s: %v", module, err)
	}
	return strings.TrimSpace(string(out))
}

// condition returns an error unless an object's condition is true.
func (c *cluster) condition(ctx context.Context, kind schema.GroupVersionKind, namespace, name, condition string) error {
	o, err := c.resource(kind, namespace).Get(ctx, name, metav1.GetOptions{})
	if err != nil {
		return err
	}
	conditions, _, _ := unstructured.NestedSlice(o.Object, "status", "conditions")
	for _, one := range conditions {
		if c, _ := one.(map[string]any); c["type"] == condition && c["status"] == "True" {
			return nil
		}
	}
	return fmt.Errorf("%s %s: not yet %s: %v", kind.Kind, name, condition, conditions)
}

// onefold runs the command on an application of testdata, and returns what it prints.
func onefold(t *testing.T, app string, args ...string) (string, error) {
	t.Helper()
	return onefoldAt(t, filepath.Join("../testdata/apps", app), args...)
}

// onefoldAt runs the command in a folder, and returns what it prints.
func onefoldAt(t *testing.T, dir string, args ...string) (string, error) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), bin("onefold"), append([]string{"-C", dir}, args...)...)
	out, err := cmd.CombinedOutput()
	return strings.TrimSpace(string(out)), err
}
