#include "errors.h"

namespace fdbsim::error {

const char* textOf(int32_t code) {
  switch (code) {
    case 0: return "success";
    case transactionTooOld: return "transaction_too_old";
    case futureVersion: return "future_version";
    case notCommitted: return "not_committed";
    case commitUnknownResult: return "commit_unknown_result";
    case transactionCancelled: return "transaction_cancelled";
    case transactionTimedOut: return "transaction_timed_out";
    case processBehind: return "process_behind";
    case databaseLocked: return "database_locked";
    case clusterVersionChanged: return "cluster_version_changed";
    case commitProxyMemoryLimitExceeded: return "commit_proxy_memory_limit_exceeded";
    case grvProxyMemoryLimitExceeded: return "grv_proxy_memory_limit_exceeded";
    case operationCancelled: return "operation_cancelled";
    case tagThrottled: return "tag_throttled";
    case noClusterFileFound: return "no_cluster_file_found";
    case clientInvalidOperation: return "client_invalid_operation";
    case keyOutsideLegalRange: return "key_outside_legal_range";
    case invertedRange: return "inverted_range";
    case invalidOptionValue: return "invalid_option_value";
    case invalidOption: return "invalid_option";
    case networkNotSetup: return "network_not_setup";
    case networkAlreadySetup: return "network_already_setup";
    case readVersionAlreadySet: return "read_version_already_set";
    case versionInvalid: return "version_invalid";
    case rangeLimitsInvalid: return "range_limits_invalid";
    case futureNotSet: return "future_not_set";
    case usedDuringCommit: return "used_during_commit";
    case invalidMutationType: return "invalid_mutation_type";
    case transactionInvalidVersion: return "transaction_invalid_version";
    case noCommitVersion: return "no_commit_version";
    case transactionTooLarge: return "transaction_too_large";
    case keyTooLarge: return "key_too_large";
    case valueTooLarge: return "value_too_large";
    case connectionStringInvalid: return "connection_string_invalid: fdbsim, a test double, takes only fdbsim:NAME@...";
    case unsupportedOperation: return "unsupported_operation of fdbsim, a test double";
    case specialKeysApiFailure: return "special_keys_api_failure";
    case apiVersionNotSupported: return "api_version_not_supported";
    case exactModeWithoutLimits: return "exact_mode_without_limits";
  }
  return "an error that fdbsim was told to return";
}

bool retryable(int32_t code) {
  switch (code) {
    case transactionTooOld:
    case futureVersion:
    case notCommitted:
    case commitUnknownResult:
    case processBehind:
    case databaseLocked:
    case clusterVersionChanged:
    case commitProxyMemoryLimitExceeded:
    case grvProxyMemoryLimitExceeded:
    case tagThrottled:
      return true;
  }
  return false;
}

}  // namespace fdbsim::error
