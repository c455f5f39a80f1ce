package deploy

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/tools/portforward"
	"k8s.io/client-go/transport/spdy"
)

// Poker is the control channel of the poker of one pod, which is forwarded to this
// machine.
type Poker struct {
	Service string // the name that the manifests give it
	Pod     string
	Address string // tcp:HOST:PORT
	Token   string
}

// Pokers finds the ready pods of an application that have a poker, as manifests with a
// profile make them, and forwards their control channels until ctx ends.
func (c *Cluster) Pokers(ctx context.Context, application string) ([]Poker, error) {
	pods, err := c.core.Pods(c.Namespace).List(ctx, metav1.ListOptions{LabelSelector: "app.kubernetes.io/part-of=" + application})
	if err != nil {
		return nil, fmt.Errorf("list the pods of %s: %w", application, err)
	}
	if len(pods.Items) == 0 {
		return nil, fmt.Errorf("namespace %s has no pods of an application %s", c.Namespace, application)
	}
	var all []Poker
	for i := range pods.Items {
		pod := &pods.Items[i]
		if pod.DeletionTimestamp != nil {
			continue
		}
		if !ready(pod) {
			return nil, fmt.Errorf("pod %s is not ready: profile an application that is", pod.Name)
		}
		p, port, err := c.poker(ctx, pod)
		if err != nil {
			return nil, fmt.Errorf("pod %s: %w", pod.Name, err)
		}
		if port == 0 {
			continue
		}
		if p.Address, err = c.forward(ctx, pod.Name, port); err != nil {
			return nil, fmt.Errorf("forward the control channel of pod %s: %w", pod.Name, err)
		}
		all = append(all, p)
	}
	if len(all) == 0 {
		return nil, fmt.Errorf("no pod of %s has a poker: write profile: {} into onefold.yaml and deploy it", application)
	}
	return all, nil
}

// poker returns what is known of a pod's poker, and the port of its control channel, 0
// for a pod without one.
func (c *Cluster) poker(ctx context.Context, pod *corev1.Pod) (p Poker, port int, err error) {
	p.Pod = pod.Name
	for _, container := range pod.Spec.Containers {
		var secret *corev1.SecretKeySelector
		for _, v := range container.Env {
			switch {
			case v.Name == "ONEFOLD_POKER_CONTROL":
				if port, err = strconv.Atoi(v.Value[strings.LastIndexByte(v.Value, ':')+1:]); err != nil {
					return p, 0, fmt.Errorf("%s=%s: want tcp:127.0.0.1:PORT", v.Name, v.Value)
				}
			case v.Name == "ONEFOLD_POKER_TOKEN" && v.ValueFrom != nil:
				secret = v.ValueFrom.SecretKeyRef
			}
		}
		if secret == nil {
			continue
		}
		p.Service = strings.TrimPrefix(argument(container.Command, "--name="), "--name=")
		if p.Service == "" {
			p.Service = pod.Labels["app.kubernetes.io/name"]
		}
		held, err := c.core.Secrets(c.Namespace).Get(ctx, secret.Name, metav1.GetOptions{})
		if err != nil {
			return p, 0, fmt.Errorf("its poker's token: %w", err)
		}
		if p.Token = string(held.Data[secret.Key]); p.Token == "" {
			return p, 0, fmt.Errorf("secret %s has no key %q with its poker's token", secret.Name, secret.Key)
		}
		return p, port, nil
	}
	return p, 0, nil
}

// argument returns the argument that begins with a text, or "".
func argument(command []string, begin string) string {
	for _, a := range command {
		if strings.HasPrefix(a, begin) {
			return a
		}
	}
	return ""
}

// forward forwards a port of a pod, as kubectl port-forward does, until ctx ends. It
// returns where that port is on this machine.
func (c *Cluster) forward(ctx context.Context, pod string, port int) (string, error) {
	transport, upgrader, err := spdy.RoundTripperFor(c.config)
	if err != nil {
		return "", err
	}
	url := c.core.RESTClient().Post().Resource("pods").Namespace(c.Namespace).Name(pod).SubResource("portforward").URL()
	dialer := spdy.NewDialer(upgrader, &http.Client{Transport: transport}, http.MethodPost, url)
	opened := make(chan struct{})
	f, err := portforward.NewOnAddresses(dialer, []string{"127.0.0.1"}, []string{fmt.Sprintf("0:%d", port)}, ctx.Done(), opened, io.Discard, io.Discard)
	if err != nil {
		return "", err
	}
	failed := make(chan error, 1)
	go func() { failed <- f.ForwardPorts() }()
	select {
	case <-opened:
	case err := <-failed:
		return "", errors.Join(err, ctx.Err())
	}
	ports, err := f.GetPorts()
	if err != nil {
		return "", err
	}
	return fmt.Sprintf("tcp:127.0.0.1:%d", ports[0].Local), nil
}
