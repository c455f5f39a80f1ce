/* The part of FoundationDB's C interface, API version 730, that its Go binding
 * uses, declared anew for fdbsim. Layouts and values are those of the interface;
 * FoundationDB's own header takes this one's place when its client is installed. */
#ifndef FDBSIM_FDB_C_H
#define FDBSIM_FDB_C_H

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef int fdb_error_t;
typedef int fdb_bool_t;

typedef struct FDB_future FDBFuture;
typedef struct FDB_database FDBDatabase;
typedef struct FDB_tenant FDBTenant;
typedef struct FDB_transaction FDBTransaction;

/* Options are passed by number; the negative member makes the types signed. */
typedef enum { FDB_NET_OPTION_NONE = -1 } FDBNetworkOption;
typedef enum {
  FDB_DB_OPTION_NONE = -1,
  FDB_DB_OPTION_TRANSACTION_TIMEOUT = 500,
  FDB_DB_OPTION_TRANSACTION_SIZE_LIMIT = 503,
  FDB_DB_OPTION_TRANSACTION_REPORT_CONFLICTING_KEYS = 702
} FDBDatabaseOption;
typedef enum {
  FDB_TR_OPTION_NONE = -1,
  FDB_TR_OPTION_CAUSAL_WRITE_RISKY = 10,
  FDB_TR_OPTION_READ_YOUR_WRITES_DISABLE = 51,
  FDB_TR_OPTION_TIMEOUT = 500,
  FDB_TR_OPTION_SIZE_LIMIT = 503,
  FDB_TR_OPTION_REPORT_CONFLICTING_KEYS = 712
} FDBTransactionOption;

typedef enum {
  FDB_STREAMING_MODE_WANT_ALL = -2,
  FDB_STREAMING_MODE_ITERATOR = -1,
  FDB_STREAMING_MODE_EXACT = 0,
  FDB_STREAMING_MODE_SMALL = 1,
  FDB_STREAMING_MODE_MEDIUM = 2,
  FDB_STREAMING_MODE_LARGE = 3,
  FDB_STREAMING_MODE_SERIAL = 4
} FDBStreamingMode;

typedef enum {
  FDB_MUTATION_TYPE_NONE = -1,
  FDB_MUTATION_TYPE_ADD = 2,
  FDB_MUTATION_TYPE_BIT_AND = 6,
  FDB_MUTATION_TYPE_BIT_OR = 7,
  FDB_MUTATION_TYPE_BIT_XOR = 8,
  FDB_MUTATION_TYPE_APPEND_IF_FITS = 9,
  FDB_MUTATION_TYPE_MAX = 12,
  FDB_MUTATION_TYPE_MIN = 13,
  FDB_MUTATION_TYPE_SET_VERSIONSTAMPED_KEY = 14,
  FDB_MUTATION_TYPE_SET_VERSIONSTAMPED_VALUE = 15,
  FDB_MUTATION_TYPE_BYTE_MIN = 16,
  FDB_MUTATION_TYPE_BYTE_MAX = 17,
  FDB_MUTATION_TYPE_COMPARE_AND_CLEAR = 20
} FDBMutationType;

typedef enum {
  FDB_CONFLICT_RANGE_TYPE_NONE = -1,
  FDB_CONFLICT_RANGE_TYPE_READ = 0,
  FDB_CONFLICT_RANGE_TYPE_WRITE = 1
} FDBConflictRangeType;

#pragma pack(push, 4)
typedef struct key {
  const uint8_t* key;
  int key_length;
} FDBKey;
typedef struct keyvalue {
  const uint8_t* key;
  int key_length;
  const uint8_t* value;
  int value_length;
} FDBKeyValue;
#pragma pack(pop)

typedef void (*FDBCallback)(FDBFuture* future, void* parameter);

/* The network thread. */
fdb_error_t fdb_select_api_version_impl(int runtime_version, int header_version);
int fdb_get_max_api_version(void);
const char* fdb_get_error(fdb_error_t code);
fdb_error_t fdb_network_set_option(FDBNetworkOption option, uint8_t const* value, int length);
fdb_error_t fdb_setup_network(void);
fdb_error_t fdb_run_network(void);
fdb_error_t fdb_stop_network(void);

