package manifests

import (
	"context"
	"fmt"

	"k8s.io/apimachinery/pkg/runtime"
	"knative.dev/pkg/apis"
	"knative.dev/serving/pkg/apis/config"
	servingv1 "knative.dev/serving/pkg/apis/serving/v1"
)

// validate runs Knative's own validation of what is Knative's, as its webhook would
// after it has set defaults. What it finds is a bug here, since the configuration has been checked.
func validate(o runtime.Object) error {
	s, ok := o.(*servingv1.Service)
	if !ok {
		return nil
	}
	ctx := config.ToContext(context.Background(), config.FromContextOrDefaults(context.Background()))
	ctx = apis.WithinCreate(ctx)
	s = s.DeepCopy()
	s.SetDefaults(ctx)
	if err := s.Validate(ctx); err != nil {
		return fmt.Errorf("refused by Knative: %w", err)
	}
	return nil
}
