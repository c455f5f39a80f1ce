//go:build e2e

package e2e

import (
	"maps"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

// domain is that of the public addresses.
const domain = "example.test"

// settings are what differs from Knative's own configuration: an ingress, a domain,
// and less patience before scaling to zero.
var settings = map[string]map[string]string{
	"config-network":    {"ingress-class": "traefik.ingress.networking.knative.dev"},
	"config-domain":     {domain: ""},
	"config-autoscaler": {"stable-window": "15s", "scale-to-zero-grace-period": "5s"},
}

// installServing makes names, an ingress and Knative Serving work, each in pods, from the
// files of Knative's own modules.
func (c *cluster) installServing(t *testing.T) {
	t.Helper()
	for _, program := range []string{"pause", "coredns", "traefik", "controller", "webhook", "autoscaler", "activator", "queue"} {
		pushProgram(t, program)
	}
	core := filepath.Join(os.Getenv("E2E_SERVING"), "config/core")
	c.applyFiles(t, filepath.Join(core, "100-namespace.yaml"), nil)
	c.installDefinitions(t, "knative.dev/networking", "knative.dev/caching")
	c.applyFiles(t, filepath.Join(core, "200-*.yaml"), nil)
	c.applyFiles(t, filepath.Join(core, "200-roles/*.yaml"), nil)
	c.applyFiles(t, filepath.Join(core, "configmaps/*.yaml"), configure)
	c.applyFiles(t, filepath.Join(moduleDir(t, "knative.dev/networking"), "config/config-network.yaml"), configure)
	c.applyFiles(t, "testdata/dns.yaml", configure)
	c.applyFiles(t, "testdata/ingress.yaml", configure)
	for _, name := range []string{"controller", "webhook", "autoscaler", "activator"} {
		c.applyFiles(t, filepath.Join(core, "deployments", name+".yaml"), configure)
	}
	c.applyFiles(t, filepath.Join(core, "webhooks/*.yaml"), nil)
	for _, d := range [][2]string{
		{"knative-serving", "controller"}, {"knative-serving", "webhook"}, {"knative-serving", "autoscaler"}, {"knative-serving", "activator"},
		{"kube-system", "dns"}, {"ingress", "traefik"},
	} {
		eventually(t, d[1]+" is available", 4*time.Minute, func() error {
			return c.condition(t.Context(), appsv1.SchemeGroupVersion.WithKind("Deployment"), d[0], d[1], "Available")
		})
	}
}

// configure puts our settings and images into an object.
func configure(o *unstructured.Unstructured) {
	if own := settings[o.GetName()]; o.GetKind() == "ConfigMap" && own != nil {
		data, _, _ := unstructured.NestedStringMap(o.Object, "data")
		if data == nil {
			data = map[string]string{}
		}
		maps.Copy(data, own)
		_ = unstructured.SetNestedStringMap(o.Object, data, "data") // a map is always set
	}
	o.Object = images(o.Object).(map[string]any)
}

// images replaces the names of images in an object: Knative's are paths of Go packages.
func images(value any) any {
	switch value := value.(type) {
	case map[string]any:
		for k, v := range value {
			value[k] = images(v)
		}
		return value
	case []any:
		for i, v := range value {
			value[i] = images(v)
		}
		return value
	case string:
		if program, ok := strings.CutPrefix(value, "ko://knative.dev/serving/cmd/"); ok {
			return registryAddress + "/" + program
		}
		if program, ok := strings.CutPrefix(value, "REGISTRY/"); ok {
			return registryAddress + "/" + program
		}
	}
	return value
}
