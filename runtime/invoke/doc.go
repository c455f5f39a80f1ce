// Package invoke is the HTTP front of an application: it turns
// `POST /Service/Method` into one invocation and the invocation's result into a
// JSON reply or an RFC 9457 problem document.
//
// # Requests
//
// The body is a JSON object with the method's parameters by name; it may be
// empty where there are none. These headers matter:
//
//   - Content-Type: application/json, unless the body is empty.
//   - Idempotency-Key: any string of at most 255 bytes. All requests with one key are
//     one invocation, which happens once and whose reply every one of them gets, for
//     as long as the reply is retained.
//   - Onefold-Id: a UUIDv7, which does the same and is refused when it is older than
//     the retention. At most one of the two may be given. A request with neither gets an id of its own.
//   - Prefer: respond-async or wait=SECONDS, for workflows; see below.
//   - traceparent: W3C trace context; its trace id is logged and comes back in
//     traceresponse.
//
// # Replies
//
// A reply is 200 with the method's result: one result is its value, several are an
// object by name, none is null. A reply carries Onefold-Id, the id that a retry may give,
// unless the request came with a key. The reply to a request with a key or an id says in
// Onefold-Replayed whether an earlier request did the work: true or false.
// Everything else is a problem document, whose type tells the kind of failure apart;
// see the Problem type.
//
// # Workflows
//
// A request to a workflow method starts a workflow and waits for its end, which is the
// reply. Another request with the same key or id attaches to it, also while it runs: so a client that lost the
// connection goes on waiting. Where the request says Prefer: respond-async, or the wait takes longer
// than Prefer: wait=SECONDS or the time limit of requests allows, the reply is 202: the workflow will run whatever
// happens. It names the workflow in Onefold-Workflow and in the body, {"id", "method", "status"}, and
// in Location a URL, /Service/Method/id, whose GET replies like the POST: with the outcome once the workflow has
// ended, with 202 before. With Prefer: wait=SECONDS it waits for the end.
// Who knows the id of a workflow can ask for its outcome, and an id that comes of a key can be computed from that.
//
// # Operators
//
// [Handler.Operators] is the API for those who run the application. It is no part of the Handler: a
// server puts it, behind [Guard], at an address that only they reach, or leaves it out. Its replies are JSON,
// its errors problem documents. An id that holds slashes, a child's, is escaped as one segment: %2F.
//
//	GET  /_onefold/api/workflows                         {"workflows": [workflow…], "next": cursor}
//	GET  /_onefold/api/workflows/{id}                    workflow
//	GET  /_onefold/api/workflows/{id}/history            workflow, with its steps
//	POST /_onefold/api/workflows/{id}/cancel             204
//	POST /_onefold/api/workflows/{id}/retry              204
//	POST /_onefold/api/workflows/{id}/signals/{name}     204; the body is the value, as JSON
//	GET  /_onefold/api/dead                              {"dead": [letter…], "next": cursor}
//
// The list is the youngest first. It takes status= and method= to choose by, limit= (1 to 1000, default 100), and
// cursor=, the next of the page before; there is no next on the last page, and a page may hold fewer than the limit,
// even none. Dead letters are the oldest first; cancel and retry take their ids too, and to cancel a
// message is to throw it away. Signals take the headers Idempotency-Key and Onefold-Id.
//
// A workflow is a [workflow.Info], a history a [workflow.History], a dead letter a [workflow.DeadLetter]:
//
//	workflow: id, method, status (running, suspended, parked, completed, failed, cancelled), code, started, changed,
//	    due, epoch, failures, reason, stopped, awaits ["signal NAME", "child ID"…], parent
//	history:  the workflow's, and args, result, error, ended, steps […], versions {change: answer}, argsCBOR, resultCBOR
//	step:     path ("3.2.1" is step 1 in branch 2 of the group at 3), kind (call, child, sleep, effect, await, signal,
//	    message), name, begun, done, due, timedOut, error, result, child (history), argsHash, resultCBOR, errorCBOR
//	letter:   id, message (false for a workflow), method, from, parked, failures, reason, stopped
//
// Times are RFC 3339. What is empty may be left out, but for id, method, status, started, changed, failures and steps.
// The members in …CBOR and argsHash are for the replay of the history, args and result for people.
package invoke
