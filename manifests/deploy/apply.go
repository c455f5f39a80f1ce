package deploy

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/utils/ptr"
	"sigs.k8s.io/yaml"
)

// Objects returns the objects of manifests, in the order in which to apply them:
// accounts and policies first, and what starts processes last.
func Objects(files ...[]byte) ([]*unstructured.Unstructured, error) {
	var objects []*unstructured.Unstructured
	for _, data := range files {
		for _, document := range bytes.Split(data, []byte("\n---\n")) {
			o := new(unstructured.Unstructured)
			if err := yaml.Unmarshal(document, &o.Object); err != nil {
				return nil, err
			}
			objects = append(objects, o)
		}
	}
	slices.SortStableFunc(objects, func(a, b *unstructured.Unstructured) int { return order(a) - order(b) })
	return objects, nil
}

func order(o *unstructured.Unstructured) int {
	switch {
	case isWorkload(o):
		return 2
	case o.GetKind() == "HorizontalPodAutoscaler":
		return 3
	case o.GetKind() == "ServiceAccount":
		return 0
	}
	return 1
}

// apply applies all objects by server-side apply. Its error lists all that the cluster
// refuses.
func (c *Cluster) apply(ctx context.Context, objects []*unstructured.Unstructured, dryRun bool) error {
	options := metav1.PatchOptions{FieldManager: manager, Force: ptr.To(true), FieldValidation: metav1.FieldValidationStrict}
	if dryRun {
		options.DryRun = []string{metav1.DryRunAll}
	}
	var errs []error
	for _, o := range objects {
		r, err := c.resource(o)
		if err != nil {
			return err
		}
		data, err := o.MarshalJSON()
		if err != nil {
			return err
		}
		_, err = r.Patch(ctx, o.GetName(), types.ApplyPatchType, data, options)
		if err != nil {
			errs = append(errs, fmt.Errorf("apply %s: %w", label(o), err))
			if ctx.Err() != nil {
				break
			}
			continue
		}
		done := "applied"
		if dryRun {
			done = "accepted, not applied"
		}
		fmt.Fprintf(c.Out, "%s: %s\n", label(o), done)
	}
	return errors.Join(errs...)
}

// secrets makes the keys that are missing, and reports other secrets that are.
func (c *Cluster) secrets(ctx context.Context, opts Options) error {
	for _, name := range opts.Needs {
		_, err := c.core.Secrets(c.Namespace).Get(ctx, name, metav1.GetOptions{})
		if apierrors.IsNotFound(err) {
			return fmt.Errorf("secret %s is missing in namespace %s; make it: kubectl -n %[2]s create secret generic %[1]s --from-file fdb.cluster", name, c.Namespace)
		}
		if err != nil {
			return fmt.Errorf("look for secret %s: %w", name, err)
		}
	}
	if len(opts.KeyNames) == 0 {
		return nil
	}
	secret, err := c.core.Secrets(c.Namespace).Get(ctx, opts.Keys, metav1.GetOptions{})
	missing := apierrors.IsNotFound(err)
	if err != nil && !missing {
		return fmt.Errorf("look for secret %s: %w", opts.Keys, err)
	}
	made := makeKeys(secret, opts.KeyNames)
	switch {
	case missing:
		secret.Name = opts.Keys
		_, err = c.core.Secrets(c.Namespace).Create(ctx, secret, metav1.CreateOptions{FieldManager: manager, DryRun: dryRun(opts)})
	case len(made) > 0:
		_, err = c.core.Secrets(c.Namespace).Update(ctx, secret, metav1.UpdateOptions{FieldManager: manager, DryRun: dryRun(opts)})
	}
	if err != nil {
		return fmt.Errorf("make keys in secret %s: %w", opts.Keys, err)
	}
	if len(made) > 0 && !opts.DryRun {
		fmt.Fprintf(c.Out, "Secret %s: made keys %s\n", opts.Keys, strings.Join(made, ", "))
	}
	return nil
}

// makeKeys puts a new key into secret for each name that it does not have, and returns
// those names.
func makeKeys(secret *corev1.Secret, names []string) (made []string) {
	for _, name := range names {
		if len(secret.Data[name]) > 0 {
			continue
		}
		if secret.Data == nil {
			secret.Data = map[string][]byte{}
		}
		secret.Data[name] = []byte(rand.Text() + rand.Text() + "\n")
		made = append(made, name)
	}
	return made
}

func dryRun(opts Options) []string {
	if opts.DryRun {
		return []string{metav1.DryRunAll}
	}
	return nil
}
