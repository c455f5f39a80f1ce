package manifests

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"strconv"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/utils/ptr"
	"knative.dev/serving/pkg/apis/autoscaling"
	servingv1 "knative.dev/serving/pkg/apis/serving/v1"
)

// visibility is the label of what only the cluster reaches.
const visibility, clusterLocal = "networking.knative.dev/visibility", "cluster-local"

// knativeService returns a workload as a Knative Service. Its revision is named after
// what is in it: the same manifest is the same revision, and anything else a new one.
func (d *deployment) knativeService(w *workload) *servingv1.Service {
	pod := d.pod(w)
	low, high := d.bounds(w)
	annotations := map[string]string{
		autoscaling.MinScaleAnnotationKey: strconv.Itoa(low),
		autoscaling.MaxScaleAnnotationKey: strconv.Itoa(high),
		autoscaling.TargetAnnotationKey:   strconv.Itoa(w.settings.concurrency()),
	}
	template := servingv1.RevisionTemplateSpec{
		ObjectMeta: metav1.ObjectMeta{Labels: d.labels(w), Annotations: annotations},
		Spec: servingv1.RevisionSpec{
			PodSpec:        pod,
			TimeoutSeconds: ptr.To(w.settings.requestSeconds()),
		},
	}
	template.Name = w.name + "-" + digest(template)
	s := &servingv1.Service{
		TypeMeta:   metav1.TypeMeta{APIVersion: "serving.knative.dev/v1", Kind: "Service"},
		ObjectMeta: d.meta(w),
		Spec: servingv1.ServiceSpec{
			ConfigurationSpec: servingv1.ConfigurationSpec{Template: template},
			RouteSpec:         servingv1.RouteSpec{Traffic: w.targets(template.Name)},
		},
	}
	s.Annotations = d.annotations(w)
	if w.role == inner {
		s.Labels[visibility] = clusterLocal
	}
	return s
}

func (s *Settings) concurrency() int {
	if s.Concurrency == nil {
		return 100
	}
	return *s.Concurrency
}

// requestSeconds is when Knative gives a request up, and how long a replica may
// take to end: longer than the process itself waits for both.
func (s *Settings) requestSeconds() int64 {
	return max(s.grace(), int64(s.timeout().Seconds())+5)
}

// digest returns eight digits that change with v.
func digest(v any) string {
	data, err := json.Marshal(v)
	if err != nil {
		panic(fmt.Sprintf("manifests: %v", err)) // of our own types
	}
	sum := sha256.Sum256(data)
	return hex.EncodeToString(sum[:4])
}

// targets returns how requests are split: what the older revisions get, and the
// rest to the new one.
func (w *workload) targets(revision string) []servingv1.TrafficTarget {
	rest := int64(100)
	var targets []servingv1.TrafficTarget
	for _, t := range w.traffic {
		percent := int64(*t.Percent)
		rest -= percent
		targets = append(targets, servingv1.TrafficTarget{
			RevisionName: t.Revision, LatestRevision: ptr.To(false), Percent: &percent, Tag: t.Tag,
		})
	}
	if len(targets) == 0 {
		return []servingv1.TrafficTarget{{LatestRevision: ptr.To(true), Percent: &rest}}
	}
	return append(targets, servingv1.TrafficTarget{RevisionName: revision, LatestRevision: ptr.To(false), Percent: &rest})
}
