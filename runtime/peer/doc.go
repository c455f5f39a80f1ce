// Package peer carries calls between the processes of one application, where no
// process hosts all services: DESIGN section 5.
//
// A call runs as a part of the caller's transaction. It takes along the read
// version, the pending writes of the services that the callee can reach, and the
// time that is left. The callee runs its method on them, commits nothing, and sends
// back results, error, reads and writes, which the caller merges in program order.
// Since nothing happens before the root commits, a call whose reply is lost is sent
// again, to another replica if there is one.
//
// Calls are HTTP/2 requests with a binary body, to a listener of their own that
// is not the public one. Whoever calls shows a key that caller and callee have, or a
// certificate, or both.
//
// # Configuration
//
// One program can be any part of its application. Which part it is comes from
// the environment, so that a deployment can say it for each process:
//
//	ONEFOLD_SERVICES  the services that this process hosts, with commas between
//	                  them: Hotel,Flight. All of them where it is not set.
//	ONEFOLD_PEERS     where the others answer calls, those that the hosted ones
//	                  reach at least: Hotel=http://10.0.0.7:7070
//	                  and so on, with commas. Addresses are http:// (HTTP/2 without
//	                  TLS), https:// (with ONEFOLD_TLS) or unix:///run/hotel.sock. A
//	                  service that is named several times has several replicas, which
//	                  get calls in turns. @FILE instead of a list reads it from a file,
//	                  one entry a line, again whenever the file changes.
//	ONEFOLD_INTERNAL  where this process answers calls: 127.0.0.1:7070, :7070 or
//	                  unix:///run/flight.sock. Not at all where it is not set. The
//	                  listener also answers /healthz, /readyz and /metrics.
//	ONEFOLD_STORE     where the state is: embedded:FOLDER (a process alone),
//	                  unix:///run/store.sock or tcp://storage:7071 (a store server, see
//	                  the store command of the program), fdb:CLUSTERFILE (a FoundationDB
//	                  cluster; fdb: alone takes the default file). Where it is not set:
//	                  embedded, in the folder of --data.
//	ONEFOLD_KEYS      a folder with a file of keys for each service that calls another
//	                  one, named Frontend.Hotel, which both have, and one named store
//	                  for the store server. A process has the files that its services
//	                  need, so that nobody else can call them. Or a single file, for
//	                  everything, on one machine. Keys have at least 16 characters, one a
//	                  line. The first is shown, all are accepted. Files are read again
//	                  when they change, so that keys rotate without downtime: add the new
//	                  key as the last line everywhere, then make it the first, then
//	                  remove the old one.
//	ONEFOLD_TLS       a folder with tls.crt, tls.key and ca.crt: processes then show each
//	                  other certificates. Read again when they change.
//
// Every process reads the config fields of all services, since any may run a workflow:
// give all of them the same variables SERVICE_FIELD.
//
// An address that is not a unix socket needs ONEFOLD_KEYS or ONEFOLD_TLS. The
// program's flag --listen gives the public address; --listen none has none.
package peer
