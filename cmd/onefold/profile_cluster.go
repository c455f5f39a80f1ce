package main

import (
	"context"
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/onefold/onefold/instrument/profile"
	"github.com/onefold/onefold/instrument/profile/driver"
	"github.com/onefold/onefold/manifests/deploy"
)

// clusterFlags are the flags of a profile of an application in a cluster.
type clusterFlags struct{ application, kubeconfig, context, namespace string }

func (f *clusterFlags) add(cmd *cobra.Command) {
	cmd.Flags().StringVar(&f.application, "kubernetes", "", "profile the `application` of that name in a cluster; see below")
	cmd.Flags().StringVar(&f.kubeconfig, "kubeconfig", "", "in a cluster: read `file` instead of the usual kubeconfig")
	cmd.Flags().StringVar(&f.context, "kube-context", "", "in a cluster: use another `context` of the kubeconfig than the current one")
	cmd.Flags().StringVar(&f.namespace, "namespace", "default", "in a cluster: the application's `namespace`")
}

// profileCluster profiles an application in a cluster.
func (t *tool) profileCluster(ctx context.Context, f profileFlags, expectations []profile.Expectation) error {
	if f.mix == "" && f.openapi == "" {
		return usageError{errors.New("nothing to send: an application in a cluster needs --mix, whose target is its address, or --openapi")}
	}
	opts := f.opts
	opts.Name = f.cluster.application
	var err error
	if opts.Mix, err = t.readMix(ctx, nil, f.mixFlags); err != nil {
		return err
	}
	cluster, err := deploy.Connect(f.cluster.kubeconfig, f.cluster.context, f.cluster.namespace, t.stderr)
	if err != nil {
		return err
	}
	forwarding, end := context.WithCancel(context.WithoutCancel(ctx)) // pokers are asked to the end
	defer end()
	pokers, err := cluster.Pokers(forwarding, f.cluster.application)
	if err != nil {
		return err
	}
	opts.Services = clusterServices(pokers)
	t.progress("found %d pods of %d services", len(pokers), len(opts.Services))
	raw, err := t.measure(ctx, opts, newScreen(t.stderr, t.stderr, isTerminal(t.stderr)))
	return t.reportProfile(raw, err, f, expectations)
}

// clusterServices returns what a driver needs: the pods of a service are its replicas.
func clusterServices(pokers []deploy.Poker) []driver.Service {
	var all []driver.Service
	at := map[string]int{}
	for _, p := range pokers {
		i, ok := at[p.Service]
		if !ok {
			i = len(all)
			at[p.Service] = i
			all = append(all, driver.Service{Name: p.Service})
		}
		all[i].Replicas = append(all[i].Replicas, driver.Replica{Control: p.Address, Token: p.Token})
	}
	return all
}

// checkCluster finds what does not go together with an application in a cluster.
func (f *profileFlags) checkCluster(args []string) error {
	if f.cluster.application != "" && (len(args) > 0 || len(f.packages.replicas) > 0 || f.packages.cores != 0 || f.packages.share) {
		return fmt.Errorf("--kubernetes %s profiles what runs there: want no packages, --replicas, --cores or --share", f.cluster.application)
	}
	return nil
}
