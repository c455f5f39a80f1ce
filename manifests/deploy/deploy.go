// Package deploy brings manifests to a cluster: applies them, waits until all is
// ready, says why something is not, and then takes the roll-out back.
package deploy

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/dynamic"
	corev1 "k8s.io/client-go/kubernetes/typed/core/v1"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
	knative "knative.dev/client-pkg/pkg/serving/v1"
	servingv1 "knative.dev/serving/pkg/client/clientset/versioned/typed/serving/v1"
)

// manager is who owns the fields that we set, in the eyes of the cluster.
const manager = "onefold"

// Cluster is a connection to a namespace of a cluster.
type Cluster struct {
	Namespace string
	Out       io.Writer // gets progress

	config  *rest.Config
	objects dynamic.Interface
	core    corev1.CoreV1Interface
	serving servingv1.ServingV1Interface
	knative knative.KnServingClient
	every   time.Duration // between two looks
	window  time.Duration // how long a failure must last to be believed
}

// Connect returns the cluster of a kubeconfig; "" is the one that kubectl would
// take, and so for the name of the context.
func Connect(kubeconfig, contextName, namespace string, out io.Writer) (*Cluster, error) {
	rules := clientcmd.NewDefaultClientConfigLoadingRules()
	rules.ExplicitPath = kubeconfig
	loader := clientcmd.NewNonInteractiveDeferredLoadingClientConfig(rules, &clientcmd.ConfigOverrides{CurrentContext: contextName})
	config, err := loader.ClientConfig()
	if clientcmd.IsEmptyConfig(err) {
		return nil, errors.New("no cluster is configured; set KUBECONFIG, or name a file with --kubeconfig")
	}
	if err != nil {
		return nil, err
	}
	return New(config, namespace, out)
}

// New returns the cluster that config leads to.
func New(config *rest.Config, namespace string, out io.Writer) (*Cluster, error) {
	config = rest.CopyConfig(config)
	config.UserAgent, config.QPS, config.Burst = manager, 50, 100
	config.WarningHandler = rest.NewWarningWriter(out, rest.WarningWriterOptions{Deduplicate: true})
	objects, err := dynamic.NewForConfig(config)
	if err != nil {
		return nil, err
	}
	core, err := corev1.NewForConfig(config)
	if err != nil {
		return nil, err
	}
	serving, err := servingv1.NewForConfig(config)
	if err != nil {
		return nil, err
	}
	return &Cluster{
		Namespace: namespace, Out: out, config: config, objects: objects, core: core, serving: serving,
		knative: knative.NewKnServingClient(serving, namespace), every: time.Second, window: errorWindow,
	}, nil
}

// resources maps the kinds of manifests to their resources.
var resources = map[schema.GroupVersionKind]string{
	{Version: "v1", Kind: "ServiceAccount"}:                                "serviceaccounts",
	{Version: "v1", Kind: "Service"}:                                       "services",
	{Group: "apps", Version: "v1", Kind: "Deployment"}:                     "deployments",
	{Group: "apps", Version: "v1", Kind: "StatefulSet"}:                    "statefulsets",
	{Group: "autoscaling", Version: "v2", Kind: "HorizontalPodAutoscaler"}: "horizontalpodautoscalers",
	{Group: "networking.k8s.io", Version: "v1", Kind: "NetworkPolicy"}:     "networkpolicies",
	{Group: "policy", Version: "v1", Kind: "PodDisruptionBudget"}:          "poddisruptionbudgets",
	{Group: "serving.knative.dev", Version: "v1", Kind: "Service"}:         "services",
}

func (c *Cluster) resource(o *unstructured.Unstructured) (dynamic.ResourceInterface, error) {
	kind := o.GroupVersionKind()
	name, ok := resources[kind]
	if !ok {
		return nil, fmt.Errorf("%s %s: not a kind that onefold makes", kind, o.GetName())
	}
	return c.objects.Resource(kind.GroupVersion().WithResource(name)).Namespace(c.Namespace), nil
}

// isWorkload reports whether an object starts processes.
func isWorkload(o *unstructured.Unstructured) bool {
	return isKnative(o) || o.GroupVersionKind().Group == appsv1.GroupName
}

func isKnative(o *unstructured.Unstructured) bool {
	return o.GroupVersionKind().Group == "serving.knative.dev"
}

// Options say how to deploy.
type Options struct {
	DryRun   bool          // the cluster checks everything and changes nothing
	Timeout  time.Duration // until everything must be ready
	Keys     string        // the secret of keys,
	KeyNames []string      // and what is in it, made where it is missing
	Needs    []string      // secrets that must be there
}

// Deploy applies the objects and waits until they are ready. When they are not, its
// error says why, and what served before serves again.
func (c *Cluster) Deploy(ctx context.Context, objects []*unstructured.Unstructured, opts Options) error {
	if err := c.secrets(ctx, opts); err != nil {
		return err
	}
	before, err := c.present(ctx, objects)
	if err != nil {
		return err
	}
	if err := c.apply(ctx, objects, opts.DryRun); err != nil || opts.DryRun {
		return err
	}
	failure := c.wait(ctx, objects, opts.Timeout)
	if failure == nil {
		return nil
	}
	// Also after an interrupt: half a roll-out is worse than none.
	undo, cancel := context.WithTimeout(context.WithoutCancel(ctx), time.Minute)
	defer cancel()
	return errors.Join(failure, c.explain(undo, objects), c.rollBack(undo, before))
}

// present returns the workloads as they are before the roll-out.
func (c *Cluster) present(ctx context.Context, objects []*unstructured.Unstructured) ([]*unstructured.Unstructured, error) {
	var before []*unstructured.Unstructured
	for _, o := range objects {
		if !isWorkload(o) {
			continue
		}
		r, err := c.resource(o)
		if err != nil {
			return nil, err
		}
		old, err := r.Get(ctx, o.GetName(), metav1.GetOptions{})
		switch {
		case err == nil:
			before = append(before, old)
		case isKnative(o) && unserved(err):
			return nil, errors.New("the cluster has no Knative Serving; install it, or deploy with --target kubernetes")
		case !apierrors.IsNotFound(err):
			return nil, fmt.Errorf("look for %s: %w", label(o), err)
		}
	}
	return before, nil
}

// unserved reports whether a cluster does not know a kind at all.
func unserved(err error) bool {
	return apierrors.IsNotFound(err) && apierrors.HasStatusCause(err, metav1.CauseTypeUnexpectedServerResponse)
}

func label(o *unstructured.Unstructured) string { return o.GetKind() + " " + o.GetName() }
