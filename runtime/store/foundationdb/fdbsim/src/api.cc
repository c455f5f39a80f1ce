// The functions of the C interface, apart from those of futures.
#include <cstdlib>
#include <cstring>
#include <fstream>

#include "client.h"
#include "errors.h"

using namespace fdbsim;

struct FDB_database {
  std::shared_ptr<DatabaseHandle> handle;
};

struct FDB_transaction {
  std::shared_ptr<Transaction> transaction;
};

namespace fdbsim {

Network& network() {
  // Never destroyed: threads may use it while the process exits.
  static Network* n = new Network;
  return *n;
}

}  // namespace fdbsim

namespace {

constexpr int apiVersion = 730;

Bytes bytes(const uint8_t* data, int length) { return Bytes(reinterpret_cast<const char*>(data), size_t(length)); }

bool integer(const uint8_t* value, int length, int64_t& out) {
  if (length != 8) return false;
  memcpy(&out, value, 8);
  return true;
}

FDBFuture* unsupported() {
  auto future = std::make_shared<Future>();
  future->fail(error::unsupportedOperation);
  return handleOf(future);
}

// connectionStringOf reads a cluster file: its first line that is no comment.
Bytes connectionStringOf(const char* path) {
  if (path == nullptr || *path == '\0') path = getenv("FDB_CLUSTER_FILE");
  std::ifstream in(path == nullptr ? "" : path);
  Bytes line;
  while (std::getline(in, line)) {
    if (!line.empty() && line[0] != '#') return line;
  }
  return "";
}

fdb_error_t create(const Bytes& connectionString, FDBDatabase** out) {
  {
    std::lock_guard<std::mutex> lock(network().mutex);
    if (!network().ready) return error::networkNotSetup;
  }
  auto handle = std::make_shared<DatabaseHandle>();
  handle->cluster = connect(connectionString, network().loop);
  if (handle->cluster == nullptr) return error::connectionStringInvalid;
  *out = new FDB_database{std::move(handle)};
  return 0;
}

// byteLimit returns after how many bytes a range read in a streaming mode stops.
int64_t byteLimit(FDBStreamingMode mode, int iteration) {
  static const int64_t growing[] = {4096, 80000};
  switch (mode) {
    case FDB_STREAMING_MODE_EXACT: return 0;
    case FDB_STREAMING_MODE_SMALL: return 256;
    case FDB_STREAMING_MODE_MEDIUM: return 1000;
    case FDB_STREAMING_MODE_LARGE: return 4096;
    case FDB_STREAMING_MODE_ITERATOR: return growing[iteration > 1];
    default: return 80000;
  }
}

}  // namespace

fdb_error_t fdb_select_api_version_impl(int runtime_version, int header_version) {
  return runtime_version > apiVersion || header_version > apiVersion ? error::apiVersionNotSupported : 0;
}

int fdb_get_max_api_version(void) { return apiVersion; }

const char* fdb_get_error(fdb_error_t code) { return error::textOf(code); }

// Network options tune what fdbsim does not have: tracing, TLS, threads.
fdb_error_t fdb_network_set_option(FDBNetworkOption, uint8_t const*, int) { return 0; }

fdb_error_t fdb_setup_network(void) {
  std::lock_guard<std::mutex> lock(network().mutex);
  if (network().ready) return error::networkAlreadySetup;
  network().ready = true;
  return 0;
}

fdb_error_t fdb_run_network(void) {
  {
    std::lock_guard<std::mutex> lock(network().mutex);
    if (!network().ready) return error::networkNotSetup;
  }
  network().loop.run();
  return 0;
}

fdb_error_t fdb_stop_network(void) {
  network().loop.stop();
  return 0;
}

fdb_error_t fdb_create_database(const char* cluster_file_path, FDBDatabase** out) {
  Bytes connectionString = connectionStringOf(cluster_file_path);
  if (connectionString.empty()) return error::noClusterFileFound;
  return create(connectionString, out);
}

fdb_error_t fdb_create_database_from_connection_string(const char* connection_string, FDBDatabase** out) {
  return create(connection_string, out);
}

void fdb_database_destroy(FDBDatabase* d) { delete d; }