/* Futures. */
void fdb_future_cancel(FDBFuture* f);
void fdb_future_release_memory(FDBFuture* f);
void fdb_future_destroy(FDBFuture* f);
fdb_bool_t fdb_future_is_ready(FDBFuture* f);
fdb_error_t fdb_future_set_callback(FDBFuture* f, FDBCallback callback, void* parameter);
fdb_error_t fdb_future_get_error(FDBFuture* f);
fdb_error_t fdb_future_get_int64(FDBFuture* f, int64_t* out);
fdb_error_t fdb_future_get_key(FDBFuture* f, uint8_t const** key, int* length);
fdb_error_t fdb_future_get_value(FDBFuture* f, fdb_bool_t* present, uint8_t const** value, int* length);
fdb_error_t fdb_future_get_keyvalue_array(FDBFuture* f, FDBKeyValue const** kvs, int* count, fdb_bool_t* more);
fdb_error_t fdb_future_get_key_array(FDBFuture* f, FDBKey const** keys, int* count);
fdb_error_t fdb_future_get_string_array(FDBFuture* f, const char*** strings, int* count);

/* Databases. */
fdb_error_t fdb_create_database(const char* cluster_file_path, FDBDatabase** out);
fdb_error_t fdb_create_database_from_connection_string(const char* connection_string, FDBDatabase** out);
void fdb_database_destroy(FDBDatabase* d);
fdb_error_t fdb_database_set_option(FDBDatabase* d, FDBDatabaseOption option, uint8_t const* value, int length);
fdb_error_t fdb_database_create_transaction(FDBDatabase* d, FDBTransaction** out);
fdb_error_t fdb_database_open_tenant(FDBDatabase* d, uint8_t const* name, int length, FDBTenant** out);
FDBFuture* fdb_database_reboot_worker(FDBDatabase* d, uint8_t const* address, int length, fdb_bool_t check, int duration);
FDBFuture* fdb_database_get_client_status(FDBDatabase* d);
fdb_error_t fdb_tenant_create_transaction(FDBTenant* tenant, FDBTransaction** out);
void fdb_tenant_destroy(FDBTenant* tenant);

/* Transactions. */
void fdb_transaction_destroy(FDBTransaction* tr);
void fdb_transaction_cancel(FDBTransaction* tr);
void fdb_transaction_reset(FDBTransaction* tr);
fdb_error_t fdb_transaction_set_option(FDBTransaction* tr, FDBTransactionOption option, uint8_t const* value, int length);
void fdb_transaction_set_read_version(FDBTransaction* tr, int64_t version);
FDBFuture* fdb_transaction_get_read_version(FDBTransaction* tr);
FDBFuture* fdb_transaction_get(FDBTransaction* tr, uint8_t const* key, int length, fdb_bool_t snapshot);
FDBFuture* fdb_transaction_get_key(FDBTransaction* tr, uint8_t const* key, int length, fdb_bool_t or_equal, int offset,
                                   fdb_bool_t snapshot);
FDBFuture* fdb_transaction_get_range(FDBTransaction* tr, uint8_t const* begin, int begin_length, fdb_bool_t begin_or_equal,
                                     int begin_offset, uint8_t const* end, int end_length, fdb_bool_t end_or_equal,
                                     int end_offset, int limit, int target_bytes, FDBStreamingMode mode, int iteration,
                                     fdb_bool_t snapshot, fdb_bool_t reverse);
FDBFuture* fdb_transaction_get_addresses_for_key(FDBTransaction* tr, uint8_t const* key, int length);
FDBFuture* fdb_transaction_get_estimated_range_size_bytes(FDBTransaction* tr, uint8_t const* begin, int begin_length,
                                                          uint8_t const* end, int end_length);
FDBFuture* fdb_transaction_get_range_split_points(FDBTransaction* tr, uint8_t const* begin, int begin_length,
                                                  uint8_t const* end, int end_length, int64_t chunk_size);
FDBFuture* fdb_transaction_watch(FDBTransaction* tr, uint8_t const* key, int length);
void fdb_transaction_set(FDBTransaction* tr, uint8_t const* key, int key_length, uint8_t const* value, int value_length);
void fdb_transaction_atomic_op(FDBTransaction* tr, uint8_t const* key, int key_length, uint8_t const* param,
                               int param_length, FDBMutationType type);
void fdb_transaction_clear(FDBTransaction* tr, uint8_t const* key, int length);
void fdb_transaction_clear_range(FDBTransaction* tr, uint8_t const* begin, int begin_length, uint8_t const* end,
                                 int end_length);
fdb_error_t fdb_transaction_add_conflict_range(FDBTransaction* tr, uint8_t const* begin, int begin_length,
                                               uint8_t const* end, int end_length, FDBConflictRangeType type);
FDBFuture* fdb_transaction_commit(FDBTransaction* tr);
fdb_error_t fdb_transaction_get_committed_version(FDBTransaction* tr, int64_t* out);
FDBFuture* fdb_transaction_get_versionstamp(FDBTransaction* tr);
FDBFuture* fdb_transaction_get_approximate_size(FDBTransaction* tr);
FDBFuture* fdb_transaction_on_error(FDBTransaction* tr, fdb_error_t error);

#ifdef __cplusplus
}
#endif
#endif
