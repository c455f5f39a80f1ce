package deploy

import (
	"context"
	"errors"
	"fmt"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/client-go/util/retry"
	"k8s.io/utils/ptr"
	servingv1 "knative.dev/serving/pkg/apis/serving/v1"
)

// rollBack makes what served before serve again: all of it, since services of
// one version belong together.
func (c *Cluster) rollBack(ctx context.Context, before []*unstructured.Unstructured) error {
	var errs []error
	for _, old := range before {
		var err error
		if isKnative(old) {
			err = c.rollBackKnative(ctx, old)
		} else {
			err = c.rollBackReplicas(ctx, old)
		}
		if err != nil {
			errs = append(errs, fmt.Errorf("roll %s back: %w", label(old), err))
		}
	}
	return errors.Join(errs...)
}

// rollBackKnative gives the traffic to the revision that was ready before. The new
// revision stays, to be looked at.
func (c *Cluster) rollBackKnative(ctx context.Context, old *unstructured.Unstructured) error {
	revision, _, _ := unstructured.NestedString(old.Object, "status", "latestReadyRevisionName")
	if revision == "" {
		return nil // it has never served
	}
	const tries = 5
	changed, err := c.knative.UpdateServiceWithRetry(ctx, old.GetName(), func(s *servingv1.Service) (*servingv1.Service, error) {
		s.Spec.Traffic = []servingv1.TrafficTarget{{RevisionName: revision, LatestRevision: ptr.To(false), Percent: ptr.To[int64](100)}}
		return s, nil
	}, tries)
	if err == nil && changed {
		fmt.Fprintf(c.Out, "%s: back to revision %s\n", label(old), revision)
	}
	return err
}

// rollBackReplicas gives a Deployment or StatefulSet the pods that it had.
func (c *Cluster) rollBackReplicas(ctx context.Context, old *unstructured.Unstructured) error {
	r, err := c.resource(old)
	if err != nil {
		return err
	}
	template, _, err := unstructured.NestedMap(old.Object, "spec", "template")
	if err != nil {
		return err
	}
	err = retry.RetryOnConflict(retry.DefaultRetry, func() error {
		now, err := r.Get(ctx, old.GetName(), metav1.GetOptions{})
		if err != nil {
			return err
		}
		if err := unstructured.SetNestedMap(now.Object, template, "spec", "template"); err != nil {
			return err
		}
		_, err = r.Update(ctx, now, metav1.UpdateOptions{FieldManager: manager})
		return err
	})
	if err == nil {
		fmt.Fprintf(c.Out, "%s: back to the replicas before\n", label(old))
	}
	return err
}
