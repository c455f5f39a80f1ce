package onefoldtest

import (
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/onefold/onefold/runtime/invoke"
)

// client runs a client's errands.
func (s *swarm) client(number int, script []errand) {
	for _, e := range script {
		time.Sleep(e.wait)
		if isFlow(s.compiled, e.Method) {
			s.flow(number, e)
			continue
		}
		c := &client{req: e.Request, send: s.sender(number, e.name), mint: func() string { return seededID(s.fate.of("id of " + e.name)) }}
		c.identify(e.as, e.name)
		// What says that nothing was changed does not speak for a delivery that comes yet.
		c.uncertain = s.plan.weather.duplicate > 0
		s.deliver(c, number)
	}
}

// flow has a workflow run to its end, and asks once more for its result.
func (s *swarm) flow(number int, e errand) {
	send, id := s.sender(number, e.name), seededID(s.fate.of("id of "+e.name))
	var first Reply
	for n := 0; ; n++ {
		reply, lost, err := send(e.Request, id)
		switch {
		case err != nil:
			s.fail(fmt.Sprintf("%s: %v", e.Request, err))
			return
		case n == mostQuestions:
			s.fail(fmt.Sprintf("%s: workflow %s has not ended: %d %s", e.Request, id, reply.Status, reply.Detail))
			return
		case lost || reply.Status == http.StatusAccepted || reply.Type == invoke.TypeOutcomeUnknown || saysNothingChanged(reply):
			// Most are over soon; some wait for days.
			time.Sleep(min(time.Second<<min(n, 20), time.Hour))
		case first.Status == 0:
			first = reply
		default:
			reply.Replayed = first.Replayed
			if d := diff(first, reply); d != "" {
				s.fail(fmt.Sprintf("%s: the second reply of workflow %s differs from the first (-first +second):\n%s", e.Request, id, d))
			}
			return
		}
	}
}

// mostQuestions is how often a client asks for the end of a workflow. They last for
// some weeks.
const mostQuestions = 1000

// longestDelivery is how long a client may wait for an answer: the gateway's
// deadline, and the time of messages.
const longestDelivery = 12*time.Second + 2*mostSlow

// sender returns how a client sends requests: over the network to the gateway.
func (s *swarm) sender(number int, name string) func(Request, string) (Reply, bool, error) {
	transport := &mesh{swarm: s, from: fmt.Sprintf("client %d", number)}
	again := false
	return func(req Request, id string) (Reply, bool, error) {
		if again {
			time.Sleep(within(s.fate.of("patience of "+name), 300*time.Millisecond))
		}
		again = true
		r, err := http.NewRequest(http.MethodPost, "http://"+gatewayHost+"/"+strings.Replace(req.Method, ".", "/", 1), strings.NewReader(req.Args))
		if err != nil {
			return Reply{}, false, err
		}
		setHeaders(r.Header, req.Key, id)
		if isFlow(s.compiled, req.Method) {
			r.Header.Set("Prefer", "wait=3")
		}
		began := time.Now()
		resp, err := transport.RoundTrip(r)
		if took := time.Since(began); took > longestDelivery {
			return Reply{}, false, fmt.Errorf("the answer took %s", took)
		}
		if err != nil {
			return Reply{}, true, nil
		}
		return parseReply(resp), false, nil
	}
}
