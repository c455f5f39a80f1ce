// Package onefoldtest tests specs, as plain Go programs and as compiled systems.
//
// # The plain side
//
// A spec is a Go program, and its meaning when nothing fails is what that program
// does if requests run one at a time and a request that ends in an error or a
// panic leaves no trace. [New] builds the services, [Call] runs one request with
// that meaning on the Go values themselves, and [Invoke] runs one as a client sends
// it, by name and in JSON:
//
//	app := onefoldtest.New(t, hotel.NewHotel, flight.NewFlight, order.NewOrders, frontend.NewFrontend)
//	front := onefoldtest.Get[frontend.Frontend](app)
//	err := onefoldtest.Call(app, func(ctx context.Context) error {
//		_, err := front.Book(ctx, "ann", "ritz", "LH1")
//		return err
//	})
//
// # The compiled side
//
// [Differential] sends the same random requests to the plain services and to the
// compiled application and fails where replies or final states differ.
// [CrashPoints] runs a scenario once for every store operation in it and every
// fault that the operation can have. [Histories] runs concurrent clients under
// random faults and checks that the replies are those of some sequential run.
//
// [Swarm] does the same for many processes behind the gateway, over a network
// that loses, delays and repeats messages, while processes crash and pause.
//
// # Workflows
//
// [Simulate] runs a script in virtual time, on the plain services and on the compiled
// application: it starts workflows, makes requests while they wait, lets days pass, sends signals, makes effects
// fail and processes crash. Both sides must show the script the same replies and
// end in the same state. [RandomScript] makes scripts up, and [CrashWorkflows] runs
// one with every fault at every store operation, and with processes that others have given up.
// [WorkflowHistories] is [Histories] with workflows beside the requests; [Swarm] takes them too.
//
// On the plain side what a workflow calls are plain calls, so nobody undoes a step that
// changes something and then ends in an error, as the compiled system does. A method that is called by
// workflows should look before it writes, or use onefold.Tx; a script that gets there shows the difference.
//
// # Time and chance
//
// The suites run in a [testing/synctest] bubble, so time.Now is the same on both
// sides and moves only between requests, and they seed the functions of
// math/rand before each request, on both sides alike. The functions of math/rand/v2,
// crypto/rand and the order of map iteration cannot be fed: state that depends on them
// is named in [Options.Random], and compared only as far as its shape goes.
package onefoldtest
