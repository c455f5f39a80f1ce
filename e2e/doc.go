// Package e2e tests deployments on real clusters and real processes. The make targets e2e-k8s,
// e2e-parts and e2e-knative build what is needed and run it in private namespaces: nothing
// is left behind, and no packet leaves the machine.
package e2e
