package gateway

// A Status is what a gateway knows of one service.
type Status struct {
	Service  string    `json:"service"`
	Waiting  int       `json:"waiting"` // requests that wait for a replica to be up
	Replicas []Replica `json:"replicas"`
}

// A Replica is what a gateway knows of one replica.
type Replica struct {
	Address  string `json:"address"`
	State    State  `json:"-"`
	InFlight int    `json:"inFlight"`
	Requests uint64 `json:"requests"` // deliveries begun
	Failures uint64 `json:"failures"` // deliveries that brought no reply
}

// Status returns what is known of all services, by name.
func (g *Gateway) Status() []Status {
	g.mu.Lock()
	defer g.mu.Unlock()
	var all []Status
	for _, p := range g.pools {
		s := Status{Service: p.service, Waiting: p.waiting}
		for _, b := range p.backends {
			s.Replicas = append(s.Replicas, Replica{Address: b.address, State: b.state, InFlight: b.inFlight, Requests: b.requests, Failures: b.failures})
		}
		all = append(all, s)
	}
	return all
}
