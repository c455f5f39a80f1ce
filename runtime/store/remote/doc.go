// Package remote is a store engine that is somewhere else: a [Server] lets other
// processes use its engine, which is usually the embedded one, over a unix socket
// or TCP, and an [Engine] is the client's side.
//
// One connection carries all operations of a client, many at a time. Each is a
// frame; frames that wait for the connection leave in one write. Reads that take
// microseconds run one after the other on the server's side of the connection,
// everything else beside it. A full connection makes callers wait, and no frame is
// larger than a limit that has room for the largest commit.
//
// A client connects again when a connection breaks. Reads that were under way are
// sent again: at a version of a server that has restarted they find it too old. A
// commit that was under way has an unknown result.
package remote
