package deploy

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/utils/ptr"
	servingv1 "knative.dev/serving/pkg/apis/serving/v1"
)

// How much of a pod's story is told.
const (
	eventsShown = 3
	linesShown  = 10
)

// explain returns what the cluster knows of workloads that are not ready: conditions,
// the states of containers, warnings, and the last lines of their logs.
func (c *Cluster) explain(ctx context.Context, objects []*unstructured.Unstructured) error {
	var b strings.Builder
	for _, o := range objects {
		if !isWorkload(o) {
			continue
		}
		var found []string
		if isKnative(o) {
			service, err := c.knative.GetService(ctx, o.GetName())
			if err != nil || service.IsReady() {
				continue
			}
			found = c.conditions(ctx, service)
		} else if r, err := c.resource(o); err == nil {
			now, err := r.Get(ctx, o.GetName(), metav1.GetOptions{})
			if err != nil {
				continue
			}
			done, message := rolledOut(now)
			if done {
				continue
			}
			found = []string{message}
		}
		fmt.Fprintf(&b, "%s is not ready:\n", label(o))
		for _, line := range append(found, c.pods(ctx, o.GetName())...) {
			fmt.Fprintf(&b, "  %s\n", line)
		}
	}
	if b.Len() == 0 {
		return nil
	}
	return errors.New(strings.TrimSuffix(b.String(), "\n"))
}

// conditions returns what a Knative Service and its newest revision say of themselves.
func (c *Cluster) conditions(ctx context.Context, s *servingv1.Service) []string {
	var lines []string
	add := func(what string, status servingv1.RevisionStatus) {
		for _, condition := range status.Conditions {
			if condition.Status != corev1.ConditionTrue && condition.Message != "" {
				lines = append(lines, fmt.Sprintf("%s %s is %s: %s: %s", what, condition.Type, condition.Status, condition.Reason, condition.Message))
			}
		}
	}
	add("service", servingv1.RevisionStatus{Status: s.Status.Status})
	if name := s.Status.LatestCreatedRevisionName; name != "" {
		if revision, err := c.knative.GetRevision(ctx, name); err == nil {
			add("revision "+name, revision.Status)
		}
	}
	slices.Sort(lines)
	return slices.Compact(lines)
}

// pods returns what the pods of a workload that are not ready went through.
func (c *Cluster) pods(ctx context.Context, workload string) []string {
	pods, err := c.core.Pods(c.Namespace).List(ctx, metav1.ListOptions{LabelSelector: "app.kubernetes.io/name=" + workload})
	if err != nil {
		return []string{fmt.Sprintf("its pods cannot be listed: %v", err)}
	}
	var lines []string
	for _, pod := range pods.Items {
		if ready(&pod) {
			continue
		}
		lines = append(lines, fmt.Sprintf("pod %s: %s", pod.Name, pod.Status.Phase))
		for _, status := range pod.Status.ContainerStatuses {
			lines = append(lines, containerState(status)...)
		}
		lines = append(lines, c.events(ctx, pod.Name)...)
		lines = append(lines, c.log(ctx, &pod)...)
	}
	return lines
}

func ready(pod *corev1.Pod) bool {
	return slices.ContainsFunc(pod.Status.Conditions, func(c corev1.PodCondition) bool {
		return c.Type == corev1.PodReady && c.Status == corev1.ConditionTrue
	})
}

func containerState(status corev1.ContainerStatus) (lines []string) {
	if w := status.State.Waiting; w != nil {
		lines = append(lines, strings.TrimSuffix(fmt.Sprintf("container %s waits: %s: %s", status.Name, w.Reason, w.Message), ": "))
	}
	for _, ended := range []*corev1.ContainerStateTerminated{status.State.Terminated, status.LastTerminationState.Terminated} {
		if ended != nil {
			lines = append(lines, fmt.Sprintf("container %s ended with code %d: %s", status.Name, ended.ExitCode, ended.Reason))
		}
	}
	return lines
}

// events returns the last warnings about a pod.
func (c *Cluster) events(ctx context.Context, pod string) (lines []string) {
	events, err := c.core.Events(c.Namespace).List(ctx, metav1.ListOptions{FieldSelector: "type=Warning,involvedObject.kind=Pod,involvedObject.name=" + pod})
	if err != nil {
		return nil
	}
	slices.SortFunc(events.Items, func(a, b corev1.Event) int { return a.LastTimestamp.Compare(b.LastTimestamp.Time) })
	for _, e := range events.Items[max(0, len(events.Items)-eventsShown):] {
		lines = append(lines, fmt.Sprintf("event %s: %s", e.Reason, e.Message))
	}
	return lines
}

// log returns the last lines of the service's log, of the process before if it
// has been started again.
func (c *Cluster) log(ctx context.Context, pod *corev1.Pod) (lines []string) {
	options := &corev1.PodLogOptions{Container: serviceContainer, TailLines: ptr.To[int64](linesShown)}
	for _, status := range pod.Status.ContainerStatuses {
		if status.Name == serviceContainer {
			options.Previous = status.RestartCount > 0 && status.State.Running == nil
		}
	}
	data, err := c.core.Pods(c.Namespace).GetLogs(pod.Name, options).DoRaw(ctx)
	if err != nil {
		return nil // it never started, which its state says
	}
	for line := range strings.Lines(string(data)) {
		lines = append(lines, "log: "+strings.TrimSuffix(line, "\n"))
	}
	return lines
}

// serviceContainer is the container of the service; package manifests agrees.
const serviceContainer = "service"
