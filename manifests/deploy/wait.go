package deploy

import (
	"context"
	"errors"
	"fmt"
	"time"

	"golang.org/x/sync/errgroup"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/watch"
	"knative.dev/client-pkg/pkg/wait"
	"knative.dev/pkg/apis"
	servingv1 "knative.dev/serving/pkg/apis/serving/v1"
)

// errorWindow is how long Knative may say that a service has failed before it
// is believed: it says so for a moment when things come in another order.
const errorWindow = 5 * time.Second

// wait waits until all workloads are ready. Its error is the first that will not be.
func (c *Cluster) wait(ctx context.Context, objects []*unstructured.Unstructured, timeout time.Duration) error {
	ctx, cancel := context.WithTimeoutCause(ctx, timeout, fmt.Errorf("not everything was ready after %v", timeout))
	defer cancel()
	group, ctx := errgroup.WithContext(ctx)
	for _, o := range objects {
		if !isWorkload(o) {
			continue
		}
		group.Go(func() error {
			start := time.Now()
			err := c.waitFor(ctx, o, timeout)
			if cause := context.Cause(ctx); err != nil && cause != nil && !errors.Is(cause, context.Canceled) {
				err = cause
			}
			if err != nil {
				return fmt.Errorf("%s: %w", label(o), err)
			}
			fmt.Fprintf(c.Out, "%s: ready after %v\n", label(o), time.Since(start).Round(100*time.Millisecond))
			return nil
		})
	}
	return group.Wait()
}

func (c *Cluster) waitFor(ctx context.Context, o *unstructured.Unstructured, timeout time.Duration) error {
	if isKnative(o) {
		return c.waitForKnative(ctx, o.GetName(), timeout)
	}
	return c.waitForReplicas(ctx, o)
}

// waitForKnative waits with Knative's own client. That looks at changes only, so
// it is given the version at which the service was seen not to be ready.
func (c *Cluster) waitForKnative(ctx context.Context, name string, timeout time.Duration) error {
	service, err := c.settled(ctx, name)
	if err != nil || service.IsReady() {
		return err
	}
	watcher := func(ctx context.Context, name, version string, timeout time.Duration) (watch.Interface, error) {
		return wait.NewWatcherWithVersion(ctx, c.serving.Services(c.Namespace).Watch, c.serving.RESTClient(), c.Namespace, "services", name, version, timeout)
	}
	conditions := func(o runtime.Object) (apis.Conditions, error) {
		s, ok := o.(*servingv1.Service)
		if !ok {
			return nil, fmt.Errorf("watch %s: %T is no Service", name, o)
		}
		return apis.Conditions(s.Status.Conditions), nil
	}
	timeout += time.Minute // ctx ends first, and says it better
	err, _ = wait.NewWaitForReady("service", watcher, conditions).Wait(ctx, name, service.ResourceVersion,
		wait.Options{Timeout: &timeout, ErrorWindow: &c.window}, c.progress("Service "+name))
	return err
}

// settled returns a service, and an error if it has failed and stays so: nothing
// would change any more.
func (c *Cluster) settled(ctx context.Context, name string) (*servingv1.Service, error) {
	service, err := c.knative.GetService(ctx, name)
	if err != nil || !service.IsFailed() {
		return service, err
	}
	select {
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	case <-time.After(c.window):
	}
	service, err = c.knative.GetService(ctx, name)
	if err == nil && service.IsFailed() {
		failed := service.Status.GetCondition(apis.ConditionReady)
		err = fmt.Errorf("%s: %s", failed.Reason, failed.Message)
	}
	return service, err
}

// progress returns what prints messages that differ from the last.
func (c *Cluster) progress(what string) wait.MessageCallback {
	last := ""
	return func(after time.Duration, message string) {
		if message != last {
			fmt.Fprintf(c.Out, "%s: %s\n", what, message)
			last = message
		}
	}
}

// waitForReplicas waits until all replicas of a Deployment or StatefulSet are new
// and ready.
func (c *Cluster) waitForReplicas(ctx context.Context, o *unstructured.Unstructured) error {
	r, err := c.resource(o)
	if err != nil {
		return err
	}
	say := c.progress(label(o))
	ticker := time.NewTicker(c.every)
	defer ticker.Stop()
	for {
		now, err := r.Get(ctx, o.GetName(), metav1.GetOptions{})
		if err != nil {
			return err
		}
		done, message := rolledOut(now)
		if done {
			return nil
		}
		if message == stuck {
			return errors.New(message)
		}
		say(0, message)
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-ticker.C:
		}
	}
}

const stuck = "its replicas do not get ready"

// rolledOut reports whether a roll-out is over, or what it waits for.
func rolledOut(o *unstructured.Unstructured) (bool, string) {
	number := func(path ...string) int64 {
		n, _, _ := unstructured.NestedInt64(o.Object, path...) // zero where it is not there
		return n
	}
	if conditions, _, _ := unstructured.NestedSlice(o.Object, "status", "conditions"); true {
		for _, one := range conditions {
			if condition, _ := one.(map[string]any); condition["reason"] == "ProgressDeadlineExceeded" {
				return false, stuck
			}
		}
	}
	wanted := int64(1)
	if n, ok, _ := unstructured.NestedInt64(o.Object, "spec", "replicas"); ok {
		wanted = n
	}
	switch updated, ready := number("status", "updatedReplicas"), number("status", "readyReplicas"); {
	case number("status", "observedGeneration") < o.GetGeneration():
		return false, "not seen by its controller yet"
	case updated < wanted:
		return false, fmt.Sprintf("%d of %d replicas are new", updated, wanted)
	case number("status", "replicas") > updated:
		return false, fmt.Sprintf("%d old replicas are still there", number("status", "replicas")-updated)
	case ready < wanted:
		return false, fmt.Sprintf("%d of %d replicas are ready", ready, wanted)
	}
	return true, ""
}
