package manifests

import (
	"strconv"

	appsv1 "k8s.io/api/apps/v1"
	autoscalingv2 "k8s.io/api/autoscaling/v2"
	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	policyv1 "k8s.io/api/policy/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/intstr"
	"k8s.io/utils/ptr"
)

// Annotations and labels of ours.
const (
	annotationService  = "onefold.dev/service"
	annotationThrottle = "onefold.dev/throttle-"
	annotationReplicas = "onefold.dev/replicas-"
	labelName          = "app.kubernetes.io/name"
	labelApplication   = "app.kubernetes.io/part-of"
)

// selector returns the labels that tell a workload's pods.
func (d *deployment) selector(w *workload) map[string]string {
	return map[string]string{labelName: w.name, labelApplication: objectName(d.app.Name)}
}

func (d *deployment) labels(w *workload) map[string]string {
	labels := d.selector(w)
	labels["app.kubernetes.io/managed-by"] = "onefold"
	labels["app.kubernetes.io/version"] = d.app.Version
	return labels
}

func (d *deployment) meta(w *workload) metav1.ObjectMeta {
	return metav1.ObjectMeta{Name: w.name, Namespace: d.namespace(), Labels: d.labels(w)}
}

// annotations says what the controllers may do, and which service this is.
func (d *deployment) annotations(w *workload) map[string]string {
	low, high := d.bounds(w)
	a := map[string]string{annotationReplicas + "min": strconv.Itoa(low), annotationReplicas + "max": strconv.Itoa(high)}
	if len(w.services) == 1 {
		a[annotationService] = w.services[0]
	}
	if t := w.settings.Throttle; t != nil {
		if t.Ratio != nil {
			a[annotationThrottle+"ratio"] = strconv.FormatFloat(float64(*t.Ratio), 'g', -1, 64)
		}
		if t.Min != nil {
			a[annotationThrottle+"min"] = t.Min.String()
		}
		if t.Max != nil {
			a[annotationThrottle+"max"] = t.Max.String()
		}
	}
	return a
}

func (d *deployment) serviceAccount(w *workload) *corev1.ServiceAccount {
	return &corev1.ServiceAccount{
		TypeMeta:                     metav1.TypeMeta{APIVersion: "v1", Kind: "ServiceAccount"},
		ObjectMeta:                   d.meta(w),
		AutomountServiceAccountToken: ptr.To(false), // processes do not talk to Kubernetes
	}
}

// lingers is how many seconds a replica goes on before it drains.
const lingers int64 = 3

// podTemplate returns the pods of a workload that is not Knative's.
func (d *deployment) podTemplate(w *workload) corev1.PodTemplateSpec {
	pod := d.pod(w)
	// Requests still come for a moment after the replica was told to stop.
	pod.Containers[0].Lifecycle = &corev1.Lifecycle{PreStop: &corev1.LifecycleHandler{Sleep: &corev1.SleepAction{Seconds: lingers}}}
	pod.TerminationGracePeriodSeconds = ptr.To(lingers + w.settings.grace())
	pod.SecurityContext = &corev1.PodSecurityContext{RunAsNonRoot: ptr.To(true), FSGroup: ptr.To[int64](nonRoot)}
	return corev1.PodTemplateSpec{ObjectMeta: metav1.ObjectMeta{Labels: d.labels(w)}, Spec: pod}
}

// deploymentOf returns a workload as a Deployment. Where a controller sets the
// number of replicas, the manifest does not.
func (d *deployment) deploymentOf(w *workload) *appsv1.Deployment {
	o := &appsv1.Deployment{
		TypeMeta:   metav1.TypeMeta{APIVersion: "apps/v1", Kind: "Deployment"},
		ObjectMeta: d.meta(w),
		Spec: appsv1.DeploymentSpec{
			Selector: &metav1.LabelSelector{MatchLabels: d.selector(w)},
			Template: d.podTemplate(w),
			Strategy: appsv1.DeploymentStrategy{Type: appsv1.RollingUpdateDeploymentStrategyType, RollingUpdate: &appsv1.RollingUpdateDeployment{
				MaxUnavailable: ptr.To(intstr.FromInt32(0)), MaxSurge: ptr.To(intstr.FromInt32(1)),
			}},
		},
	}
	o.Annotations = d.annotations(w)
	if low, high := d.bounds(w); low == high {
		o.Spec.Replicas = ptr.To(int32(low))
	}
	return o
}

// statefulSet returns the one process of the embedded store, which keeps its
// volume and is never there twice.
func (d *deployment) statefulSet(w *workload) *appsv1.StatefulSet {
	o := &appsv1.StatefulSet{
		TypeMeta:   metav1.TypeMeta{APIVersion: "apps/v1", Kind: "StatefulSet"},
		ObjectMeta: d.meta(w),
		Spec: appsv1.StatefulSetSpec{
			Replicas:    ptr.To[int32](1),
			ServiceName: w.name,
			Selector:    &metav1.LabelSelector{MatchLabels: d.selector(w)},
			Template:    d.podTemplate(w),
			VolumeClaimTemplates: []corev1.PersistentVolumeClaim{{
				TypeMeta:   metav1.TypeMeta{APIVersion: "v1", Kind: "PersistentVolumeClaim"},
				ObjectMeta: metav1.ObjectMeta{Name: "data"},
				Spec: corev1.PersistentVolumeClaimSpec{
					AccessModes: []corev1.PersistentVolumeAccessMode{corev1.ReadWriteOnce},
					Resources:   corev1.VolumeResourceRequirements{Requests: corev1.ResourceList{corev1.ResourceStorage: d.size()}},
				},
			}},
		},
	}
	o.Annotations = d.annotations(w)
	return o
}

