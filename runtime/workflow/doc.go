// Package workflow runs workflows: methods whose execution survives crashes and
// may take days. It is DESIGN section 6.
//
// # Execution
//
// A workflow is a root with a log: one record for each step that has finished,
// under the step's path. A path is the number of the step in its method, counted
// from 1; within a branch of a [Group] it is the path of the group, the number of the branch and the
// number of the step, as in 3.2.1. An execution runs the body from its start. Steps
// that have a record return what it says; the first one that has none goes live.
//
// A step that calls an atomic method is one atomic request whose commit carries the
// step's record too. That commit reads the state of the workflow (its status,
// epoch and owner), so an execution that another one has taken over from, or that was
// cancelled, commits nothing any more.
//
// Records that only say what was decided (a sleep began, a signal was taken, a
// message is to be sent, a child is to run) have no commit of their own: they ride in
// the next commit of the execution, which always comes before anything that
// the world sees. So does the intent, the first thing that is stored of a workflow,
// and the claim of an execution that was woken by a timer or a signal. A workflow
// with n steps therefore takes n+1 commits; one more wherever an effect of
// [Do] is the first thing after the start, after a wait or after one of those decisions, since
// the intent to go on must be durable before the world is touched.
//
// # Waiting
//
// A workflow that sleeps or waits has no goroutine and no memory. Its branches unwind by a private panic,
// and what is left is a row in the due index. [Engine.Loop] watches
// the index, and executes what is due: timers, leases that ran out, retries, schedules, the
// removal of what is past its retention.
//
// # Failures
//
// An error that a workflow returns is its result. A panic, of the workflow or of a
// method that it calls, is a failure: the execution ends where it is, deferred calls do
// nothing, and the workflow is tried again after a back-off. After as many failures in
// a row as the options say it is parked: a dead letter, to be looked at, retried or cancelled.
// Failures of the store or of the network never park anything.
//
// A step whose record is of another kind or target than the code asks for stops the
// workflow with a diagnosis; so do arguments that differ though the code is the same. Nothing of the
// log is changed. It goes on when [Engine.Retry] says so, or when a process with other code starts.
//
// # Cancellation
//
// A cancelled workflow does no more: the step under way cannot commit, no
// later one begins, deferred calls do nothing, and no compensation runs. Its children are cancelled
// with it. Whoever waits for it gets [ErrCancelled], a parent workflow as the error of
// its call. A workflow that must compensate is told by a signal to end, not cancelled.
//
// # Schedules
//
// A workflow with a schedule is started once for each tick, whichever process gets to it
// first: the id of the run holds the tick. "every 5m" ticks at multiples of 5 minutes since
// 1970 UTC, "cron 0 3 * * *" when the five fields match in UTC, or in the zone of a leading CRON_TZ=Europe/Paris.
// A tick is left out while the run of an earlier one has not ended. Of the ticks that nobody
// was there for, only the last is caught up on.
package workflow