fdb_error_t fdb_database_set_option(FDBDatabase* d, FDBDatabaseOption option, uint8_t const* value, int length) {
  std::lock_guard<std::mutex> lock(d->handle->mutex);
  Settings& settings = d->handle->settings;
  int64_t number = 0;
  switch (option) {
    case FDB_DB_OPTION_TRANSACTION_TIMEOUT:
      if (!integer(value, length, number) || number < 0) return error::invalidOptionValue;
      settings.timeout = number;
      return 0;
    case FDB_DB_OPTION_TRANSACTION_SIZE_LIMIT:
      if (!integer(value, length, number) || number < 32 || number > maxTransaction) return error::invalidOptionValue;
      settings.sizeLimit = number;
      return 0;
    case FDB_DB_OPTION_TRANSACTION_REPORT_CONFLICTING_KEYS:
      settings.report = true;
      return 0;
    default:
      return error::invalidOption;
  }
}

fdb_error_t fdb_database_create_transaction(FDBDatabase* d, FDBTransaction** out) {
  *out = new FDB_transaction{std::make_shared<Transaction>(d->handle)};
  return 0;
}

void fdb_transaction_destroy(FDBTransaction* tr) {
  tr->transaction->abandon();
  delete tr;
}

void fdb_transaction_cancel(FDBTransaction* tr) { tr->transaction->cancel(); }

void fdb_transaction_reset(FDBTransaction* tr) { tr->transaction->reset(); }

fdb_error_t fdb_transaction_set_option(FDBTransaction* tr, FDBTransactionOption option, uint8_t const* value,
                                       int length) {
  int64_t number = 0;
  switch (option) {
    case FDB_TR_OPTION_CAUSAL_WRITE_RISKY:
      tr->transaction->riskCausality();
      return 0;
    case FDB_TR_OPTION_READ_YOUR_WRITES_DISABLE:
      return tr->transaction->disableReadYourWrites();
    case FDB_TR_OPTION_TIMEOUT:
      return integer(value, length, number) ? tr->transaction->setTimeout(number) : error::invalidOptionValue;
    case FDB_TR_OPTION_SIZE_LIMIT:
      return integer(value, length, number) ? tr->transaction->setSizeLimit(number) : error::invalidOptionValue;
    case FDB_TR_OPTION_REPORT_CONFLICTING_KEYS:
      tr->transaction->reportConflicts();
      return 0;
    default:
      return error::invalidOption;
  }
}

void fdb_transaction_set_read_version(FDBTransaction* tr, int64_t version) { tr->transaction->setReadVersion(version); }

FDBFuture* fdb_transaction_get_read_version(FDBTransaction* tr) { return handleOf(tr->transaction->readVersion()); }

FDBFuture* fdb_transaction_get(FDBTransaction* tr, uint8_t const* key, int length, fdb_bool_t snapshot) {
  Bytes name = bytes(key, length);
  if (name != "\xff\xff/fdbsim/client") return handleOf(tr->transaction->get(std::move(name), snapshot));
  Reply reply;
  reply.present = true;
  reply.value = "futures " + std::to_string(liveFutures()) + "\ntransactions " + std::to_string(liveTransactions()) + "\n";
  auto future = std::make_shared<Future>();
  future->finish(std::move(reply));
  return handleOf(future);
}

FDBFuture* fdb_transaction_get_key(FDBTransaction* tr, uint8_t const* key, int length, fdb_bool_t or_equal, int offset,
                                   fdb_bool_t snapshot) {
  Request request;
  request.op = Op::GetKey;
  request.begin = {bytes(key, length), or_equal != 0, offset};
  return handleOf(tr->transaction->read(std::move(request), snapshot));
}

FDBFuture* fdb_transaction_get_range(FDBTransaction* tr, uint8_t const* begin, int begin_length,
                                     fdb_bool_t begin_or_equal, int begin_offset, uint8_t const* end, int end_length,
                                     fdb_bool_t end_or_equal, int end_offset, int limit, int target_bytes,
                                     FDBStreamingMode mode, int iteration, fdb_bool_t snapshot, fdb_bool_t reverse) {
  Request request;
  request.op = Op::Range;
  request.begin = {bytes(begin, begin_length), begin_or_equal != 0, begin_offset};
  request.end = {bytes(end, end_length), end_or_equal != 0, end_offset};
  request.limit = limit;
  request.bytes = byteLimit(mode, iteration);
  if (target_bytes > 0 && (request.bytes == 0 || request.bytes > target_bytes)) request.bytes = target_bytes;
  request.reverse = reverse != 0;
  int32_t error = limit < 0 || target_bytes < 0                                      ? error::rangeLimitsInvalid
                  : mode == FDB_STREAMING_MODE_EXACT && limit + target_bytes == 0 ? error::exactModeWithoutLimits
                                                                                     : 0;
  if (error == 0) return handleOf(tr->transaction->read(std::move(request), snapshot));
  auto future = std::make_shared<Future>();
  future->fail(error);
  return handleOf(future);
}