func (d *deployment) size() resource.Quantity {
	if d.Store.Size.IsZero() {
		return resource.MustParse("10Gi")
	}
	return d.Store.Size.Quantity
}

// service returns the address of a workload.
func (d *deployment) service(w *workload) *corev1.Service {
	o := &corev1.Service{
		TypeMeta:   metav1.TypeMeta{APIVersion: "v1", Kind: "Service"},
		ObjectMeta: d.meta(w),
		Spec:       corev1.ServiceSpec{Type: corev1.ServiceTypeClusterIP, Selector: d.selector(w)},
	}
	if w.is(public) {
		o.Spec.Ports = append(o.Spec.Ports, corev1.ServicePort{
			Name: "http", Port: 80, TargetPort: intstr.FromString("http"), Protocol: corev1.ProtocolTCP, AppProtocol: ptr.To("http"),
		})
	}
	if w.is(inner) {
		o.Spec.Ports = append(o.Spec.Ports, corev1.ServicePort{
			Name: "h2c", Port: innerPort, TargetPort: intstr.FromString("h2c"), Protocol: corev1.ProtocolTCP, AppProtocol: ptr.To("kubernetes.io/h2c"),
		})
	}
	return o
}

// autoscaler returns what sets the number of replicas by their use of CPU.
func (d *deployment) autoscaler(w *workload) *autoscalingv2.HorizontalPodAutoscaler {
	low, high := d.bounds(w)
	return &autoscalingv2.HorizontalPodAutoscaler{
		TypeMeta:   metav1.TypeMeta{APIVersion: "autoscaling/v2", Kind: "HorizontalPodAutoscaler"},
		ObjectMeta: d.meta(w),
		Spec: autoscalingv2.HorizontalPodAutoscalerSpec{
			ScaleTargetRef: autoscalingv2.CrossVersionObjectReference{APIVersion: "apps/v1", Kind: "Deployment", Name: w.name},
			MinReplicas:    ptr.To(int32(low)),
			MaxReplicas:    int32(high),
			Metrics: []autoscalingv2.MetricSpec{{Type: autoscalingv2.ResourceMetricSourceType, Resource: &autoscalingv2.ResourceMetricSource{
				Name:   corev1.ResourceCPU,
				Target: autoscalingv2.MetricTarget{Type: autoscalingv2.UtilizationMetricType, AverageUtilization: ptr.To[int32](70)},
			}}},
		},
	}
}

// disruptionBudget lets nodes be drained, one replica at a time.
func (d *deployment) disruptionBudget(w *workload) *policyv1.PodDisruptionBudget {
	return &policyv1.PodDisruptionBudget{
		TypeMeta:   metav1.TypeMeta{APIVersion: "policy/v1", Kind: "PodDisruptionBudget"},
		ObjectMeta: d.meta(w),
		Spec: policyv1.PodDisruptionBudgetSpec{
			MaxUnavailable: ptr.To(intstr.FromInt32(1)),
			Selector:       &metav1.LabelSelector{MatchLabels: d.selector(w)},
		},
	}
}

// networkPolicy lets the callers of a workload reach the port of calls, and
// anybody the public one. Knative's activator hides who calls, so it has none.
func (d *deployment) networkPolicy(w *workload) *networkingv1.NetworkPolicy {
	port := func(name string) []networkingv1.NetworkPolicyPort {
		return []networkingv1.NetworkPolicyPort{{Protocol: ptr.To(corev1.ProtocolTCP), Port: ptr.To(intstr.FromString(name))}}
	}
	var rules []networkingv1.NetworkPolicyIngressRule
	if w.is(public) {
		rules = append(rules, networkingv1.NetworkPolicyIngressRule{Ports: port("http")})
	}
	if w.is(inner) {
		var from []networkingv1.NetworkPolicyPeer
		for _, caller := range w.callers {
			labels := d.selector(&workload{name: objectName(d.app.Name, caller)})
			from = append(from, networkingv1.NetworkPolicyPeer{PodSelector: &metav1.LabelSelector{MatchLabels: labels}})
		}
		rules = append(rules, networkingv1.NetworkPolicyIngressRule{Ports: port("h2c"), From: from})
	}
	return &networkingv1.NetworkPolicy{
		TypeMeta:   metav1.TypeMeta{APIVersion: "networking.k8s.io/v1", Kind: "NetworkPolicy"},
		ObjectMeta: d.meta(w),
		Spec: networkingv1.NetworkPolicySpec{
			PodSelector: metav1.LabelSelector{MatchLabels: d.selector(w)},
			PolicyTypes: []networkingv1.PolicyType{networkingv1.PolicyTypeIngress},
			Ingress:     rules,
		},
	}
}
