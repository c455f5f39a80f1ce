package local

import (
	"errors"
	"fmt"

	"github.com/onefold/onefold/runtime"
)

// configure sets the config fields of all services from the environment. Its
// error lists everything that is missing or malformed.
func configure(app *runtime.App, lookup func(string) (string, bool)) error {
	var all []error
	for _, s := range app.Services {
		if s.Configure == nil {
			continue
		}
		if err := s.Configure(lookup); err != nil {
			all = append(all, fmt.Errorf("configure %s: %w", s.Name, err))
		}
	}
	return errors.Join(all...)
}
