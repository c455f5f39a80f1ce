package profile

import (
	"slices"
	"strings"
)

// A target is a service, or several that are made faster together, by one fraction:
// their names joined. Phases are counted by the first of them. What a phase saves in
// all of them is the pause of everybody else; each of them is paused for what it saves
// in the others:
//
//	1/X_slow = max(p_i + D_x + D_y, p_x + D_y, p_y + D_x) = 1/X_fast + D_x + D_y
//
// Or it is one route of a service, whose requests alone are made faster: service:route.
const (
	and = "+"
	of  = ":"
)

// Parts returns the names of the services of a target.
func Parts(target string) []string {
	if service, _, ok := strings.Cut(target, of); ok {
		return []string{service}
	}
	return strings.Split(target, and)
}

// RouteOf returns the route of a target that is one, or "".
func RouteOf(target string) string {
	_, route, _ := strings.Cut(target, of)
	return route
}

// reserved returns what of a service's name has a meaning in targets, or "".
func reserved(name string) string {
	for _, s := range []string{and, of} {
		if strings.Contains(name, s) {
			return s
		}
	}
	return ""
}

// Target returns a target as one service. A route has its own requests, and the time of
// the service's requests in the mean, since nobody knows that of a route. Several
// services have the requests and cores of the first, and its time such that their share is the
// sum of all shares: a fraction less of it is a fraction less of each.
func (r *Raw) Target(target string) (Service, bool) {
	parts := r.parts(target)
	if len(parts) == 0 {
		return Service{}, false
	}
	s := parts[0]
	for _, p := range parts[1:] {
		s.Replicas += p.Replicas
		s.Pausable = s.Pausable && p.Pausable
		if s.Ratio > 0 {
			s.Time += p.Share() * s.Cores / s.Ratio
		}
	}
	if route := RouteOf(target); route != "" {
		if s.Ratio = s.routeRatio(route); s.Ratio == 0 {
			return Service{}, false
		}
	}
	s.Name = target
	return s, true
}

// routeRatio returns the requests of a route for each end-to-end request.
func (s Service) routeRatio(route string) float64 {
	for _, r := range s.Routes {
		if r.Name == route {
			return r.Ratio
		}
	}
	return 0
}

// parts returns the services of a target, none if one of them is not there.
func (r *Raw) parts(target string) []Service {
	var parts []Service
	for _, name := range Parts(target) {
		s, ok := r.service(name)
		if !ok {
			return nil
		}
		parts = append(parts, s)
	}
	return parts
}

// Faster returns the services with a target made faster by a fraction.
func Faster(services []Service, target string, fraction float64) []Service {
	services = slices.Clone(services)
	names, route := Parts(target), RouteOf(target)
	for i := range services {
		s := &services[i]
		switch {
		case !slices.Contains(names, s.Name):
		case route == "":
			s.Time *= 1 - fraction
		case s.Ratio > 0:
			s.Time *= 1 - fraction*s.routeRatio(route)/s.Ratio
		}
	}
	return services
}

// Pause returns the part of a phase's pause that a service makes: all of it, but for
// what the service saves itself, as a part of the target. It is 0 for the only target.
func (r *Raw) Pause(target, service string) float64 {
	own, all := 0.0, 0.0
	for _, p := range r.parts(target) {
		all += p.Share()
		if p.Name == service {
			own = p.Share()
		}
	}
	if all == 0 {
		return 1
	}
	return 1 - own/all
}
