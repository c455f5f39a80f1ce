package manifests_test

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	appsv1 "k8s.io/api/apps/v1"
	autoscalingv2 "k8s.io/api/autoscaling/v2"
	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	policyv1 "k8s.io/api/policy/v1"
	"k8s.io/apiextensions-apiserver/pkg/apis/apiextensions"
	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	"k8s.io/apiextensions-apiserver/pkg/apiserver/schema"
	"k8s.io/apiextensions-apiserver/pkg/apiserver/schema/pruning"
	"k8s.io/apiextensions-apiserver/pkg/apiserver/validation"
	"k8s.io/apimachinery/pkg/util/validation/field"
	servingv1 "knative.dev/serving/pkg/apis/serving/v1"
	"sigs.k8s.io/yaml"

	"github.com/onefold/onefold/manifests"
)

// types are the types of all documents, by group, version and kind.
var types = map[string]func() any{
	"v1 ServiceAccount":                             func() any { return new(corev1.ServiceAccount) },
	"v1 Service":                                    func() any { return new(corev1.Service) },
	"apps/v1 Deployment":                            func() any { return new(appsv1.Deployment) },
	"apps/v1 StatefulSet":                           func() any { return new(appsv1.StatefulSet) },
	"autoscaling/v2 HorizontalPodAutoscaler":        func() any { return new(autoscalingv2.HorizontalPodAutoscaler) },
	"networking.k8s.io/v1 NetworkPolicy":            func() any { return new(networkingv1.NetworkPolicy) },
	"policy/v1 PodDisruptionBudget":                 func() any { return new(policyv1.PodDisruptionBudget) },
	"serving.knative.dev/v1 Service":                func() any { return new(servingv1.Service) },
	"kustomize.config.k8s.io/v1beta1 Kustomization": func() any { return new(kustomization) },
}

type kustomization struct {
	APIVersion, Kind string
	Resources        []string
}

// documents calls fn for each document of the golden manifests.
func documents(t *testing.T, fn func(t *testing.T, kind string, data []byte)) {
	t.Helper()
	for _, name := range apps(t) {
		for _, target := range []manifests.Target{manifests.Knative, manifests.Kubernetes} {
			eachDocument(t, name, "", target, fn)
		}
	}
	for _, c := range configured {
		eachDocument(t, c.app, c.config, c.target, fn)
	}
}

func eachDocument(t *testing.T, app, text string, target manifests.Target, fn func(t *testing.T, kind string, data []byte)) {
	files, err := manifests.Emit(load(t, app), config(t, text), target)
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range files {
		for i, data := range bytes.Split(f.Data, []byte("\n---\n")) {
			var meta struct{ APIVersion, Kind string }
			if err := yaml.Unmarshal(data, &meta); err != nil {
				t.Errorf("%s %s document %d: %v", app, f.Name, i, err)
			}
			fn(t, meta.APIVersion+" "+meta.Kind, data)
		}
	}
}

// Each document decodes strictly into the type of its kind: no field is unknown.
func TestStrictDecoding(t *testing.T) {
	documents(t, func(t *testing.T, kind string, data []byte) {
		of := types[kind]
		if of == nil {
			t.Errorf("no type for %s", kind)
		} else if err := yaml.UnmarshalStrict(data, of()); err != nil {
			t.Errorf("%s: %v\n%s", kind, err, data)
		}
	})
}

// knativeSchema returns the schema of Services from the definition that Knative ships.
func knativeSchema(t *testing.T) *apiextensions.JSONSchemaProps {
	t.Helper()
	dir, err := exec.Command("go", "list", "-m", "-f", "{{.Dir}}", "knative.dev/serving").Output()
	if err != nil {
		t.Fatal(err)
	}
	data, err := os.ReadFile(filepath.Join(strings.TrimSpace(string(dir)), "config/core/300-resources/service.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	var definition apiextensionsv1.CustomResourceDefinition
	if err := yaml.UnmarshalStrict(data, &definition); err != nil {
		t.Fatal(err)
	}
	out := new(apiextensions.JSONSchemaProps)
	if err := apiextensionsv1.Convert_v1_JSONSchemaProps_To_apiextensions_JSONSchemaProps(definition.Spec.Versions[0].Schema.OpenAPIV3Schema, out, nil); err != nil {
		t.Fatal(err)
	}
	return out
}

// Knative's Services fit the schema by which a cluster accepts them, and have
// nothing that it would drop.
func TestKnativeSchema(t *testing.T) {
	props := knativeSchema(t)
	validator, _, err := validation.NewSchemaValidator(props)
	if err != nil {
		t.Fatal(err)
	}
	structural, err := schema.NewStructural(props)
	if err != nil {
		t.Fatal(err)
	}
	services := 0
	documents(t, func(t *testing.T, kind string, data []byte) {
		if kind != "serving.knative.dev/v1 Service" {
			return
		}
		services++
		var object map[string]any
		if err := yaml.Unmarshal(data, &object); err != nil {
			t.Fatal(err)
		}
		for _, err := range validation.ValidateCustomResource(field.NewPath(""), object, validator) {
			t.Errorf("%v\n%s", err, data)
		}
		dropped := pruning.PruneWithOptions(object, structural, true, schema.UnknownFieldPathOptions{TrackUnknownFieldPaths: true})
		if len(dropped) > 0 {
			t.Errorf("the cluster would drop %v\n%s", dropped, data)
		}
	})
	if services == 0 {
		t.Error("no Knative Service was checked")
	}
}