void fdb_transaction_set(FDBTransaction* tr, uint8_t const* key, int key_length, uint8_t const* value,
                         int value_length) {
  tr->transaction->mutate({mutationSet, bytes(key, key_length), bytes(value, value_length)});
}

void fdb_transaction_atomic_op(FDBTransaction* tr, uint8_t const* key, int key_length, uint8_t const* param,
                               int param_length, FDBMutationType type) {
  // Numbers that are mutations but no atomic operations.
  int32_t number = type == mutationSet || type == mutationClearRange ? -1 : int32_t(type);
  tr->transaction->mutate({number, bytes(key, key_length), bytes(param, param_length)});
}

void fdb_transaction_clear(FDBTransaction* tr, uint8_t const* key, int length) {
  Bytes begin = bytes(key, length);
  Bytes end = begin + '\0';
  tr->transaction->mutate({mutationClearRange, std::move(begin), std::move(end)});
}

void fdb_transaction_clear_range(FDBTransaction* tr, uint8_t const* begin, int begin_length, uint8_t const* end,
                                 int end_length) {
  Mutation m{mutationClearRange, bytes(begin, begin_length), bytes(end, end_length)};
  if (m.key > m.value) {
    // So does FoundationDB's client.
    fprintf(stderr, "fdbsim: clear of an inverted range\n");
    abort();
  }
  tr->transaction->mutate(std::move(m));
}

fdb_error_t fdb_transaction_add_conflict_range(FDBTransaction* tr, uint8_t const* begin, int begin_length,
                                               uint8_t const* end, int end_length, FDBConflictRangeType type) {
  KeyRange range{bytes(begin, begin_length), bytes(end, end_length)};
  return tr->transaction->addConflict(std::move(range), type == FDB_CONFLICT_RANGE_TYPE_READ);
}

FDBFuture* fdb_transaction_commit(FDBTransaction* tr) { return handleOf(tr->transaction->commit()); }

fdb_error_t fdb_transaction_get_committed_version(FDBTransaction* tr, int64_t* out) {
  return tr->transaction->committedVersion(*out);
}

FDBFuture* fdb_transaction_get_versionstamp(FDBTransaction* tr) { return handleOf(tr->transaction->versionstamp()); }

FDBFuture* fdb_transaction_get_approximate_size(FDBTransaction* tr) {
  return handleOf(tr->transaction->approximateSize());
}

FDBFuture* fdb_transaction_on_error(FDBTransaction* tr, fdb_error_t error) {
  return handleOf(tr->transaction->onError(error));
}

// What the binding can be asked for and onefold never does.

fdb_error_t fdb_database_open_tenant(FDBDatabase*, uint8_t const*, int, FDBTenant**) {
  return error::unsupportedOperation;
}
fdb_error_t fdb_tenant_create_transaction(FDBTenant*, FDBTransaction**) { return error::unsupportedOperation; }
void fdb_tenant_destroy(FDBTenant*) {}
FDBFuture* fdb_database_reboot_worker(FDBDatabase*, uint8_t const*, int, fdb_bool_t, int) { return unsupported(); }
FDBFuture* fdb_database_get_client_status(FDBDatabase*) { return unsupported(); }
FDBFuture* fdb_transaction_watch(FDBTransaction*, uint8_t const*, int) { return unsupported(); }
FDBFuture* fdb_transaction_get_addresses_for_key(FDBTransaction*, uint8_t const*, int) { return unsupported(); }
FDBFuture* fdb_transaction_get_estimated_range_size_bytes(FDBTransaction*, uint8_t const*, int, uint8_t const*, int) {
  return unsupported();
}
FDBFuture* fdb_transaction_get_range_split_points(FDBTransaction*, uint8_t const*, int, uint8_t const*, int, int64_t) {
  return unsupported();
}
